package sip

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// Bounds of what a core says (spec ims §3.1).
const (
	leastRPDU = 2 // type and reference: enough to be answered by the RP layer
	mostRPDU  = 1000

	acceptedIMS = typeRPDU + ", text/plain, message/cpim"
)

// storeWait is how long the store may take before the core is told to come
// again: some wait 5 s for an application server, and no longer.
const storeWait = 4 * time.Second

// ims is the part of the SIP edge that is IP-SM-GW and service centre towards
// IMS cores (TS 24.341): what its links share.
type ims struct {
	s       *Server
	people  *tenant.Subscribers
	shelf   tenant.Shelf
	agenda  *agenda
	relays  *relays
	wakes   wakes
	missed  missed
	began   time.Time
	repeats repeats
	clock   deadline
	meters  *imsMeters
	watches watches
}

func newIMS(s *Server, reg prometheus.Registerer) (*ims, error) {
	i := &ims{s: s, people: s.deps.Subscribers, shelf: s.deps.Shelf, agenda: newAgenda(), relays: newRelays(), began: time.Now()}
	i.clock.wait = storeWait
	if i.shelf == nil {
		i.shelf = noShelf{}
	}
	if i.people == nil {
		i.people, _ = tenant.OpenSubscribers(context.Background(), noShelf{}, nil)
	}
	var err error
	i.meters, err = newIMSMeters(reg, s)
	return i, err
}

// noShelf is the shelf of a house that keeps nothing.
type noShelf struct{}

func (noShelf) Set(context.Context, string, string, []byte, time.Time) error            { return nil }
func (noShelf) Get(context.Context, string, string) ([]byte, bool, error)               { return nil, false, nil }
func (noShelf) Delete(context.Context, string, string) error                            { return nil }
func (noShelf) Each(context.Context, string, func(key string, value []byte) bool) error { return nil }

// message answers a MESSAGE from a core. What is wrong with SIP is answered
// by SIP; from the reference of the RPDU on, everything is 202 and an RP
// report: a 4xx would hide the reference from the phone (spec ims §3.1).
func (i *ims) message(x *exchange, l *link) {
	x.link = l.name
	kind, _ := mediaType(x.get("Content-Type"))
	if kind != typeRPDU && len(x.body) > 0 {
		i.other(x, l, kind)
		return
	}
	if f := checkRequire(x.packet); f != nil {
		x.answer(f.answer(i.s.cfg.Node))
		return
	}
	octets, f := rpduOctets(x.packet)
	if f != nil {
		x.answer(f.answer(i.s.cfg.Node))
		return
	}
	p, err := translate.ParseRPDU(octets)
	i.meters.rpdu(l.name, "in", p.Type)
	if _, ours := readPartName(x.get("Call-ID")); ours && p.Type == translate.RPDataMT || i.s.isLoop(x.hops) {
		x.answer(response{status: 482})
		return
	}
	who, ok := i.assert(x.packet, l.name)
	if !ok && p.Type != translate.RPAckMO && p.Type != translate.RPErrorMO {
		x.answer(refuse(403, "nobody is asserted as the sender").answer(i.s.cfg.Node))
		return
	}
	r := &request{exchange: x, l: l, who: who, rp: p}
	switch {
	case err == nil && (p.Type == translate.RPAckMO || p.Type == translate.RPErrorMO):
		i.reported(r)
	case p.Type == translate.RPAckMO || p.Type == translate.RPErrorMO:
		// A report that cannot be read: the transaction runs on.
		x.answer(refuse(400, "the RPDU cannot be read").answer(i.s.cfg.Node))
	case err != nil:
		i.refuse(r, err)
	case p.Type == translate.RPDataMO:
		i.submitted(r)
	case p.Type == translate.RPSMMA:
		i.memoryAvailable(r)
	default:
		i.refuse(r, &translate.RPError{Cause: translate.RPTypeNotImplemented, Text: "not a message of a phone"})
	}
}

// request is an RPDU from a phone.
type request struct {
	*exchange
	l   *link
	who asserted
	rp  translate.RPDU
}

// refuse answers 202 and an RP-ERROR.
func (i *ims) refuse(r *request, err error) {
	r.answer(response{status: 202})
	i.answerRP(r, i.refusal(r, err))
}

// rpduOctets returns the body, decoded where it had to be.
func rpduOctets(p *packet) ([]byte, *fault) {
	octets := p.body
	switch enc := strings.ToLower(strings.TrimSpace(p.get("Content-Transfer-Encoding"))); enc {
	case "", "binary", "8bit":
	case "base64":
		plain := strings.Join(strings.Fields(string(octets)), "")
		var err error
		if octets, err = base64.StdEncoding.DecodeString(plain); err != nil {
			return nil, refuse(400, "body is not base64")
		}
	default:
		return nil, unsupportedIMS("Content-Transfer-Encoding %s is not served", shown(enc))
	}
	if enc := strings.ToLower(strings.TrimSpace(p.get("Content-Encoding"))); enc != "" && enc != "identity" {
		return nil, unsupportedIMS("Content-Encoding %s is not served", shown(enc))
	}
	switch {
	case len(octets) < leastRPDU:
		return nil, refuse(400, "body is no RPDU")
	case len(octets) > mostRPDU:
		return nil, refuse(413, "body is larger than %d octets", mostRPDU)
	}
	return octets, nil
}

func unsupportedIMS(format string, args ...any) *fault {
	return refuse(415, format, args...).with("Accept", acceptedIMS).with("Accept-Encoding", "identity")
}

// other answers text, which a core carries as any SIP peer does (spec ims
// §10): the sender is who the core asserts, the recipient the Request-URI.
func (i *ims) other(x *exchange, l *link, kind string) {
	switch kind {
	case typeText, typeCPIM, typeIMDN:
	default:
		x.answer(unsupportedIMS("%s is not served", shown(kind)).answer(i.s.cfg.Node))
		return
	}
	if i.s.active(x, l) {
		i.s.take(x, l, "")
	}
}

// sender is who a text of a core is from.
func (i *ims) sender(x *exchange, l *link) (message.Address, *fault) {
	who, ok := i.assert(x.packet, l.name)
	if !ok || who.from.IsZero() {
		return message.Address{}, refuse(403, "nobody is asserted as the sender")
	}
	return who.from, nil
}

// mayFinish tells whether a request is still served while the house closes:
// the report that a transaction of ours waits for.
func (i *ims) mayFinish(x *exchange, l *link) bool {
	return l != nil && l.core != nil && x.method == "MESSAGE" && imsContent(x.packet) && len(x.body) >= leastRPDU &&
		(x.body[0]&7 == uint8(translate.RPAckMO) || x.body[0]&7 == uint8(translate.RPErrorMO))
}

// unstored tells whether the house could not keep a message in time.
func unstored(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
