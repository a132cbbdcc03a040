package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"smsc/capture"
	"smsc/charging/postgres"
	"smsc/delivery"
	"smsc/intake"
	"smsc/message"
	"smsc/restapi"
	"smsc/routing"
	"smsc/sip"
	"smsc/smpp"
	"smsc/store"
	"smsc/tenant"
	"smsc/web"
)

// drainTime is how long what is in flight may take to finish on stop.
const drainTime = 35 * time.Second

// house is the whole server: every part by name. openHouse builds it from
// the bottom up, close takes it down from the top.
type house struct {
	cfg  config
	log  zerolog.Logger
	logs *restapi.Logs // may be nil
	reg  *meters
	key  string // the operator's

	store    *store.Store
	catalog  *tenant.Catalog
	presence *tenant.Presence
	asks     asks
	// subscribers is what links of kind ims know of the users of their cores.
	subscribers *tenant.Subscribers
	located     atomic.Pointer[restapi.Server] // knows where numbers are; nil before it is open
	mint        *message.Mint
	captured    *capture.Ring // the last octets of every edge
	engine      *delivery.Engine
	intake      *intake.Intake
	gate        *gate    // before the intake
	watched     *watched // the store, as the movers see it
	charger     *charger // asks the charging server; nil: there is none
	sip         *sip.Server
	smpp        *smpp.Edge
	rest        *restapi.Server
	https       []net.Listener

	// directory is the snapshot in force, for the journal: it writes what an
	// earlier run left before the catalog is open.
	directory atomic.Pointer[tenant.Directory]
	// export carries records into a database; nil: into none. The journal asks
	// it which files may go.
	export atomic.Pointer[postgres.Exporter]

	suspended suspensions // whose traffic is held back

	stop     context.CancelFunc // ends what start began
	draining atomic.Bool
	running  sync.WaitGroup
	failed   chan error // a part that ended by itself
}

