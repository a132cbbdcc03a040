// Package store is the memory of the house: the durable queue, the ledger and
// a shelf of small records, on Pebble. Each verb is one batch; concurrent
// callers share batches and syncs. It knows keys, octets and time order; it
// refuses to know protocols, routes, prices and retry rules.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
)

// Store keeps messages, their states and small records. All methods may be
// called from any goroutine.
type Store struct {
	cfg  Config
	fs   vfs.FS
	log  zerolog.Logger
	lock io.Closer
	met  *metrics

	sched   *schedule
	recent  *recent
	counts  *counts
	watch   *watch
	disk    *disk
	refs    *refs
	journal *journal // nil: no CDR files
	vigil   *vigil
	takers  stripes
	dueMu   sync.Mutex
	last    atomic.Uint64

	lastSync atomic.Int64  // nanoseconds that the newest sync took
	looked   atomic.Uint64 // keys that Due has looked at, dead ones too

	sweeps  int   // how often retention was looked after
	sweptTo int64 // nothing that ended before is left, as far as known

	queueMu sync.Mutex
	queue   []work
	closing bool
	wake    chan struct{}
	jobs    chan job

	baseMu sync.RWMutex
	base   *base         // nil while the database is closed
	down   error         // why
	trips  chan struct{} // the guard shall look

	lostMu sync.Mutex
	lost   []loss

	writers sync.WaitGroup // commit, await
	rounds  sync.WaitGroup // guard and the background work
	stop    context.CancelFunc
}

var errClosed = errors.New("store is closed")

// Open opens the store in cfg.Dir, or makes it. It refuses a folder that
// another process has open and data of a newer format.
func Open(cfg Config, log zerolog.Logger, reg prometheus.Registerer) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.fill()
	s := &Store{
		cfg: cfg, fs: cfg.FS, log: log,
		sched:  newSchedule(cfg.Ring),
		recent: newRecent(recentRoom),
		counts: newCounts(),
		watch:  newWatch(),
		refs:   newRefs(refsMost),
		vigil:  newVigil(),
		wake:   make(chan struct{}, 1),
		jobs:   make(chan job, inFlight),
		trips:  make(chan struct{}, 1),
	}
	s.met = newMetrics(s, reg)
	if err := s.openFolder(); err != nil {
		return nil, err
	}
	if err := s.openFirst(); err != nil {
		_ = s.lock.Close()
		return nil, err
	}
	s.run()
	return s, nil
}

// openFolder makes the data folder and locks it: one process at a time.
func (s *Store) openFolder() error {
	watched := s.cfg.FreeSpace != nil
	if s.fs == nil {
		if s.fs = vfs.Default; s.cfg.Dir == Memory {
			s.fs = vfs.NewMem()
		} else if s.cfg.FreeSpace == nil {
			watched = true
			s.cfg.FreeSpace = s.statfs
		}
	}
	s.disk = newDisk(s.cfg, watched && s.cfg.MinFree > 0)
	if err := s.fs.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("store: data folder: %w", err)
	}
	lock, err := s.fs.Lock(s.fs.PathJoin(s.cfg.Dir, "LOCK"))
	if err != nil {
		return fmt.Errorf("store: data folder %s is in use by another process: %w", s.cfg.Dir, err)
	}
	s.lock = lock
	return nil
}

func (s *Store) openFirst() error {
	b, err := openBase(s.fs, s.cfg.Dir, s.log, s.tripped)
	if err != nil {
		return err
	}
	if err := s.adopt(b); err != nil {
		_ = b.close(nil)
		return err
	}
	if s.cfg.Journal != nil {
		if s.journal, err = openJournal(s, *s.cfg.Journal); err != nil {
			_ = b.close(nil)
			return err
		}
	}
	s.counts.restart(b)
	s.base = b
	return nil
}

// adopt checks the format of a database that was just opened and reads what
// memory has to know at once.
func (s *Store) adopt(b *base) error {
	if err := migrate(b.db); err != nil {
		return err
	}
	last, err := highestID(b.db)
	if err != nil {
		return err
	}
	s.saw(message.ID(last))
	return nil
}

func (s *Store) run() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	start := func(wg *sync.WaitGroup, f func()) {
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}
	start(&s.writers, s.commit)
	start(&s.writers, s.await)
	start(&s.rounds, func() { s.guard(ctx) })
	start(&s.rounds, func() { s.recount(ctx) })
	start(&s.rounds, func() { s.sweep(ctx) })
	start(&s.rounds, func() { s.learnRefs(ctx) })
	if s.journal != nil {
		start(&s.rounds, func() { s.journal.run(ctx) })
	}
}

// Close syncs and closes the store. Calls that wait are answered first.
func (s *Store) Close() error {
	s.queueMu.Lock()
	if s.closing {
		s.queueMu.Unlock()
		return nil
	}
	s.queueMu.Unlock()
	s.stop()
	s.rounds.Wait() // the journal drops its last marks while writing still works
	s.queueMu.Lock()
	s.closing = true
	s.queueMu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	s.writers.Wait()
	s.baseMu.Lock()
	b := s.base
	s.base, s.down = nil, errClosed
	s.baseMu.Unlock()
	var err error
	if b != nil {
		err = b.close(nil)
	}
	s.met.unregister()
	return errors.Join(err, s.lock.Close())
}

// Ready returns nil while the store can write, else why not.
func (s *Store) Ready() error {
	b, _, err := s.use()
	if err != nil {
		return err
	}
	b.release()
	return s.disk.room()
}

// use returns the database until release is called on its base.
func (s *Store) use() (*base, *pebble.DB, error) {
	s.baseMu.RLock()
	defer s.baseMu.RUnlock()
	if s.base == nil {
		return nil, nil, congested(s.down)
	}
	// The guard may not have heard yet; what is not synced must not be read.
	if err := s.base.fence.broken(); err != nil {
		return nil, nil, congested(err)
	}
	db, ok := s.base.use()
	if !ok {
		return nil, nil, congested(s.down)
	}
	return s.base, db, nil
}

// LastID is the highest ID ever stored: where the Mint goes on.
func (s *Store) LastID() message.ID { return message.ID(s.last.Load()) }

func (s *Store) saw(id message.ID) {
	for {
		last := s.last.Load()
		if uint64(id) <= last || s.last.CompareAndSwap(last, uint64(id)) {
			return
		}
	}
}

// stripes are locks for names: two names rarely share one.
type stripes [32]sync.Mutex

func (s *stripes) of(name string) *sync.Mutex {
	h := uint32(2166136261)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return &s[h%uint32(len(s))]
}
