package sip

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"smsc/message"
	"smsc/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// house is a server with everything around it scripted.
type house struct {
	*Server
	t    *testing.T
	door *door
	desk *desk
	dir  *tenant.Directory
}

// door is an Acceptor that keeps what it takes.
type door struct {
	mu    sync.Mutex
	mint  *message.Mint
	taken []*message.Message
	byRef map[string]message.ID
	say   func(*message.Message) error
	slow  chan struct{}
}

func (d *door) Accept(_ context.Context, ms ...*message.Message) []error {
	errs := make([]error, len(ms))
	d.mu.Lock()
	say, slow := d.say, d.slow
	d.mu.Unlock()
	for i, m := range ms {
		if say != nil {
			if errs[i] = say(m); errs[i] != nil {
				continue
			}
		}
		if slow != nil {
			<-slow
		}
		d.mu.Lock()
		if id, again := d.byRef[m.Origin.Ref]; again {
			m.ID = id
		} else {
			m.ID = d.mint.Next(time.Now())
			d.byRef[m.Origin.Ref] = m.ID
			d.taken = append(d.taken, m)
		}
		d.mu.Unlock()
	}
	return errs
}

// says makes the door refuse; nil: take everything.
func (d *door) says(f func(*message.Message) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.say = f
}

// hold makes the door wait until the returned function is called.
func (d *door) hold() (release func()) {
	c := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slow = c
	return sync.OnceFunc(func() { close(c) })
}

func (d *door) all() []*message.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*message.Message(nil), d.taken...)
}

// desk is Reporter, Ledger and Editor.
type desk struct {
	message.Ledger
	message.Editor
	mu        sync.Mutex
	news      []message.News
	woken     []string
	known     map[string]bool // remote ids that fit
	lanes     map[string]bool
	records   map[message.ID]message.Record
	wait      func(id message.ID) (message.Record, error)
	concluded chan message.Outcome
}

func (d *desk) Report(_ context.Context, news ...message.News) []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	errs := make([]error, len(news))
	for i, n := range news {
		d.news = append(d.news, n)
		errs[i] = message.ErrNotFound
		for _, id := range n.Remote {
			if d.known[id] {
				errs[i] = nil
			}
		}
	}
	return errs
}

// set changes what the desk knows.
func (d *desk) set(change func(*desk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *desk) Awake(_ context.Context, key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.woken = append(d.woken, key)
}

// heard returns the news so far.
func (d *desk) heard() []message.News {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]message.News(nil), d.news...)
}

// keys returns what was woken so far.
func (d *desk) keys() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.woken, " ")
}

func (d *desk) Link(name string, up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lanes[name] = up
}

func (d *desk) lane(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lanes[name]
}

func (d *desk) Find(_ context.Context, _ message.Reach, id message.ID) (message.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r, ok := d.records[id]; ok {
		return r, nil
	}
	return message.Record{}, message.ErrNotFound
}

func (d *desk) List(_ context.Context, q message.Query) ([]message.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []message.Record
	for _, r := range d.records {
		if q.Matches(r) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b message.Record) int { return cmp.Compare(b.Message.ID, a.Message.ID) })
	return all[:min(len(all), q.Limit)], nil
}

func (d *desk) Wait(ctx context.Context, _ message.Reach, id message.ID) (message.Record, error) {
	d.mu.Lock()
	wait := d.wait
	d.mu.Unlock()
	if wait != nil {
		return wait(id)
	}
	<-ctx.Done()
	return message.Record{}, ctx.Err()
}

func (d *desk) Conclude(_ context.Context, _ message.Reach, _ message.ID, _ string, o message.Outcome) error {
	d.concluded <- o
	return nil
}

// quick is a configuration that repeats itself soon, and waits for an answer
// as long as a test does: a peer that is slow today is not silent.
func quick() Config {
	return Config{
		Node: "smsc1", Domain: "smsc.test", Listen: []string{"udp:127.0.0.1:0", "tcp:127.0.0.1:0"},
		T1: 50 * time.Millisecond, Silence: patience, EndWait: patience,
	}
}

// hasty is one that takes a peer for silent after a while, for tests of that.
func hasty(silence time.Duration) Config {
	cfg := quick()
	cfg.Silence = silence
	return cfg
}

// open starts a house with these links (YAML of provision).
func open(t *testing.T, cfg Config, links string) *house {
	t.Helper()
	return openOver(t, cfg, links, &shelf{})
}

// shelf keeps registrations in memory.
type shelf struct {
	mu   sync.Mutex
	rows map[string][]byte
}

func (s *shelf) Set(_ context.Context, kind, key string, value []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = make(map[string][]byte)
	}
	s.rows[key] = value
	return nil
}

func (s *shelf) Get(context.Context, string, string) ([]byte, bool, error) { return nil, false, nil }
func (s *shelf) Delete(context.Context, string, string) error              { return nil }

func (s *shelf) Each(_ context.Context, _ string, f func(string, []byte) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.rows {
		if !f(k, v) {
			break
		}
	}
	return nil
}