// openHouse builds every part and opens every listener. doc is applied when
// nothing was ever declared; nil applies nothing. Nothing moves until start.
// logs holds what log said last; nil shows nothing of it.
func openHouse(cfg config, doc *tenant.Document, log zerolog.Logger, logs *restapi.Logs) (*house, error) {
	h := &house{cfg: cfg, log: log, logs: logs, reg: newRegistry(), failed: make(chan error, 4), stop: func() {}}
	h.asks = h.newAsks()
	if err := h.build(doc); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *house) build(doc *tenant.Document) error {
	for _, step := range []func() error{h.openStore, h.openMovers, h.openEdges, func() error { return h.declare(doc) },
		func() error { return h.intake.Resume(context.Background()) }} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// openStore opens the memory of the house and what is declared in it.
func (h *house) openStore() (err error) {
	if h.key, err = operatorKey(h.cfg); err != nil {
		return err
	}
	if h.store, err = store.Open(h.storeConfig(), h.log, h.reg); err != nil {
		return fmt.Errorf("data folder %s: %w", h.cfg.Data, err)
	}
	if err = h.openExport(); err != nil {
		return err
	}
	return h.openTenants()
}

// openMovers builds the door and the engine.
func (h *house) openMovers() error {
	h.mint = message.NewMint(h.store.LastID())
	table := func() *routing.Table { return h.catalog.Directory().Table() }
	h.watched = newWatched(h.store, &h.located)
	h.engine = delivery.New(h.cfg.Delivery, h.watched, h.store, table, h.mint, h.log, h.reg)
	h.intake = intake.New(intake.Config{
		DefaultValidity: h.cfg.Delivery.Validity.Default,
		MaxValidity:     h.cfg.Delivery.Validity.Max,
		Charged:         bool(h.cfg.Charging.Default),
	}, h.watched, h.catalog.Directory, h.mint, h.log, h.reg)
	h.intake.Know(h.facts)
	h.engine.Know(h.facts)
	h.engine.Suspend(h.held)
	h.engine.Release(h.intake.Release)
	h.engine.Holds(h.onDisk)
	h.keepRecords()
	if err := h.openCharging(); err != nil {
		return err
	}
	var err error
	h.gate, err = newGate(h.intake, h.store, h.engine, h.log)
	return err
}

// openEdges builds the edges and opens their listeners.
func (h *house) openEdges() (err error) {
	secure, err := h.cfg.TLS.load()
	if err != nil {
		return err
	}
	h.captured = capture.New(capture.MaxHops)
	h.sip, err = sip.New(sip.Config{
		Node: h.cfg.Name, Domain: h.cfg.SIP.Domain, Advertise: h.cfg.SIP.Advertise, Digest: h.cfg.SIP.Digest,
		Listen: spell(h.cfg.Listen.SIP), TLS: secure, Volatile: h.cfg.Data == memory,
	}, sip.Deps{Acceptor: h.gate, Reporter: herald{h.engine, h}, Ledger: h.store.Ledger(), Editor: h.engine, Directory: h.catalog.Directory, Presence: h.presence, Hops: h.hops,
		Subscribers: h.subscribers, Shelf: h.store, Captured: h.captured}, h.log, h.reg)
	if err != nil {
		return err
	}
	h.smpp = smpp.New(smpp.Config{
		Name: h.cfg.Name, Listen: spell(h.cfg.Listen.SMPP), TLS: secure, MaxValidity: h.cfg.Delivery.Validity.Max,
	}, smpp.Deps{
		Acceptor: h.gate, Door: h.intake.Doorkeeper(), Reporter: herald{h.engine, h}, Ledger: h.store.Ledger(), Editor: h.engine, Directory: h.catalog.Directory,
		Shelf: h.store, Mint: h.mint, Waiting: h.waiting, Ready: h.store.Ready, Bound: h.bound, Captured: h.captured,
	}, h.log, h.reg)
	h.gate.rebind = h.smpp.Rebind
	panel, err := web.Handler()
	if err != nil {
		return err
	}
	h.rest, err = restapi.New(restapi.Config{
		Name: h.cfg.Name, Version: version, Memory: h.cfg.Data == memory, Exposed: exposed(h.cfg.Listen.HTTP), Retention: time.Duration(h.cfg.Store.Retention),
	}, restapi.Deps{
		Operation: h.operation(),
		Acceptor:  h.gate, Ledger: h.store.Ledger(), Editor: h.engine, Shelf: h.store, Directory: h.catalog.Directory,
		Catalog: h.catalog, Gate: h.gate, Awake: h.wake, Replay: h.engine.Replay, Price: h.intake.Price, Seen: h.presence.Seen, Plan: h.plan, Facts: h.facts, Backlog: h.store.Backlog, Links: h.linkStates, Ready: h.ready, Metrics: metricsHandler(h.reg), Panel: panel, Captured: h.captured,
	}, h.log, h.reg)
	if err != nil {
		return err
	}
	h.located.Store(h.rest)
	h.gate.limits.tell = h.rest.LimitReached
	h.gate.hear(h.rest.LinkResumed)
	return h.listen(secure)
}

// exposed tells whether somebody else than this machine can reach a listener.
func exposed(list []listener) bool {
	return slices.ContainsFunc(list, func(l listener) bool { return !l.loopback() })
}

// listen opens every listener, so that a busy port is known before anything
// moves.
func (h *house) listen(secure *tls.Config) error {
	if err := h.sip.Listen(); err != nil {
		return busy("listen.sip", err)
	}
	if err := h.smpp.Listen(); err != nil {
		return busy("listen.smpp", err)
	}
	for _, l := range h.cfg.Listen.HTTP {
		ln, err := net.Listen("tcp", l.address)
		if err != nil {
			return busy("listen.http", err)
		}
		if l.transport == "https" {
			ln = tls.NewListener(ln, secure)
		}
		h.https = append(h.https, ln)
	}
	return nil
}

// declare applies the document of the first start and hands the snapshot in
// force, and each later one, to who needs it.
func (h *house) declare(doc *tenant.Document) error {
	if doc != nil && h.catalog.Empty() {
		change, err := h.catalog.Apply(context.Background(), *doc, tenant.ApplyOptions{Who: "provision"})
		if err != nil {
			return fmt.Errorf("provision: %w", err)
		}
		for _, w := range change.Warnings {
			h.log.Warn().Msg(w)
		}
	}
	h.catalog.Subscribe(func(d *tenant.Directory) {
		h.directory.Store(d)
		h.engine.SetLanes(h.lanes(d))
		h.openURLs(d)
		h.rest.Declared(d)
		h.resume(d)
		h.sip.SetLinks(d)
		h.smpp.SetLinks(d)
		h.engine.Replan()
		giveBack(d)
	})
	return nil
}

// start sets everything going.
func (h *house) start() {
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	h.showReady()
	attended := h.attend()
	h.spawn("delivery", func() error { return h.engine.Run(ctx) })
	h.spawn("sip", func() error { return h.sip.Serve(ctx) })
	h.spawn("events", func() error { return h.watched.run(ctx) })
	h.spawn("statistics", func() error { return h.rest.Run(ctx) })
	h.spawn("registrations", func() error { return attended(ctx) })
	h.spawn("presence", func() error { return h.presence.Run(ctx) })
	h.spawn("subscribers", func() error { return h.subscribers.Run(ctx) })
	if export := h.export.Load(); export != nil {
		h.spawn("cdr export", func() error { return export.Run(ctx) })
	}
	h.spawn("smpp", func() error { return h.smpp.Serve(ctx) })
	for _, ln := range h.https {
		h.spawn("http", func() error { return h.rest.Serve(ln) })
	}
}

func (h *house) spawn(part string, f func() error) {
	h.running.Go(func() {
		if err := f(); err != nil && !errors.Is(err, context.Canceled) {
			h.log.Error().Str("part", part).Err(err).Msg("ended by itself")
			select {
			case h.failed <- fmt.Errorf("%s: %w", part, err):
			default:
			}
		}
	})
}

// drain finishes what is in flight: nothing new is accepted, the lanes empty
// their windows, sessions are unbound.
func (h *house) drain(ctx context.Context) {
	h.draining.Store(true)
	var wg sync.WaitGroup
	for part, f := range map[string]func() error{
		"http": func() error { return h.rest.Drain(ctx) },
		"sip":  func() error { return h.sip.Drain(ctx) },
		"smpp": func() error { h.smpp.Drain(ctx); return nil },
		"delivery": func() error {
			return h.engine.Drain(ctx)
		},
	} {
		wg.Go(func() {
			if err := f(); err != nil {
				h.log.Warn().Str("part", part).Err(err).Msg("not everything in flight finished in time")
			}
		})
	}
	wg.Wait()
}

// close takes down what was built, from the top.
func (h *house) close() error {
	h.stop()
	if h.gate != nil {
		h.gate.close()
	}
	if h.rest != nil {
		_ = h.rest.Close()
	}
	for _, ln := range h.https {
		_ = ln.Close()
	}
	if h.smpp != nil {
		h.smpp.Close()
	}
	if h.sip != nil {
		_ = h.sip.Close()
	}
	h.running.Wait()
	if h.charger != nil {
		_ = h.charger.close()
	}
	if h.store != nil {
		return h.store.Close()
	}
	return nil
}

// ready tells what a positive answer depends on.
func (h *house) ready() (map[string]string, bool) {
	checks := map[string]string{"store": "ok", "listeners": "ok", "catalog": "ok"}
	err := h.store.Ready()
	if err != nil {
		checks["store"] = message.TextOf(err)
		if checks["store"] == "" {
			checks["store"] = "cannot write"
		}
	}
	word, paid := h.chargingReady()
	checks["charging"] = word
	return checks, err == nil && paid
}

// addresses tells where the house can be reached, with real ports.
func (h *house) addresses() (sipAddrs, smppAddrs, httpAddrs []string) {
	for i, a := range h.smpp.Addrs() {
		smppAddrs = append(smppAddrs, h.cfg.Listen.SMPP[i].transport+":"+a.String())
	}
	for i, ln := range h.https {
		httpAddrs = append(httpAddrs, h.cfg.Listen.HTTP[i].transport+":"+ln.Addr().String())
	}
	return h.sip.Addrs(), smppAddrs, httpAddrs
}

// load reads the certificate, nil where none is configured.
func (c tlsConfig) load() (*tls.Config, error) {
	if c.Cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	secure := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if c.ClientCA == "" {
		return secure, nil
	}
	pem, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	secure.ClientCAs = x509.NewCertPool()
	if !secure.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.client_ca: %s holds no certificate", c.ClientCA)
	}
	secure.ClientAuth = tls.VerifyClientCertIfGiven
	return secure, nil
}

// spell writes listeners as the edges take them.
func spell(list []listener) []string {
	out := make([]string, len(list))
	for i, l := range list {
		out[i] = l.String()
	}
	return out
}

// busy explains a listener that cannot be opened.
func busy(section string, err error) error {
	if strings.Contains(err.Error(), "address already in use") {
		return fmt.Errorf("%s: %w: another program has the port; change %s or stop it", section, err, section)
	}
	return fmt.Errorf("%s: %w", section, err)
}
