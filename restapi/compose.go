package restapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// readMessage turns the body of a request into a message for the door.
func (c *call) readMessage(data []byte) (*message.Message, error) {
	d := draft{strict: c.strict()}
	if err := d.read(data, false); err != nil {
		return nil, refuse("malformed", err.Error())
	}
	d.required()
	d.check(c.start)
	if err := d.refusal(); err != nil {
		return nil, err
	}
	body, err := d.bodyOf()
	if err == nil {
		err = d.checkGroup(body)
	}
	if err != nil {
		return nil, err
	}
	account, ok := c.account(d.account)
	if !ok {
		return nil, invalid("body.account", "is no account within reach")
	}
	m := d.message(body)
	m.Account = account
	m.Origin.User, m.Origin.Peer = c.id.Name, c.r.RemoteAddr
	return m, c.checkWays(&d, m)
}

// required finds the members that are missing, or are there and say nothing.
// One whose value was refused has its fault already.
func (d *draft) required() {
	for _, m := range [...]struct{ name, value string }{
		{"source_msisdn", d.from}, {"destination_msisdn", d.to}, {"message_body", ""}, {"source_smsc", d.source},
	} {
		refused := slices.ContainsFunc(d.faults, func(f fault) bool { return f.location == "body."+m.name })
		switch {
		case refused:
		case !d.set[m.name]:
			d.fault(m.name, "is required")
		case m.value == "" && m.name != "message_body":
			d.fault(m.name, "must not be empty")
		}
	}
}

// check finds what is wrong between the members.
func (d *draft) check(now time.Time) {
	if what := senderFault(d.from); d.from != "" && what != "" {
		d.fault("source_msisdn", what)
	}
	if d.callback != "" {
		if what := checkCallback(d.callback); what != "" {
			d.fault("status_callback", what)
		}
	}
	if d.strict && !d.expires.IsZero() && d.expires.Before(now) {
		d.fault("expires", "lies in the past")
	}
	if !d.after.IsZero() && !d.expires.IsZero() && !d.after.Before(d.expires) {
		d.fault("deliver_after", "must lie before expires")
	}
	if d.raw && d.rawSIP {
		d.fault("raw_sip_flag", "excludes raw_data_flag")
	}
}

// senderFault tells what keeps s from being a sender: a number, a short code,
// or 1 to 11 GSM-7 characters with a letter.
func senderFault(s string) string {
	number := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -().", r) {
			return -1
		}
		return r
	}, s)
	if (message.Address{Value: number}).IsNumber() {
		return ""
	}
	runes, letter := 0, false
	for _, r := range s {
		runes++
		letter = letter || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f
	}
	if !letter || runes > 11 || !translate.FitsGSM7(s) {
		return "must be a number, a short code, or 1 to 11 GSM-7 characters with a letter"
	}
	return ""
}

// message makes the message that d asks for. Account and User are the
// caller's to fill in.
func (d *draft) message(body message.Body) *message.Message {
	m := &message.Message{
		Kind: message.KindMessage, Body: body, Dest: d.dest, Wants: wantsOf(d.report),
		From:     addressOf(d.from, d.fromTON, d.fromNPI, d.set["source_ton"] || d.set["source_npi"]),
		To:       addressOf(d.to, d.toTON, d.toNPI, d.set["dest_ton"] || d.set["dest_npi"]),
		Origin:   message.Origin{Link: d.source, Type: message.SourceHTTP, Handle: d.clientRef},
		Priority: d.priority, NotBefore: d.after, Expires: d.expires,
	}
	d.extras(m)
	if d.deadletter {
		m.Extra = with(m.Extra, message.ExtraParked, "1")
	}
	if d.replace {
		m.Extra = with(m.Extra, extraReplace, "1")
	}
	if d.callback != "" {
		jsonCallback(m, d.callback)
	}
	return m
}

// extras notes what no other word holds.
func (d *draft) extras(m *message.Message) {
	put := func(key, v string) {
		if v != "" {
			m.Extra = with(m.Extra, key, v)
		}
	}
	flag := func(key string, set bool) {
		if set {
			m.Extra = with(m.Extra, key, "1")
		}
	}
	put(extraCharset, d.charset)
	put(extraGroup, d.group)
	flag(extraRaw, d.raw)
	flag(extraRawSIP, d.rawSIP)
	put(extraFromIMSI, d.fromIMSI)
	put(extraToIMSI, d.toIMSI)
	put(extraPID, pidText(d.pid))
	if d.replyPath {
		put(extraESMClass, replyPath)
	}
}

// pidText is a protocol identifier as Extra holds it; the default, 0, is left
// out.
func pidText(pid uint8) string {
	if pid == 0 {
		return ""
	}
	return strconv.Itoa(int(pid))
}

// with returns m with one more entry.
func with(m map[string]string, key, v string) map[string]string {
	if m == nil {
		m = make(map[string]string, 2)
	}
	m[key] = v
	return m
}

// addressOf is an address before the door brought it into its normal form.
func addressOf(given string, ton, npi uint8, typed bool) message.Address {
	return message.Address{Value: given, Given: given, TON: ton, NPI: npi, Typed: typed}
}

func wantsOf(report string) message.Wants {
	switch report {
	case "final":
		return message.WantFinal
	case "failure":
		return message.WantFailure
	case "success":
		return message.WantSuccess
	case "all":
		return message.WantFinal | message.WantIntermediate
	}
	return message.WantNone
}

// checkWays sees to it that nobody speaks or sends in the name of a link out
// of reach (spec rest §2.1, §2.3).
func (c *call) checkWays(d *draft, m *message.Message) error {
	if l := c.dir.Link(d.source); l != nil {
		if !c.dir.Within(l.Account, c.id.Account) {
			return refuse("foreign_link", "source_smsc names a link of somebody else")
		}
		if l.Kind == tenant.KindPoll {
			m.Origin.Type = sourceOf(d.sourceType)
		}
	}
	if c.id.Account == tenant.Operator {
		m.Origin.Type = sourceOf(d.sourceType)
	}
	l := c.dir.Link(m.Dest)
	if c.strict() && m.Dest != "" && l == nil {
		return invalid("body.dest_smsc", "names no declared link")
	}
	return c.checkRawSIP(m)
}

// checkRawSIP keeps a body that goes on unread to those who ask for one: a
// caller must not write SIP requests of ours.
func (c *call) checkRawSIP(m *message.Message) error {
	if m.Extra[extraRawSIP] == "" {
		return nil
	}
	l := c.dir.Link(m.Dest)
	if m.Dest == "" || l != nil && l.Kind != tenant.KindPoll && l.Kind != tenant.KindWebhook {
		return refuse("unsupported_content", "raw_sip_flag needs a poll or webhook link in dest_smsc")
	}
	return nil
}

func sourceOf(word string) message.Source {
	for s := message.SourceSIP; s <= message.SourceCS; s++ {
		if s.String() == word {
			return s
		}
	}
	return message.SourceHTTP
}