// openOver starts a house whose registrations lie on a shelf.
func openOver(t *testing.T, cfg Config, links string, keep *shelf) *house {
	t.Helper()
	h := prepare(t, cfg, links, keep)
	h.serve()
	return h
}

// prepare builds a house that does not read yet.
func prepare(t *testing.T, cfg Config, links string, keep *shelf) *house {
	t.Helper()
	h := &house{t: t, dir: directory(t, links)}
	presence, err := tenant.OpenPresence(context.Background(), keep, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.door = &door{mint: message.NewMint(0), byRef: make(map[string]message.ID)}
	h.desk = &desk{
		known: make(map[string]bool), lanes: make(map[string]bool),
		records: make(map[message.ID]message.Record), concluded: make(chan message.Outcome, 10),
	}
	s, err := New(cfg, Deps{
		Acceptor: h.door, Reporter: h.desk, Ledger: h.desk, Editor: h.desk,
		Directory: func() *tenant.Directory { return h.dir }, Presence: presence,
	}, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h.Server = s
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	s.SetLinks(h.dir)
	return h
}

// serve begins to read.
func (h *house) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { _ = h.Serve(ctx); close(served) }()
	h.t.Cleanup(func() { cancel(); <-served; _ = h.Close() })
}

func directory(t testing.TB, links string) *tenant.Directory {
	t.Helper()
	doc, faults := tenant.ParseDocument("test.yaml", []byte(links))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d, err := tenant.NewDirectory(1, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// connect is a link that trusts loopback.
const connect = `
links:
  - {name: connect, kind: sip, uri: "sip:127.0.0.1:9;transport=udp", from: ["127.0.0.1/32"], keepalive: 0s}
`

func (h *house) udp() string { return strings.TrimPrefix(h.Addrs()[0], "udp:") }
func (h *house) tcp() string { return strings.TrimPrefix(h.Addrs()[1], "tcp:") }

// wire is one raw socket of a client.
type wire struct {
	net.Conn
	t   *testing.T
	buf []byte
}

func dial(t *testing.T, network, addr string) *wire {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &wire{Conn: c, t: t}
}

func (w *wire) send(octets string) {
	w.t.Helper()
	if _, err := w.Write([]byte(octets)); err != nil {
		w.t.Fatal(err)
	}
}

// hear reads one message; nil when none comes within wait.
func (w *wire) hear(wait time.Duration) []byte {
	w.t.Helper()
	end := time.Now().Add(wait)
	for {
		if n, _ := frame(w.buf); n > 0 {
			one := bytes.Clone(w.buf[:n])
			w.buf = w.buf[n:]
			if len(bytes.Trim(one, "\r\n")) > 0 {
				return one
			}
			continue
		}
		chunk := make([]byte, 65536)
		_ = w.SetReadDeadline(end)
		n, err := w.Read(chunk)
		if err != nil {
			return nil
		}
		w.buf = append(w.buf, chunk[:n]...)
	}
}

// answer sends octets and returns the answer; it fails where none comes.
func (w *wire) answer(octets string) *packet {
	w.t.Helper()
	w.send(octets)
	return w.read()
}

func (w *wire) read() *packet {
	w.t.Helper()
	raw := w.hear(patience)
	if raw == nil {
		w.t.Fatal("no answer")
	}
	p, err := parsePacket(raw)
	if err != nil {
		w.t.Fatalf("answer does not parse: %v\n%s", err, raw)
	}
	return p
}

var serial struct {
	sync.Mutex
	n int
}

func unique() int {
	serial.Lock()
	defer serial.Unlock()
	serial.n++
	return serial.n
}

// draft is a request before it is written; empty fields take what is usual.
type draft struct {
	method, target, version string
	via, from, to, callID   string
	cseq                    string
	headers                 []string // whole lines
	kind                    string   // Content-Type; "-" leaves it out
	body                    string
	length                  string // Content-Length; "-" leaves it out
}

func (d draft) String() string {
	n := unique()
	or := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	or(&d.method, "MESSAGE")
	or(&d.target, "sip:15551230001@smsc.test")
	or(&d.version, "SIP/2.0")
	or(&d.via, fmt.Sprintf("SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKtest%d;rport", n))
	or(&d.from, "<sip:15559870001@client.test>;tag=f1")
	or(&d.to, "<sip:15551230001@smsc.test>")
	or(&d.callID, fmt.Sprintf("call%d@client.test", n))
	or(&d.cseq, "1 "+d.method)
	or(&d.kind, "text/plain")
	or(&d.length, fmt.Sprint(len(d.body)))
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", d.method, d.target, d.version)
	line := func(name, v string) {
		if v != "-" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	line("Via", d.via)
	line("Max-Forwards", "70")
	line("From", d.from)
	line("To", d.to)
	line("Call-ID", d.callID)
	line("CSeq", d.cseq)
	for _, h := range d.headers {
		b.WriteString(h + "\r\n")
	}
	line("Content-Type", d.kind)
	line("Content-Length", d.length)
	return b.String() + "\r\n" + d.body
}
