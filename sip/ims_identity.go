package sip

import (
	"strconv"
	"strings"

	"smsc/message"
	"smsc/tenant"
)

// imsIdentity is one public identity of a user of an IMS core, an IMPU
// (TS 23.003 §13.4).
type imsIdentity struct {
	uri  string // without what a core notes beside it
	key  string // of tenant.Subscriber
	tel  bool
	sure bool // a number in a form that leaves no doubt: tel, "+" or user=phone
	imsi bool // made of the IMSI: no number (TS 23.003 §13.4B)
	to   message.Address
}

// maxAsserted bounds what is read of one request.
const maxAsserted = 16

// readIdentity reads a URI, with or without brackets; false if it is none.
func readIdentity(value string) (imsIdentity, bool) {
	spec, _, err := splitNameAddr(mendBrackets(value))
	if err != nil || hasControl(spec) || strings.ContainsAny(spec, "<>\" \t") {
		return imsIdentity{}, false
	}
	u, err := parseURI(spec)
	if err != nil || u.scheme != "sip" && u.scheme != "sips" && u.scheme != "tel" {
		return imsIdentity{}, false
	}
	a, f := readAddress(u)
	if f != nil || a.IsZero() {
		return imsIdentity{}, false
	}
	id := imsIdentity{uri: spec, to: a, tel: u.scheme == "tel", imsi: fromIMSI(u)}
	phone, _ := param(u.params, "user")
	switch {
	case a.IsNumber() && !id.imsi:
		id.key = a.Digits()
		id.uri = bareIdentity(u, spec, sameName(phone, "phone"))
		id.sure = id.tel || a.Form() == message.FormInternational || sameName(phone, "phone")
	default:
		id.key = strings.ToLower(a.Value + "@" + u.host)
	}
	return id, true
}

// bareIdentity takes away what a core writes into the URI of a number about
// who calls and how it was found (verstat, cpc, oli: TS 24.229 §7.2A; npdi, rn,
// isub: RFC 4694, RFC 3966): with it a Request-URI is nobody's identity any
// more, because registrars compare user parts whole. What makes the identity
// stays: phone-context of a local number, user=phone.
func bareIdentity(u uri, spec string, phone bool) string {
	if u.scheme == "tel" {
		number, params, more := strings.Cut(u.opaque, ";")
		if !more {
			return spec
		}
		if in, ok := param(params, "phone-context"); ok {
			number += ";phone-context=" + in
		}
		return "tel:" + number
	}
	user, _, noted := strings.Cut(u.user, ";")
	if !noted && (u.params == "" || phone && sameName(u.params, "user=phone")) {
		return spec
	}
	bare := u.scheme + ":" + user + "@" + u.host
	if u.port != 0 {
		bare += ":" + strconv.Itoa(u.port)
	}
	if phone {
		bare += ";user=phone"
	}
	return bare
}

// mendBrackets adds the bracket that some cores leave out of
// P-Associated-URI.
func mendBrackets(value string) string {
	value = strings.Trim(value, " \t")
	open, shut := strings.Contains(value, "<"), strings.Contains(value, ">")
	switch {
	case open && !shut:
		return value + ">"
	case shut && !open:
		return "<" + value
	}
	return value
}

// fromIMSI tells whether the user part is an IMSI: 15 digits in the home
// network domain that is made of it (TS 23.003 §13.2).
func fromIMSI(u uri) bool {
	host := strings.ToLower(u.host)
	return len(u.user) == 15 && strings.Trim(u.user, "0123456789") == "" &&
		strings.HasPrefix(host, "ims.mnc") && strings.HasSuffix(host, ".3gppnetwork.org")
}

// identities reads a header that lists public identities; what is none is
// passed over.
func identities(p *packet, name string) []imsIdentity {
	values, ok := p.list(name, maxAsserted)
	if !ok {
		return nil
	}
	var all []imsIdentity
	for _, v := range values {
		for _, one := range unmerged(v) {
			if id, ok := readIdentity(one); ok && len(all) < maxAsserted {
				all = append(all, id)
			}
		}
	}
	return all
}

