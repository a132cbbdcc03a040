package sip

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// PeerConfig describes a [Peer].
type PeerConfig struct {
	// Listen is where the peer's own socket stands: "udp:127.0.0.1:0" or
	// "tcp:127.0.0.1:0". Its transport is that of what is sent.
	Listen string
	// Remote is where Send goes, "127.0.0.1:5060"; "" for a peer that only listens.
	Remote string
	// User and Password answer a challenge; "" if there is none to expect.
	User, Password string
	// Window is how many requests may be without an answer; 0 is 64.
	Window int
	// Handle answers MESSAGEs that come in, on any goroutine; nil answers 200.
	Handle func(PeerMessage) PeerAnswer
	// T1 as in Config; 0 is 500 ms.
	T1 time.Duration
}

// PeerMessage is a MESSAGE as a simulated handset sees it.
type PeerMessage struct {
	From, To    string // user parts: numbers or names; in what is sent also whole URIs
	ContentType string // "" is text/plain;charset=UTF-8
	Body        []byte
	Headers     []Field // others, in order; in what is sent: the X-headers
	CallID      string  // "" in what is sent: a new one

	// Method and Target, the Request-URI, of what is sent: "" is MESSAGE, and
	// what To says.
	Method, Target string
}

// Get returns the first header of that name, "" if there is none.
func (m PeerMessage) Get(name string) string { return fieldOf(m.Headers, name) }

// PeerAnswer is a final answer, or that none came.
type PeerAnswer struct {
	Status  int // 0: none came, Err says why
	Reason  string
	Headers []Field
	Err     error
	// Latency is from the first octet sent to the answer read.
	Latency time.Duration
	// Silent, from Handle: send no answer at all.
	Silent bool
}

// Get returns the first header of that name, "" if there is none.
func (a PeerAnswer) Get(name string) string { return fieldOf(a.Headers, name) }

// Field is one header field.
type Field struct{ Name, Value string }

