package smpp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/tenant"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// door is the house behind the edge: it takes everything, unless told
// otherwise, and remembers it.
type door struct {
	mu      sync.Mutex
	mint    *message.Mint
	taken   []*message.Message
	batches []int
	news    []message.News
	links   map[string]bool
	woken   []string
	cancels []message.ID

	accept func(*message.Message) error
	report func(message.News) error
	wait   func(ctx context.Context, id message.ID) (message.Record, error)
	record map[message.ID]message.Record
	cancel func(id message.ID) error
}

func newDoor() *door {
	d := &door{mint: message.NewMint(0), links: make(map[string]bool), record: make(map[message.ID]message.Record)}
	d.wait = func(ctx context.Context, id message.ID) (message.Record, error) { return d.Find(ctx, nil, id) }
	return d
}

func (d *door) Accept(_ context.Context, ms ...*message.Message) []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches = append(d.batches, len(ms))
	errs := make([]error, len(ms))
	for i, m := range ms {
		if d.accept != nil {
			if errs[i] = d.accept(m); errs[i] != nil {
				continue
			}
		}
		m.ID = d.mint.Next(time.Now())
		d.taken = append(d.taken, m)
	}
	return errs
}

func (d *door) Report(_ context.Context, news ...message.News) []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	errs := make([]error, len(news))
	for i, n := range news {
		d.news = append(d.news, n)
		if d.report != nil {
			errs[i] = d.report(n)
		}
	}
	return errs
}

func (d *door) Awake(_ context.Context, key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.woken = append(d.woken, key)
}

func (d *door) Link(name string, up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.links[name] = up
}

func (d *door) Find(_ context.Context, _ message.Reach, id message.ID) (message.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r, ok := d.record[id]; ok {
		return r, nil
	}
	return message.Record{}, message.ErrNotFound
}

func (d *door) List(_ context.Context, q message.Query) (rs []message.Record, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.record {
		if q.Matches(r) {
			rs = append(rs, r)
		}
	}
	return rs, nil
}

func (d *door) Wait(ctx context.Context, _ message.Reach, id message.ID) (message.Record, error) {
	return d.wait(ctx, id)
}

func (d *door) Take(context.Context, string, int, time.Duration, func(message.Record) bool) ([]message.Record, error) {
	return nil, errors.New("not here")
}
func (d *door) Changed(string) <-chan struct{} { return nil }

func (d *door) Cancel(_ context.Context, _ message.Reach, id message.ID, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancels = append(d.cancels, id)
	if d.cancel != nil {
		return d.cancel(id)
	}
	return nil
}

func (d *door) Retry(context.Context, message.Reach, message.ID, string) error { return nil }

func (d *door) Edit(_ context.Context, _ message.Reach, id message.ID, _ string, change func(*message.Message) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return change(d.record[id].Message)
}

func (d *door) Conclude(context.Context, message.Reach, message.ID, string, message.Outcome) error {
	return nil
}

// messages returns what was taken so far.
func (d *door) messages() []*message.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*message.Message(nil), d.taken...)
}

func (d *door) up(link string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.links[link]
}

// shelf keeps the document of a test's catalog.
type shelf struct{ m sync.Map }

func (s *shelf) Set(_ context.Context, kind, key string, value []byte, _ time.Time) error {
	s.m.Store(kind+"/"+key, value)
	return nil
}

func (s *shelf) Get(_ context.Context, kind, key string) ([]byte, bool, error) {
	v, ok := s.m.Load(kind + "/" + key)
	if !ok {
		return nil, false, nil
	}
	return v.([]byte), true, nil
}

func (s *shelf) Delete(_ context.Context, kind, key string) error {
	s.m.Delete(kind + "/" + key)
	return nil
}

func (s *shelf) Each(_ context.Context, kind string, f func(string, []byte) bool) error {
	s.m.Range(func(k, v any) bool {
		key, ok := strings.CutPrefix(k.(string), kind+"/")
		return !ok || f(key, v.([]byte))
	})
	return nil
}

// house is an Edge with listeners and a catalog.
type house struct {
	*door
	edge    *Edge
	catalog *tenant.Catalog
	address string
}

const oneESME = `
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
`

func logger(testing.TB) zerolog.Logger {
	if os.Getenv("SMSC_TEST_LOG") == "" {
		return zerolog.Nop()
	}
	return zerolog.New(os.Stderr)
}