// unmerged parts values that a missing ">" has made one: "<sip:a@h, <sip:b@h>".
func unmerged(value string) []string {
	if strings.Count(value, "<") < 2 || strings.ContainsRune(value, '"') {
		return []string{value}
	}
	return strings.Split(value, ",")
}

// asserted is who a request of the core is from.
type asserted struct {
	all  []imsIdentity // P-Asserted-Identity, else P-Served-User
	from message.Address
	key  string // of the number, or of the identity that has none
}

// assert reads who sent a request, as the core asserts it (RFC 3325 §9.1),
// never From: the first tel URI, else the first that is surely a number, else
// digits; P-Served-User where there is no P-Asserted-Identity (RFC 5502 §4.1). An
// identity made of an IMSI has the number that a REGISTER named with it. from
// is zero where there is no number; ok is false where there is nobody.
func (i *ims) assert(p *packet, link string) (who asserted, ok bool) {
	who.all = identities(p, "P-Asserted-Identity")
	if !anyNumber(who.all) {
		who.all = append(who.all, identities(p, "P-Served-User")...)
	}
	if len(who.all) == 0 {
		return who, false
	}
	best := -1
	for n, id := range who.all {
		if id.imsi || !id.to.IsNumber() {
			continue
		}
		if best < 0 || rankOf(id) > rankOf(who.all[best]) {
			best = n
		}
	}
	if best >= 0 {
		who.from, who.key = who.all[best].to, who.all[best].key
		who.from.Given = ""
		return who, true
	}
	who.key = who.all[0].key
	if row := i.people.Find(link, who.key); row != nil && row.Number() != "" {
		who.key = row.Number()
		who.from = message.Address{Value: "+" + who.key}
	}
	return who, true
}

func anyNumber(all []imsIdentity) bool {
	for _, id := range all {
		if id.to.IsNumber() && !id.imsi {
			return true
		}
	}
	return false
}

func rankOf(id imsIdentity) int {
	switch {
	case id.tel:
		return 2
	case id.sure:
		return 1
	}
	return 0
}

// keys are the identities of the user, the number first.
func (w *asserted) keys() []string {
	all := []string{w.key}
	for _, id := range w.all {
		if id.key != w.key {
			all = append(all, id.key)
		}
	}
	return all
}

// uri is where a report to the user goes: the SIP form, else the other.
func (w *asserted) uri() string {
	for _, id := range w.all {
		if !id.tel {
			return id.uri
		}
	}
	return w.all[0].uri
}

// keyOf is the identity under which a recipient is known.
func keyOf(to message.Address) string {
	if to.IsNumber() {
		return to.Digits()
	}
	return strings.ToLower(to.Value)
}

// uriFor is the Request-URI of a recipient: the SIP form that the core gave
// for the number, else any SIP form of the user, else one made of the number
// and the home domain (TS 24.341 annex B.6).
func (i *ims) uriFor(l *link, to message.Address, row *tenant.Subscriber) string {
	other := ""
	if row != nil {
		for _, u := range row.Public {
			id, ok := readIdentity(u)
			if !ok || id.tel {
				continue
			}
			if id.key == keyOf(to) {
				return u
			}
			if other == "" {
				other = u
			}
		}
	}
	if other != "" {
		return other
	}
	b := appendUser(append(make([]byte, 0, 64), "sip:"...), global(to))
	b = append(append(b, '@'), i.domain(l)...)
	if to.IsNumber() {
		b = append(b, ";user=phone"...)
	}
	return string(b)
}

// global writes a number as a core knows its subscribers, with "+", where
// nothing says that it is a national one (spec ims §4.1).
func global(to message.Address) string {
	if to.Form() == message.FormLocal && strings.Trim(to.Value, "0123456789") == "" && to.Value[0] != '0' && (!to.Typed || to.TON < 2) {
		return "+" + to.Value
	}
	return to.Value
}

// domain is the home domain of the subscribers of a link.
func (i *ims) domain(l *link) string {
	if l.core.cfg.Domain != "" {
		return l.core.cfg.Domain
	}
	return i.s.cfg.Domain
}

// identity is our own URI towards a core.
func (i *ims) identity(l *link) string {
	if l.core.cfg.Identity != "" {
		return l.core.cfg.Identity
	}
	return "sip:" + i.s.cfg.Domain
}
