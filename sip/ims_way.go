package sip

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"smsc/capture"
	"smsc/tenant"
)

// hop is one way to a subscriber: where the request is sent, and the Route
// that says so.
type hop struct {
	at    place
	route string  // value of Route, "" for none
	open  *stream // the connection that leads there, nil where none is known
}

// same tells whether two ways end at the same server.
func (h hop) same(o hop) bool { return h.at.addr == o.at.addr && h.at.transport == o.at.transport }

// wayOf returns the S-CSCF of a row: its address, and its URI in the Route.
// An address that the link does not trust is never used.
func (l *link) wayOf(row *tenant.Subscriber) *hop {
	if row == nil || row.Place == "" {
		return nil
	}
	word, addr, _ := strings.Cut(row.Place, " ")
	by, ok := parseTransport(word)
	at, err := netip.ParseAddrPort(addr)
	if !ok || err != nil || !l.trusts(at.Addr()) {
		return nil
	}
	return &hop{at: place{transport: by, addr: at}, route: looseRoute(row.SCSCF)}
}

// wayBack returns the way to the server that sent a request: the sent-by of
// its Via where that is an address of the core, else the source (spec ims
// §7.3). The port that a connection came from is nobody's to call: the one of
// sent-by is, and the connection itself while it lasts (RFC 3261 §18.2.2).
func (l *link) wayBack(x *exchange) *hop {
	h := &hop{at: place{transport: x.flow.transport, addr: x.flow.peer}}
	a, err := netip.ParseAddr(strings.Trim(x.via.host, "[]"))
	known := err == nil && l.trusts(a)
	if !known && x.flow.stream != nil {
		a, h.open = h.at.addr.Addr(), x.flow.stream
	}
	if known || h.open != nil {
		port := x.via.port
		if port == 0 {
			port = h.at.transport.port()
		}
		h.at.addr = netip.AddrPortFrom(a.Unmap(), uint16(port))
	}
	uri := "sip:" + h.at.addr.String()
	if h.at.transport != transportUDP {
		uri += ";transport=" + strings.ToLower(h.at.transport.String())
	}
	h.route = looseRoute(uri)
	return h
}

// looseRoute writes a URI as Route, with lr.
func looseRoute(uri string) string {
	u, err := parseURI(uri)
	if err != nil {
		return ""
	}
	if _, loose := param(u.params, "lr"); !loose {
		uri += ";lr"
	}
	return "<" + uri + ">"
}

// ways gives ready the ways to a subscriber in their order: first, if there
// is one, then the places of the link's uri.
func (i *ims) ways(l *link, first *hop, ready func([]hop, error)) {
	i.s.places(l, func(places []place, err error) {
		var all []hop
		if first != nil {
			all = append(all, *first)
		}
		for _, at := range places {
			h := hop{at: at, route: l.core.route}
			if first == nil || !first.same(h) {
				all = append(all, h)
			}
		}
		if len(all) > 0 {
			err = nil
		}
		ready(all, err)
	})
}

// errand is one request of ours to a core, by one way and then perhaps by the
// other.
type errand struct {
	i      *ims
	l      *link
	method string
	write  func(b []byte, cseq int) []byte // what follows Route: headers and body
	target string
	ways   []hop
	first  bool // ways[0] is the server that is known to lead there
	at     int
	cseq   int
	wait   time.Duration // for the answer of each; 0: timer F
	tap    capture.Tap

	// again tells whether the other way is worth a try after an answer, or
	// after none (nil).
	again func(p *packet, err error) bool
	// done hears the last answer, or why there is none, once.
	done func(p *packet, err error)
	// late hears an answer after the silence; may be nil.
	late func(p *packet)
}

// send sends the request by the way whose turn it is.
func (e *errand) send() {
	if e.at >= len(e.ways) {
		e.done(nil, errors.Join(errUnsent, errNoFlow))
		return
	}
	e.cseq++
	to := e.ways[e.at].at
	if to.transport != transportUDP {
		e.byStream(to, e.ways[e.at].open)
		return
	}
	f := flow{transport: transportUDP, peer: to.addr, socket: e.i.s.end.socketFor(to.addr.Addr())}
	if f.socket == nil {
		e.heard(nil, errors.Join(errUnsent, errNoFlow))
		return
	}
	branch := e.i.s.end.clients.newBranch()
	octets := e.request(f, branch)
	if len(octets) <= maxUDP {
		e.start(f, branch, octets)
		return
	}
	e.i.s.end.connect(place{transport: transportTCP, addr: to.addr}, func(st *stream, err error) {
		if err == nil {
			g := flow{transport: transportTCP, peer: to.addr, stream: st}
			e.start(g, branch, e.request(g, branch))
			return
		}
		e.start(f, branch, octets) // the network of a core carries what is larger, too
	})
}

// byStream sends by the connection that leads there, or by a new one.
func (e *errand) byStream(to place, st *stream) {
	if st == nil || st.over() {
		st = e.i.s.end.streamTo(to.transport, to.addr)
	}
	if st != nil {
		f := flow{transport: to.transport, peer: to.addr, stream: st}
		branch := e.i.s.end.clients.newBranch()
		e.start(f, branch, e.request(f, branch))
		return
	}
	e.i.s.end.connect(to, func(st *stream, err error) {
		if err != nil {
			e.heard(nil, errors.Join(errUnsent, err))
			return
		}
		f := flow{transport: to.transport, peer: to.addr, stream: st}
		branch := e.i.s.end.clients.newBranch()
		e.start(f, branch, e.request(f, branch))
	})
}

func (e *errand) request(f flow, branch string) []byte {
	b := make([]byte, 0, 1024)
	b = append(append(append(append(b, e.method...), ' '), e.target...), " SIP/2.0\r\n"...)
	b = e.i.s.appendVia(b, f, branch)
	b = append(b, "Max-Forwards: 70\r\n"...)
	if route := e.ways[e.at].route; route != "" {
		b = appendField(b, "Route", route)
	}
	return e.write(b, e.cseq)
}

func (e *errand) start(f flow, branch string, octets []byte) {
	e.l.counters.out.Add(1)
	e.i.s.meters.request(e.l.name, "out", e.method)
	e.tap.Sent("", octets)
	t := &transaction{branch: branch, octets: octets, flow: f, done: e.heard, late: e.late}
	if e.wait > 0 {
		t.deadline = time.Now().Add(e.wait)
	}
	e.i.s.end.clients.start(t)
}

// heard reads what came of one way, and tries the other where that is right:
// at once where nothing was sent or the server is busy, else as again says.
func (e *errand) heard(p *packet, err error) {
	switch {
	case p != nil:
		e.tap.Heard("", p.octets)
		e.l.answered(time.Now())
		e.i.s.meters.response(e.l.name, "in", p.status)
	case errors.Is(err, errUnsent):
		e.l.note(err.Error())
	default:
		e.l.note(err.Error())
		e.l.counters.silent.Add(1)
		e.i.s.meters.response(e.l.name, "in", 0)
	}
	elsewhere := e.at+1 < len(e.ways)
	untaken := err != nil && errors.Is(err, errUnsent) || p != nil && p.status == 503
	if elsewhere && (untaken || e.first && e.at == 0 && e.again(p, err)) {
		e.at++
		e.send()
		return
	}
	e.done(p, err)
}