func fieldOf(fields []Field, name string) string {
	for _, f := range fields {
		if sameName(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Peer is a simulated SIP peer: a handset, a client under load. It sends
// MESSAGEs within a window and answers those it gets. It is safe for
// concurrent use.
type Peer struct {
	cfg    PeerConfig
	end    *endpoint
	remote netip.AddrPort
	tcp    bool
	window chan struct{}
	proof  credential
	domain string

	registers  sync.Mutex
	registerID string // Call-ID of every REGISTER
	registered int    // CSeq of the last
}

// NewPeer opens the peer's socket and begins to read.
func NewPeer(cfg PeerConfig) (*Peer, error) {
	entry, err := parseListener(cfg.Listen)
	if err != nil {
		return nil, err
	}
	p := &Peer{cfg: cfg, tcp: entry.transport == transportTCP}
	if cfg.Remote != "" {
		if p.remote, err = netip.ParseAddrPort(cfg.Remote); err != nil {
			return nil, err
		}
	}
	if cfg.Window <= 0 {
		cfg.Window = 64
	}
	p.window = make(chan struct{}, cfg.Window)
	p.proof.user, p.proof.password = cfg.User, cfg.Password
	c := Config{Node: "peer", T1: cfg.T1}.defaults()
	p.end = newEndpoint(c, zerolog.Nop())
	p.end.handle = p.receive
	if err := p.end.listen([]string{cfg.Listen}); err != nil {
		return nil, err
	}
	p.domain = p.Addr()
	p.end.start()
	return p, nil
}

// Addr returns where the peer listens, "127.0.0.1:40000".
func (p *Peer) Addr() string {
	_, addr, _ := strings.Cut(p.end.addrs()[0], ":")
	return addr
}

// Close ends the peer at once.
func (p *Peer) Close() error {
	p.end.drop()
	return nil
}

// Send sends one MESSAGE and calls done with its final answer, on the
// goroutine that read it. It blocks while the window is full. The error says
// that nothing was sent; done is then not called.
func (p *Peer) Send(ctx context.Context, m PeerMessage, done func(PeerAnswer)) error {
	r := peerRequest{PeerMessage: m, method: "MESSAGE", cseq: 1, from: peerURI(m.From, p.domain), to: peerURI(m.To, p.remote.String())}
	if r.target = r.to; m.Target != "" {
		r.target = m.Target
	}
	if m.Method != "" {
		r.method = m.Method
	}
	return p.send(ctx, r, done)
}

// peerURI returns a URI as it is, and that of a user at a host.
func peerURI(given, host string) string {
	if strings.HasPrefix(given, "sip:") || strings.HasPrefix(given, "tel:") {
		return given
	}
	return "sip:" + string(appendUser(nil, given)) + "@" + host
}

func (p *Peer) send(ctx context.Context, m peerRequest, done func(PeerAnswer)) error {
	select {
	case p.window <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	finish := func(a PeerAnswer) {
		<-p.window
		done(a)
	}
	if !p.tcp {
		f := flow{transport: transportUDP, peer: p.remote, socket: p.end.socketFor(p.remote.Addr())}
		p.start(f, m, finish)
		return nil
	}
	p.end.connect(place{transport: transportTCP, addr: p.remote}, func(s *stream, err error) {
		if err != nil {
			finish(PeerAnswer{Err: errors.Join(errUnsent, err)})
			return
		}
		p.start(flow{transport: transportTCP, peer: p.remote, stream: s}, m, finish)
	})
	return nil
}

// Login sets what answers a challenge from now on.
func (p *Peer) Login(user, password string) {
	p.proof.mu.Lock()
	defer p.proof.mu.Unlock()
	p.proof.user, p.proof.password, p.proof.have = user, password, false
}

// Register binds the peer's socket to an address of record for so many
// seconds, 0 takes the binding away, and returns the final answer.
func (p *Peer) Register(ctx context.Context, aor string, expires int) PeerAnswer {
	home := hostOf(p.remote.Addr())
	p.registers.Lock()
	if p.registerID == "" {
		p.registerID = p.end.clients.newBranch()[len(cookie):] + "@" + p.domain
	}
	p.registered += 10 // one attempt may need two numbers
	d := peerRequest{method: "REGISTER", target: "sip:" + home, cseq: p.registered, PeerMessage: PeerMessage{From: aor, CallID: p.registerID}}
	p.registers.Unlock()
	d.from = "sip:" + string(appendUser(nil, aor)) + "@" + home
	d.to = d.from
	contact := "<sip:" + string(appendUser(nil, aor)) + "@" + p.domain
	if p.tcp {
		contact += ";transport=tcp"
	}
	d.Headers = []Field{{"Contact", contact + ">;expires=" + strconv.Itoa(expires)}}
	answers := make(chan PeerAnswer, 1)
	if err := p.send(ctx, d, func(a PeerAnswer) { answers <- a }); err != nil {
		return PeerAnswer{Err: err}
	}
	select {
	case a := <-answers:
		return a
	case <-ctx.Done():
		return PeerAnswer{Err: ctx.Err()}
	}
}

// peerRequest is a request of the peer.
type peerRequest struct {
	PeerMessage
	method, target string
	from, to       string
	cseq           int
	proofs         int
}

// Do sends one MESSAGE and returns its final answer.
func (p *Peer) Do(ctx context.Context, m PeerMessage) PeerAnswer {
	answers := make(chan PeerAnswer, 1)
	if err := p.Send(ctx, m, func(a PeerAnswer) { answers <- a }); err != nil {
		return PeerAnswer{Err: err}
	}
	select {
	case a := <-answers:
		return a
	case <-ctx.Done():
		return PeerAnswer{Err: ctx.Err()}
	}
}

// start sends a request; a challenge is answered once.
func (p *Peer) start(f flow, m peerRequest, done func(PeerAnswer)) {
	branch := p.end.clients.newBranch()
	if m.CallID == "" {
		m.CallID = branch[len(cookie):] + "@" + p.domain
	}
	began := time.Now()
	p.end.clients.start(&transaction{
		branch: branch, octets: p.request(f, m, branch), flow: f,
		done: func(r *packet, err error) {
			if err != nil {
				done(PeerAnswer{Err: err, Latency: time.Since(began)})
				return
			}
			if (r.status == 401 || r.status == 407) && m.proofs == 0 {
				if _, ok := p.proof.learn(r); ok {
					m.proofs++
					m.cseq++
					p.start(f, m, done)
					return
				}
			}
			done(PeerAnswer{Status: r.status, Reason: r.reason, Headers: fields(r), Latency: time.Since(began)})
		},
	})
}

func (p *Peer) request(f flow, m peerRequest, branch string) []byte {
	local := p.domain
	if f.stream != nil {
		local = f.stream.local.String()
	}
	b := make([]byte, 0, 512+len(m.Body))
	b = append(append(append(append(b, m.method...), ' '), m.target...), " SIP/2.0\r\n"...)
	b = append(append(b, "Via: SIP/2.0/"...), f.transport.String()...)
	b = append(append(append(b, ' '), local...), ";branch="...)
	b = append(append(b, branch...), ";rport\r\nMax-Forwards: 70\r\nFrom: <"...)
	b = append(append(append(b, m.from...), ">;tag="...), tagFor(m.CallID)...)
	b = append(append(append(b, "\r\nTo: <"...), m.to...), ">\r\n"...)
	b = appendField(b, "Call-ID", m.CallID)
	b = appendField(b, "CSeq", strconv.Itoa(m.cseq)+" "+m.method)
	if h, ok := p.proof.authorise(m.method, m.target); ok {
		b = appendField(b, h.name, h.value)
	}
	for _, h := range m.Headers {
		b = appendField(b, h.Name, h.Value)
	}
	kind := m.ContentType
	if m.method != "MESSAGE" && len(m.Body) == 0 {
		return append(b, "Content-Length: 0\r\n\r\n"...)
	}
	if kind == "" {
		kind = typeText + ";charset=UTF-8"
	}
	b = appendField(b, "Content-Type", kind)
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(m.Body)), 10)
	return append(append(b, "\r\n\r\n"...), m.Body...)
}

// receive answers what comes in: MESSAGE by Handle, OPTIONS with 200.
func (p *Peer) receive(x *exchange) {
	switch {
	case x.method == "ACK":
	case x.method != "MESSAGE" || p.cfg.Handle == nil:
		x.answer(response{status: 200})
	default:
		a := p.cfg.Handle(PeerMessage{
			From: userOf(x.get("From")), To: userOf("<" + x.target + ">"),
			ContentType: x.get("Content-Type"), Body: x.body, Headers: fields(x.packet), CallID: x.get("Call-ID"),
		})
		if a.Silent {
			return
		}
		r := response{status: a.Status, reason: a.Reason}
		for _, h := range a.Headers {
			r = r.with(h.Name, h.Value)
		}
		x.answer(r)
	}
}

// userOf returns the user part of a name-addr, unescaped.
func userOf(value string) string {
	u, _, err := nameAddr(value)
	if err != nil {
		return ""
	}
	user, _ := unescape(u.user)
	return user
}

func fields(p *packet) []Field {
	all := make([]Field, len(p.headers))
	for i, h := range p.headers {
		all[i] = Field{h.name, h.value}
	}
	return all
}
