package tenant

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"smsc/routing"
)

// reserved tells whether name is one of our own, built-in links.
func reserved(name string) bool { return name == "api" || name == "auto" || name == "callback" }

// checkLinks checks what all links have in common, then each by its kind.
func (c *checker) checkLinks() {
	seen := make(map[string]int)
	uniq := &uniques{systems: map[string]int{}, users: map[string]int{}, aors: map[string]int{}}
	for i := range c.doc.Links {
		l, at := &c.doc.Links[i], fmt.Sprintf("links[%d].", i)
		c.name(at+"name", l.Name)
		c.twice(at+"name", l.Name, "links", seen, i)
		if reserved(l.Name) {
			c.say(at+"name", "%s is a built-in link; choose another name", l.Name)
		}
		c.numbering(at+"numbering.", l.Numbering)
		c.translation(at+"rewrite_in.", l.RewriteIn)
		if c.accounts[l.Account] == nil {
			c.unknown(at+"account", "account", l.Account, c.accountNames())
		}
		switch {
		case l.Kind == "":
			c.say(at+"kind", "is missing or unknown: one of %s", kindList())
			continue
		case !slices.Contains(linkKinds, l.Kind):
			c.say(at+"kind", "%q is not one of %s", l.Kind, kindList())
			continue
		case l.settings() == nil && l.Kind != KindPoll:
			c.say(at+"kind", "has no settings of kind %s", l.Kind)
			continue
		}
		c.link(at, i, l, uniq)
	}
}