// open starts a house with that provision document.
func open(t testing.TB, document string, change ...func(*Config, *Deps)) *house {
	t.Helper()
	h := &house{door: newDoor()}
	var err error
	if h.catalog, err = tenant.Open(t.Context(), new(shelf), "", tenant.CatalogConfig{}, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Name: "smsc1", Listen: []string{"tcp:127.0.0.1:0"}, reconnect: 20 * time.Millisecond}
	deps := Deps{Acceptor: h.door, Reporter: h.door, Ledger: h.door, Editor: h.door, Directory: h.catalog.Directory,
		Shelf: new(shelf), Mint: h.door.mint}
	for _, f := range change {
		f(&cfg, &deps)
	}
	h.edge = New(cfg, deps, logger(t), nil)
	h.declare(t, document)
	if err := h.edge.Listen(); err != nil {
		t.Fatal(err)
	}
	h.address = h.edge.Addrs()[0].String()
	served := make(chan error, 1)
	go func() { served <- h.edge.Serve(context.Background()) }()
	t.Cleanup(func() {
		h.edge.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) declare(t testing.TB, document string) {
	t.Helper()
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(document))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if _, err := h.catalog.Apply(context.Background(), doc, tenant.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	h.edge.SetLinks(h.catalog.Directory())
}

// raw is a peer that says exactly what it is told.
type raw struct {
	t    testing.TB
	conn net.Conn
}

func (h *house) connect(t testing.TB) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &raw{t, conn}
}

func (r *raw) write(octets ...byte) {
	r.t.Helper()
	if _, err := r.conn.Write(octets); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) send(p pdu.PDU, seq uint32) {
	r.t.Helper()
	r.write(p.Append(nil, pdu.ROK, seq)...)
}

// frame reads one whole PDU; false at the end of the connection.
func (r *raw) frame() ([]byte, bool) {
	r.t.Helper()
	_ = r.conn.SetReadDeadline(time.Now().Add(patience))
	head := make([]byte, 4)
	if _, err := io.ReadFull(r.conn, head); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			r.t.Fatal("the server is silent")
		}
		return nil, false
	}
	frame := make([]byte, binary.BigEndian.Uint32(head))
	copy(frame, head)
	if _, err := io.ReadFull(r.conn, frame[4:]); err != nil {
		return nil, false
	}
	return frame, true
}

// want reads one PDU and checks its header.
func (r *raw) want(c pdu.Command, s pdu.Status, seq uint32) (pdu.Header, pdu.PDU) {
	r.t.Helper()
	frame, ok := r.frame()
	if !ok {
		r.t.Fatalf("connection ended, want %s %s", c, s)
	}
	h, p, err := pdu.Parse(frame)
	if err != nil {
		r.t.Fatal(err)
	}
	if h.Command != c || h.Status != s || h.Sequence != seq {
		r.t.Fatalf("got %s %s seq %d, want %s %s seq %d", h.Command, h.Status, h.Sequence, c, s, seq)
	}
	return h, p
}

// wantEnd checks that nothing comes any more.
func (r *raw) wantEnd() {
	r.t.Helper()
	if frame, ok := r.frame(); ok {
		h, _ := pdu.ParseHeader(frame)
		r.t.Fatalf("got %s %s, want the end of the connection", h.Command, h.Status)
	}
}

func bindPDU(c pdu.Command, user, password string, version uint8) *pdu.Bind {
	return &pdu.Bind{Cmd: c, SystemID: []byte(user), Password: []byte(password), InterfaceVersion: version}
}

// bound connects and binds as esme1, and waits until its line can use the
// session: that is after the answer.
func (h *house) bound(t testing.TB, c pdu.Command) *raw {
	t.Helper()
	r := h.connect(t)
	r.send(bindPDU(c, "esme1", "pw1", 0x34), 1)
	r.want(c.Answer(), pdu.ROK, 1)
	l := h.edge.line("esme1")
	soon(t, "the session is in use", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for s := range l.sessions {
			if s.Peer().String() == r.conn.LocalAddr().String() && !s.added {
				return false
			}
		}
		return true
	})
	return r
}

func hello() *pdu.SM {
	return &pdu.SM{
		Cmd: pdu.SubmitSM, Source: pdu.Address{TON: 5, Addr: []byte("Shop")},
		Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")}, ShortMessage: []byte("hello"),
	}
}

// soon waits until ok holds.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
