// Package restapi is the HTTP edge: the queue API of /api/messages, polling,
// receipts, the declared objects, health and documentation. It turns requests
// into the words of package message and back, and knows who may ask for what.
//
// It refuses to keep messages, to retry them, or to decide where they go:
// those rights are the store's, delivery's and routing's, and reach it through
// the ports in [Deps].
package restapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/capture"
	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
)

// Shelf keeps small records with a lifetime, durably.  [store.Store]
type Shelf interface {
	Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error
	Get(ctx context.Context, kind, key string) ([]byte, bool, error)
	Delete(ctx context.Context, kind, key string) error
	Each(ctx context.Context, kind string, f func(key string, value []byte) bool) error
}

// Deps are the rooms behind the edge. Acceptor, Ledger, Editor, Shelf and
// Directory are needed; the rest may be nil.
type Deps struct {
	Operation // what operators look at

	Acceptor  message.Acceptor
	Ledger    message.Ledger
	Editor    message.Editor
	Shelf     Shelf
	Directory func() *tenant.Directory
	Catalog   *tenant.Catalog // nil: no /api/provision

	// Plan says where a message goes; nil asks the table of Directory.
	Plan func(*message.Message) routing.Plan
	// Facts is what explanations hang on beside the table; nil: nobody is
	// registered or located.
	Facts func() routing.Facts
	// Links returns the live state of every link; nil: none is shown.
	Links func() []LinkState
	// Gate pauses, resumes and rebinds links; nil: those paths do not exist.
	Gate Gate
	// Backlog counts the messages without an end, of an account and of all;
	// nil: it is not shown.
	Backlog func(account string) (own, total int)
	// Replay has the receipts that again makes told about a message that was
	// accepted. [delivery.Engine]
	Replay func(ctx context.Context, reach message.Reach, id message.ID, who string, again func(message.Record) []*message.Message) error
	// Price tells what a message would cost, given what its route says of
	// charging; nil: nothing costs.
	Price func(m *message.Message, charged string) message.Amount
	// Transport carries the calls to URLs of others; nil: the network.
	Transport http.RoundTripper
	// Awake makes what waits on a key due now and returns how many; nil: it
	// waits for its time.
	Awake func(ctx context.Context, key string) int
	// Seen tells when a user that registers was last heard; nil: nobody is.
	Seen func(user string) time.Time
	// Ready names what a reply depends on and how it fares ("ok", or what is
	// wrong), and tells whether requests can be served; nil is always ready.
	Ready func() (checks map[string]string, ok bool)
	// Captured keeps the octets of what messages come and go in; nil: nobody.
	Captured *capture.Ring
	// Metrics serves /metrics; nil: the path does not exist.
	Metrics http.Handler
	// Panel serves the pages for people, at every path that is not for
	// programs; nil: there are none.
	Panel http.Handler
}

// Server serves HTTP. It is safe for concurrent use.
type Server struct {
	cfg       Config
	deps      Deps
	log       zerolog.Logger
	count     *counters
	mux       *http.ServeMux
	http      *http.Server
	sids      *sidCipher
	wrong     *wrongKeys
	waits     *waits
	keys      *keyLocks
	owners    ownersCache
	document  document
	events    *events
	caller    *caller
	sheets    map[string]*sheet
	keeping   sync.Mutex // see call.keep
	frontends frontends
	closings  closings
	notified  atomic.Uint64       // notifications written
	gather    prometheus.Gatherer // what the house counts; nil: it is not told
	operator  operator

	hidden   atomic.Bool // something was ever deleted from reading
	started  time.Time
	draining atomic.Bool
	stop     chan struct{} // closed when draining: long polls end
	stopOnce sync.Once
}

// New returns a server that listens nowhere yet. It reads the key of the sids
// and makes it at the first start; its error is the shelf's.
func New(cfg Config, deps Deps, log zerolog.Logger, reg prometheus.Registerer) (*Server, error) {
	cfg = cfg.withDefaults()
	if deps.Plan == nil {
		deps.Plan = func(m *message.Message) routing.Plan { return deps.Directory().Table().Plan(m) }
	}
	s := &Server{
		cfg: cfg, deps: deps, log: log,
		count:    newCounters(reg),
		mux:      http.NewServeMux(),
		wrong:    newWrongKeys(cfg.MaxWrong),
		waits:    newWaits(cfg.MaxWaits, cfg.MaxWaitsEach),
		keys:     newKeyLocks(),
		gather:   gatherer(reg),
		events:   newEvents(),
		sheets:   newSheets(),
		operator: newOperator(),
		caller:   newCaller(cfg.Version, deps.Transport),
		started:  time.Now(),
		stop:     make(chan struct{}),
	}
	s.caller.count = s.count.webhook
	s.countFrontends(reg)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var err error
	if s.sids, err = openSIDs(ctx, deps.Shelf); err != nil {
		return nil, err
	}
	if err = s.loadHidden(ctx); err != nil {
		return nil, err
	}
	if err = s.sheets["locations"].load(ctx, deps.Shelf, keyOf); err != nil {
		return nil, err
	}
	if err = s.mount(s.routes()); err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: cfg.HeaderWait,
		WriteTimeout:      cfg.WriteWait, // a request that waits extends it
		IdleTimeout:       cfg.IdleWait,
		MaxHeaderBytes:    32 << 10,
		// What net/http has to say is about broken peers.
		ErrorLog: quietLog(log),
	}
	return s, nil
}

// shelfTime bounds one look at the shelf that no request waits for.
func (s *Server) shelfTime() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Second)
}

// Handler returns the whole surface as one handler.
func (s *Server) Handler() http.Handler { return s }

// Serve answers requests from l until Drain or Close; it may be called for
// several listeners. It returns nil after either.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Drain stops accepting: readiness fails, new messages are refused with 503,
// long polls end, and requests under way are waited for until ctx ends.
func (s *Server) Drain(ctx context.Context) error {
	s.draining.Store(true)
	s.stopOnce.Do(func() { close(s.stop) })
	return s.http.Shutdown(ctx)
}

// Close cuts every connection.
func (s *Server) Close() error {
	s.draining.Store(true)
	s.stopOnce.Do(func() { close(s.stop) })
	return s.http.Close()
}