// translation checks lists of rewrites that are not routing's.
func (c *checker) translation(at string, t routing.Translation) {
	for _, faults := range [][]error{t.Plain(), second(t.Compile())} {
		for _, err := range faults {
			var f *routing.Fault
			if errors.As(err, &f) {
				c.say(at+f.Field, "%s", f.What)
			}
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

// uniques is what only one link may have.
type uniques struct{ systems, users, aors map[string]int }

func kindList() string {
	words := make([]string, len(linkKinds))
	for i, k := range linkKinds {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

func (c *checker) link(at string, i int, l *Link, u *uniques) {
	switch l.Kind {
	case KindSIP:
		c.sip(at, l.SIP)
		if l.SIP.User != "" {
			c.twice(at+"user", l.SIP.User, "links", u.users, i)
		}
	case KindIMS:
		c.ims(at, l.IMS, c.plan(l.Account))
	case KindSIPUsers:
		c.sipUsers(at, i, l, u)
	case KindESME:
		c.esme(at, l.ESME)
		c.twice(at+"system_id", l.ESME.SystemID, "links", u.systems, i)
	case KindCarrier:
		c.carrier(at, l.Carrier)
	case KindWebhook:
		c.webhook(at, l.Webhook)
	}
}

// sip checks a SIP peer. One without from and user is only a way out, and
// then needs to say where to (spec sip §3).
func (c *checker) sip(at string, s *SIP) {
	if s.URI != "" || len(s.From) == 0 && s.User == "" {
		c.sipURI(at+"uri", s.URI)
	}
	c.prefixes(at+"from", s.From)
	if s.User == "" && s.Password != "" {
		c.say(at+"password", "stands without a user")
	}
	oneOf(c, at+"dialect", s.Dialect, "restcomm", "cpim")
	oneOf(c, at+"long", s.Long, "join", "split")
	oneOf(c, at+"receipts", s.Receipts, "text", "imdn", "none")
	oneOf(c, at+"mode", s.Mode, "store", "transaction", "datagram")
	c.between(at+"window", s.Window, 1, maxWindow)
	c.atLeast(at+"throughput", s.Throughput, 0)
	c.limits(at+"limits.", s.Limits)
}

// maxWindow bounds what one link keeps in flight, and with it memory.
const maxWindow = 100_000

// ims checks an IMS core (spec ims, head and §2).
func (c *checker) ims(at string, s *IMS, plan *Numbering) {
	c.sipURI(at+"uri", s.URI)
	c.prefixes(at+"from", s.From)
	c.number(at+"smsc_address", &s.SMSCAddress, plan)
	for i, p := range s.Serves {
		digits := strings.TrimPrefix(strings.TrimSuffix(p, "*"), "+")
		if strings.Trim(digits, "0123456789") != "" || p == "" {
			c.say(fmt.Sprintf("%sserves[%d]", at, i), "%q is no number or prefix like 1555*", p)
		}
	}
	if s.Identity != "" {
		c.sipURI(at+"identity", s.Identity)
	}
	if s.ReportWait < Duration(time.Second) {
		c.say(at+"report_wait", "must be at least 1s")
	}
	c.between(at+"window", s.Window, 1, maxWindow)
	c.atLeast(at+"throughput", s.Throughput, 0)
}

// sipUsers checks those who register with us. An AOR names one user in the
// whole house: REGISTER does not say by which link it comes (spec sip §11).
func (c *checker) sipUsers(at string, i int, l *Link, u *uniques) {
	s := l.SIPUsers
	for k := range s.Users {
		user, at := &s.Users[k], fmt.Sprintf("%susers[%d].", at, k)
		c.name(at+"aor", user.AOR)
		if first, twice := u.aors[user.AOR]; twice {
			c.say(at+"aor", "%s is given twice: links[%d] has it too", user.AOR, first)
		}
		u.aors[user.AOR] = i
		if user.MSISDN != "" {
			c.number(at+"msisdn", &user.MSISDN, c.plan(l.Account))
		}
	}
	oneOf(c, at+"mode", s.Mode, "store", "transaction", "datagram")
	oneOf(c, at+"receipts", s.Receipts, "text", "imdn", "none")
	c.between(at+"window", s.Window, 1, maxWindow)
	c.atLeast(at+"throughput", s.Throughput, 0)
}

// webhook checks HTTP push (spec rest §7).
func (c *checker) webhook(at string, s *Webhook) {
	c.httpURL(at+"url", s.URL)
	if s.FailoverURL != "" {
		c.httpURL(at+"failover_url", s.FailoverURL)
	}
	if s.Timeout < Duration(time.Second) || s.Timeout > Duration(30*time.Second) {
		c.say(at+"timeout", "must be 1s to 30s")
	}
	c.between(at+"window", s.Window, 1, maxWindow)
	for i, e := range s.Events {
		oneOf(c, fmt.Sprintf("%sevents[%d]", at, i), e, "received", "status")
	}
}

func (c *checker) httpURL(path, s string) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		c.say(path, "is missing")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		// The address may hold a password: it is not repeated.
		c.say(path, "is no http or https URL")
	}
}

// sipURI checks a SIP or SIPS URI as we send to: a host, a port, a transport
// (RFC 3261 §19.1.1), no headers.
func (c *checker) sipURI(path, s string) {
	scheme, rest, _ := strings.Cut(s, ":")
	scheme = strings.ToLower(scheme)
	switch {
	case s == "":
		c.say(path, "is missing")
		return
	case scheme != "sip" && scheme != "sips":
		c.say(path, "%q does not begin with sip: or sips:", s)
		return
	case strings.ContainsAny(rest, "? <>\"\t\r\n"):
		c.say(path, "%q: headers, spaces and brackets have no place here", s)
		return
	}
	host, params, _ := strings.Cut(rest, ";")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if !validHost(host) {
		c.say(path, "%q has no host, or a port that is none", s)
	}
	for _, p := range strings.Split(params, ";") {
		k, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(k, "transport") {
			oneOf(c, path, strings.ToLower(v), "udp", "tcp", "tls", "ws", "wss")
		}
	}
}

// validHost tells whether s is where a SIP URI may point to: host, host:port, [v6] and [v6]:port.
func validHost(s string) bool {
	u, err := url.Parse("sip://" + s)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.User != nil || strings.HasSuffix(s, ":") {
		return false
	}
	var port uint16
	if p := u.Port(); p != "" {
		if _, err := fmt.Sscanf(p, "%d", &port); err != nil || port == 0 {
			return false
		}
	}
	return true
}
