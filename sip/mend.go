package sip

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/translate"
)

// mend reacts to an answer within the attempt: a challenge, a redirection, a
// message that is too long in one piece (RFC 3261 §8.1.3.5).
func (d *delivery) mend(p *packet) bool {
	switch {
	case p.status == 401 || p.status == 407:
		if d.proofs >= 2 {
			return false
		}
		stale, ok := d.l.proof.learn(p)
		if !ok || d.proofs == 1 && !stale {
			return false
		}
		d.proofs++
		d.cseq++
	case p.status/100 == 3 && d.c != nil:
		return false // a phone does not send us elsewhere
	case p.status/100 == 3:
		d.redirect(p)
		if !d.turn() {
			return false
		}
		d.cseq++
	case p.status == 406 || p.status == 415 || p.status == 488:
		if !d.otherForm(p) {
			return false
		}
		d.cseq++
	case (p.status == 413 || p.status == 513) && !d.split && p.get("Retry-After") == "":
		if n, err := translate.CountParts(d.a.Message.Body); err != nil || n < 2 || d.a.Message.Kind == message.KindReceipt {
			return false
		}
		d.split = true
		d.cut()
		return true
	case p.status/100 == 6 || !d.turn(): // a 6xx speaks for all of them
		return false
	default:
		d.cseq++
	}
	d.send()
	return true
}

// turn goes on to the next target that a redirection named: five at most.
func (d *delivery) turn() bool {
	if len(d.others) == 0 || d.turned >= maxTurns {
		return false
	}
	d.turned++
	d.target, d.others = d.others[0], d.others[1:]
	return true
}

// redirect puts the usable Contacts of a 3xx before what else may be tried,
// the highest q first (RFC 3261 §8.1.3.4): only the peer's own host or an
// address that the link trusts, never elsewhere.
func (d *delivery) redirect(p *packet) {
	type choice struct {
		u uri
		q float64
	}
	var all []choice
	contacts, _ := p.list("Contact", maxContacts)
	for _, one := range contacts {
		u, params, err := nameAddr(one)
		if err != nil || u.scheme != "sip" || !d.mayTurnTo(u) {
			continue
		}
		q := 1.0
		if v, ok := param(params, "q"); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		all = append(all, choice{u, q})
	}
	slices.SortStableFunc(all, func(a, b choice) int { return cmp.Compare(b.q, a.q) })
	targets := make([]uri, 0, len(all)+len(d.others))
	for _, c := range all {
		targets = append(targets, c.u)
	}
	d.others = append(targets, d.others...)
}

func (d *delivery) mayTurnTo(u uri) bool {
	if v, ok := param(u.params, "transport"); ok && !sameName(v, d.l.peer.transport.String()) {
		return false
	}
	if strings.EqualFold(u.host, d.l.peer.host) {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(u.host, "[]"))
	if err != nil {
		return false
	}
	for _, p := range d.l.from {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// redirectedTo is where a redirected request goes instead of to the peer's
// place.
func (d *delivery) redirectedTo(to place) place {
	port := d.target.port
	if port == 0 {
		port = to.transport.port()
	}
	a, err := netip.ParseAddr(strings.Trim(d.target.host, "[]"))
	if err != nil { // the peer's own host name
		a = to.addr.Addr()
	}
	to.addr = netip.AddrPortFrom(a.Unmap(), uint16(port))
	return to
}
