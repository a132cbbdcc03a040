package sip

import (
	"net/netip"
	"strconv"
	"strings"

	"smsc/tenant"
)

// sameURI compares two URIs as RFC 3261 §19.1.4 does: user with case, host
// without; a port that is not given differs from every one that is; of the
// parameters transport, user, ttl, method and maddr must be the same, others
// where both have them.
func sameURI(a, b string) bool {
	u, err := parseURI(a)
	v, err2 := parseURI(b)
	if err != nil || err2 != nil || u.scheme != v.scheme || !strings.EqualFold(u.host, v.host) || u.port != v.port {
		return false
	}
	name, ok := unescape(u.user)
	other, ok2 := unescape(v.user)
	if !ok || !ok2 || name != other || u.opaque != v.opaque {
		return false
	}
	return sameParams(u.params, v.params) && sameParams(v.params, u.params)
}

// sameParams tells whether nothing in a contradicts b.
func sameParams(a, b string) bool {
	for a != "" {
		var one string
		one, a = cutParam(a)
		key, _, _ := strings.Cut(one, "=")
		key = strings.Trim(key, " \t")
		mine, _ := param(one, key)
		theirs, has := param(b, key)
		switch strings.ToLower(key) {
		case "transport", "user", "ttl", "method", "maddr":
			if !has || !strings.EqualFold(mine, theirs) {
				return false
			}
		default:
			if has && !strings.EqualFold(mine, theirs) {
				return false
			}
		}
	}
	return true
}

// contact is a binding as a delivery uses it.
type contact struct {
	binding tenant.Binding
	to      string // the AOR
	routes  string // Route, "" if none
	flow    flow   // the way that is open; else
	at      place  // where to go
}

// contactOf finds the way to a device; false if there is none now: its
// connection is gone.
func (s *Server) contactOf(aor string, b tenant.Binding) (*contact, bool) {
	c := &contact{binding: b, to: "sip:" + string(appendUser(nil, aor)) + "@" + s.cfg.Domain}
	for i, p := range b.Path {
		if i > 0 {
			c.routes += ", "
		}
		c.routes += "<" + p + ">"
	}
	by, ok := parseTransport(b.Transport)
	if !ok {
		return nil, false
	}
	if by == transportUDP && (b.ByFlow || len(b.Path) == 0 && !dialable(b.Contact)) {
		c.flow = flow{transport: by, peer: b.Source, socket: s.end.socketAt(b.Local, b.Source.Addr())}
		return c, c.flow.socket != nil
	}
	if by != transportUDP {
		if st := s.end.streamTo(by, b.Source); st != nil {
			c.flow = flow{transport: by, peer: b.Source, stream: st}
			return c, true
		}
		if b.ByFlow {
			return nil, false
		}
	}
	next := b.Contact
	if len(b.Path) > 0 {
		next = b.Path[0] // RFC 3327 §5.3: the first Route is the next hop
	}
	c.at, ok = placeOf(next, by)
	return c, ok
}

// placeOf reads the address out of a URI. Names are not resolved: nobody who
// registers makes us ask others (spec sip §13).
func placeOf(s string, came transport) (place, bool) {
	u, err := parseURI(s)
	if err != nil {
		return place{}, false
	}
	a, err := netip.ParseAddr(strings.Trim(u.host, "[]"))
	if err != nil {
		return place{}, false
	}
	p := place{transport: came}
	if word, ok := param(u.params, "transport"); ok {
		if p.transport, ok = parseTransport(word); !ok {
			return place{}, false
		}
	}
	if p.transport.web() || p.transport.secure() || u.scheme != "sip" {
		return place{}, false // only its own connection leads there
	}
	port := u.port
	if port == 0 {
		port = p.transport.port()
	}
	p.addr = netip.AddrPortFrom(a.Unmap(), uint16(port))
	return p, true
}

func dialable(uri string) bool {
	_, ok := placeOf(uri, transportUDP)
	return ok
}

// behindNAT tells whether a device can be reached only by the way its
// REGISTER came (RFC 5626 §5.3, spec sip §11).
func behindNAT(x *exchange, contactURI string) bool {
	by, source := x.flow.transport, x.flow.peer
	if by.secure() || by.web() {
		return true
	}
	at, ok := placeOf(contactURI, by)
	if !ok || at.addr.Addr() != source.Addr() || at.transport == transportUDP && by == transportUDP && at.addr != source {
		return true
	}
	sentBy, err := netip.ParseAddr(strings.Trim(x.via.host, "[]"))
	if err != nil || sentBy.Unmap() != source.Addr() {
		return true
	}
	port := x.via.port
	if port == 0 {
		port = 5060
	}
	return by == transportUDP && port != int(source.Port())
}

// contactField writes a binding as a 200 to REGISTER shows it.
func contactField(b *tenant.Binding, left int) string {
	v := "<" + b.Contact + ">;expires=" + strconv.Itoa(left)
	if b.Q != 1000 {
		v += ";q=0." + strings.TrimRight(strconv.Itoa(1000 + b.Q)[1:], "0")
		v = strings.TrimSuffix(v, ".")
	}
	if b.Instance != "" {
		v += `;+sip.instance=` + quoted(b.Instance)
	}
	if b.RegID > 0 {
		v += ";reg-id=" + strconv.Itoa(b.RegID)
	}
	return v
}
