package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"smsc/message"
)

// Rhythm of the journal: a file is synced each time so many lines are written
// or so much time is over, whichever is first.
const (
	journalLines = 1000
	journalEvery = 100 * time.Millisecond
	// journalQueue is how many marks wait in memory; beyond it they are read
	// from the disk again.
	journalQueue = 64 << 10
	journalPause = 5 * time.Second // after a failure
)

// journal writes the CDR files. A mark is set by the batch that ends a
// message and dropped after its lines are on stable storage, so a crash
// repeats lines and never loses one.
type journal struct {
	s     *Store
	cfg   Journal
	files []*journalFile

	mu     sync.Mutex
	queue  []mark
	missed bool // there are marks on the disk that are not in the queue
	wake   chan struct{}
	open   atomic.Int64

	// What the sweep may remove without a look at the marks.
	unwritten map[int64]int // ends of this life, by minute, until their lines are written
	through   bool          // the marks of earlier lives are written

	written atomic.Uint64
}

func openJournal(s *Store, cfg Journal) (*journal, error) {
	j := &journal{s: s, cfg: cfg, missed: true, wake: make(chan struct{}, 1), unwritten: map[int64]int{}}
	for _, f := range cfg.Formats {
		file, err := openJournalFile(cfg, f, s.cfg.Now)
		if err != nil {
			return nil, err
		}
		j.files = append(j.files, file)
	}
	return j, nil
}

func (j *journal) pending() float64 { return float64(max(j.open.Load(), 0)) }

// ends tells whether an end of this kind has a line.
func (j *journal) ends(k message.Kind) bool {
	return j != nil && (k == message.KindMessage || j.cfg.Receipts)
}

// marks tells whether the change from old (nil: none) to e is an end that has
// a line.
func (j *journal) marks(old, e *entry) bool {
	return e.closed() && j.ends(e.kind) && (old == nil || !old.closed())
}

// note counts the ends among es, which readers can see now, before anything
// can sweep them.
func (j *journal) note(es []effect) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range es {
		switch old, e := es[i].old, es[i].new; {
		case j.marks(old, e):
			j.unwritten[e.slot]++
		case old != nil && old.ended() && e.ended() && old.slot != e.slot && j.unwritten[old.slot] > 0:
			j.unwritten[e.slot]++ // its mark may be among those of the other minute
		}
	}
}

// clean tells that no line is still to be made of what ended in a minute. What
// is lost from the queue counts as unwritten for good: then the marks tell.
func (j *journal) clean(minute int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.through && j.unwritten[minute] == 0
}

// tell queues the ends among es, and the marks that hold their records. They
// are on stable storage.
func (j *journal) tell(es []effect, marks []mark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range marks {
		j.add(m)
	}
	for i := range es {
		if e := es[i].new; j.marks(es[i].old, e) {
			j.add(mark{id: e.state.ID, n: e.state.Opened, entry: e, minute: e.slot})
		}
	}
}

// add queues one mark; j.mu is held.
func (j *journal) add(m mark) {
	j.open.Add(1)
	if len(j.queue) >= journalQueue {
		j.missed = true
		return
	}
	j.queue = append(j.queue, m)
	j.stir()
}

// rescan has the marks on the disk read again.
func (j *journal) rescan() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.missed, j.queue = true, nil
	j.stir()
}

func (j *journal) stir() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// run writes lines until ctx ends, then those that wait, and finishes the
// files.
func (j *journal) run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		pause := journalEvery
		if err := j.round(); err != nil {
			if ctx.Err() == nil {
				j.s.log.Error().Err(err).Msg("store: CDR lines wait as marks")
			}
			j.rescan()
			pause = journalPause
		}
		select {
		case <-ctx.Done():
			j.finish()
			return
		case <-tick.C:
			j.tidy()
			continue
		case <-j.wake:
		}
		// Let a sync's worth of lines come together.
		if pause > journalEvery || j.waiting() < journalLines {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

func (j *journal) waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.queue)
}

// round writes everything that waits.
func (j *journal) round() error {
	for {
		j.mu.Lock()
		n := min(len(j.queue), journalLines)
		some, missed := j.queue[:n:n], j.missed
		j.queue = j.queue[n:]
		if n == 0 {
			j.queue, j.missed = nil, false
		}
		j.mu.Unlock()
		switch {
		case n > 0:
			if err := j.write(some); err != nil {
				return err
			}
		case missed:
			if err := j.writeMissed(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// writeMissed writes the marks that are on the disk.
func (j *journal) writeMissed() error {
	for from := []byte{keyMark}; from != nil; {
		var some []mark
		next, err := j.read(from, &some)
		if err != nil {
			return err
		}
		if err := j.write(some); err != nil {
			return err
		}
		from = next
	}
	// What came meanwhile may have been among those: it has to be looked up.
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.queue {
		j.queue[i].entry = nil
	}
	j.through = true
	j.open.Store(int64(len(j.queue)))
	return nil
}

func (j *journal) read(from []byte, some *[]mark) (next []byte, err error) {
	b, db, err := j.s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	err = each(db, []byte{keyMark}, from, func(k, _ []byte) (bool, error) {
		if len(*some) == journalLines {
			next = append([]byte(nil), k...)
			return false, nil
		}
		if m, ok := splitMark(k); ok {
			*some = append(*some, m)
		}
		return true, nil
	})
	return next, err
}

// write appends the lines of marks, syncs the files, and drops the marks.
func (j *journal) write(marks []mark) error {
	if len(marks) == 0 {
		return nil
	}
	records, err := j.records(marks)
	if err != nil {
		return err
	}
	for _, f := range j.files {
		if err := f.write(marks, records); err != nil {
			j.s.met.cdrErrors.WithLabelValues(f.Suffix[1:]).Inc()
			return err
		}
	}
	// The lines are safe; a mark that outlives a crash only repeats them.
	w := &dropWork{ticket: newTicket(false), marks: marks}
	if err := j.s.do(context.Background(), w); err != nil {
		return err
	}
	j.open.Add(-int64(len(marks)))
	j.noted(marks)
	j.count(marks, records)
	return nil
}

// noted takes marks that were written off the counts of their minutes.
func (j *journal) noted(marks []mark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range marks {
		m := marks[i].minute
		if m == 0 {
			continue
		}
		if j.unwritten[m]--; j.unwritten[m] == 0 {
			delete(j.unwritten, m)
		}
	}
}

// tidy rotates files by time and removes those that were kept long enough.
func (j *journal) tidy() {
	for _, f := range j.files {
		if err := f.tidy(j.cfg.Keep); err != nil {
			j.s.log.Warn().Err(err).Msg("store: CDR files")
		}
	}
}

func (j *journal) finish() {
	if err := j.round(); err != nil {
		j.s.log.Warn().Err(err).Msg("store: CDR lines are left for the next start")
	}
	for _, f := range j.files {
		if err := f.finish(); err != nil {
			j.s.log.Warn().Err(err).Msg("store: CDR file is left for the next start")
		}
	}
}
