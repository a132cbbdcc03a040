package tenant

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"smsc/message"
)

// maxName is the longest name of anything declared (spec rest §6).
const maxName = 64

// name checks what everything declared is called by.
func (c *checker) name(path, name string) {
	switch {
	case name == "":
		c.say(path, "is missing")
	case len(name) > maxName:
		c.say(path, "is longer than %d characters", maxName)
	default:
		for _, r := range name {
			if !wordRune(r) && !strings.ContainsRune("._@-", r) {
				c.say(path, "%q: a name is made of letters A to Z, digits and . _ @ -", name)
				return
			}
		}
	}
}

func wordRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func validSID(s string) bool {
	hex, ok := strings.CutPrefix(s, "AC")
	return ok && len(hex) == 32 && strings.Trim(hex, "0123456789abcdef") == ""
}

// number brings a number into normal form: "+" and digits, or a short code or
// national number as it is.
func (c *checker) number(path string, s *string, plan *Numbering) {
	if *s == "" {
		c.say(path, "is missing")
		return
	}
	n := plan.normal(*s)
	if a := (message.Address{Value: n}); !a.IsNumber() || len(n) > 21 {
		c.say(path, "%q is not a number: digits, with + before a country code", *s)
		return
	}
	*s = n
}

// normal returns the normal form of a declared number (spec routing §7).
// Digits without any mark are international where they are longer than a
// short code and no plan says otherwise.
func (n *Numbering) normal(s string) string {
	s = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "").Replace(s)
	plan := Numbering{ShortMax: 6, Bare: "international", International: []string{"00"}}
	if n != nil {
		plan = *n
	}
	if strings.HasPrefix(s, "+") || strings.Trim(s, "0123456789") != "" {
		return s
	}
	for _, p := range plan.International {
		if t, ok := strings.CutPrefix(s, p); ok && p != "" {
			return "+" + t
		}
	}
	if t, ok := strings.CutPrefix(s, plan.Trunk); ok && plan.Trunk != "" && plan.Country != "" && len(s) > plan.ShortMax {
		return "+" + plan.Country + t
	}
	switch {
	case len(s) <= plan.ShortMax || strings.HasPrefix(s, "0"):
		return s
	case plan.Bare != "national":
		return "+" + s
	case plan.Country != "":
		return "+" + plan.Country + s
	}
	return s
}

func (c *checker) numbering(at string, n *Numbering) {
	if n == nil {
		return
	}
	if strings.Trim(n.Country, "0123456789") != "" || len(n.Country) > 3 || strings.HasPrefix(n.Country, "0") {
		c.say(at+"country", "%q is not a country code of 1 to 3 digits", n.Country)
	}
	if strings.Trim(n.Trunk, "0123456789") != "" {
		c.say(at+"trunk", "%q is not digits", n.Trunk)
	}
	for i, p := range n.International {
		if p == "" || strings.Trim(p, "+0123456789") != "" {
			c.say(fmt.Sprintf("%sinternational[%d]", at, i), "%q is not what a number can start with", p)
		}
	}
	if n.ShortMax < 0 || n.ShortMax > 15 {
		c.say(at+"short_max", "must be 0 to 15")
	}
	oneOf(c, at+"bare", n.Bare, "international", "national")
	if n.Bare == "national" && n.Country == "" {
		c.say(at+"bare", "national needs a country")
	}
}

// senders checks the allowed sources and brings their numbers into the form
// that senders are compared in.
func (c *checker) senders(at string, a *Account) {
	for i, s := range a.Senders {
		path := fmt.Sprintf("%ssenders[%d]", at, i)
		p := strings.TrimSuffix(s, "*")
		switch {
		case s == "":
			c.say(path, "is empty; leave the list empty to allow any sender")
		case strings.Contains(p, "*"):
			c.say(path, "%q: * may stand only at the end", s)
		case len(p) > message.MaxAddress:
			c.say(path, "is longer than %d characters", message.MaxAddress)
		case strings.HasPrefix(p, "00"):
			a.Senders[i] = "+" + strings.TrimPrefix(s, "00")
		}
	}
}

func (c *checker) limits(at string, l Limits) {
	c.atLeast(at+"per_second", l.PerSecond, 0)
	c.atLeast(at+"per_minute", l.PerMinute, 0)
	c.atLeast(at+"per_hour", l.PerHour, 0)
	c.atLeast(at+"per_day", l.PerDay, 0)
	c.atLeast(at+"backlog", l.Backlog, 0)
}

func (c *checker) atLeast(path string, n, least int) {
	c.between(path, n, least, 1<<31-1)
}

func (c *checker) between(path string, n, least, most int) {
	switch {
	case n < least && least == 0:
		c.say(path, "must not be negative")
	case n < least:
		c.say(path, "must be at least %d", least)
	case n > most:
		c.say(path, "must be at most %d", most)
	}
}

// prefixes checks address ranges. They are trust in an address, so a wide one
// is a mistake unless the operator says that it is not.
func (c *checker) prefixes(at string, list []string) {
	for i, s := range list {
		path := fmt.Sprintf("%s[%d]", at, i)
		p, err := ParsePrefix(s)
		least := 8
		if p.Addr().Is6() {
			least = 32
		}
		switch {
		case err != nil:
			c.say(path, "%q is no address or range like 192.0.2.0/24", s)
		case p.Bits() < least && !c.insecure:
			c.say(path, "%s is wider than /%d: it would trust too many strangers (insecure: true in smsc.yaml allows it)", s, least)
		}
	}
}

// ParsePrefix reads an address range, or an address as the range of itself
// alone. An IPv4 address in IPv6 clothes is taken as the IPv4 one.
func ParsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// hostPort checks where we connect to.
func (c *checker) hostPort(path, s string) {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, " /@") {
		c.say(path, "%q is no host:port", s)
	}
}
