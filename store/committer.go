package store

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// The committer is the only writer. It merges the calls that wait into one
// batch, checks each against what is stored and against those before it in
// the batch, and applies it; while the disk syncs one batch the next is
// built. So a State has one writer at a time, and many callers share a sync.

// Bounds of one batch: what is answered together.
const (
	batchOctets = 2 << 20
	// inFlight is how many applied batches may wait for their sync. More
	// makes batches small, less lets the processor wait for the disk.
	inFlight = 1
)

// work is one call that writes.
type work interface {
	// stage checks and writes it into b. With an error nothing was written.
	stage(b *batch) error
	self() *ticket
}

// ticket is what the committer keeps of a call.
type ticket struct {
	sync    bool // answered after the sync, else when applied
	alone   bool // reads ranges: nothing may be before it in its batch
	done    chan struct{}
	err     error
	effects []effect
	marks   []mark // CDR marks that hold their records
	shelf   func() // told to memory once the batch is on stable storage
}

func newTicket(sync bool) ticket { return ticket{sync: sync, done: make(chan struct{})} }

func (t *ticket) self() *ticket { return t }

func (t *ticket) answer(err error) {
	t.err = err
	close(t.done)
}

// job is an applied batch that waits for its sync.
type job struct {
	base    *base
	batch   *pebble.Batch
	tickets []*ticket
	began   time.Time
}

// congested is the answer while the store cannot write.
func congested(err error) error {
	return &message.Error{Cause: message.Congested, Text: "the store cannot write now", After: 5 * time.Second, Err: err}
}

// do hands w to the committer and waits for its answer. Where ctx ends first
// w may still happen.
func (s *Store) do(ctx context.Context, w work) error {
	t := w.self()
	if err := s.submit(w); err != nil {
		return err
	}
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return &message.Error{Cause: message.Timeout, Text: "the store did not answer in time", Err: ctx.Err()}
	}
}

// submit hands w to the committer and does not wait.
func (s *Store) submit(w work) error {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	if s.closing {
		return congested(errClosed)
	}
	s.queue = append(s.queue, w)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// commit runs until Close.
func (s *Store) commit() {
	defer close(s.jobs)
	var spare []work
	for range s.wake {
		for {
			queue, closing := s.takeQueue(spare)
			if len(queue) == 0 {
				if closing {
					return
				}
				break
			}
			for rest := queue; len(rest) > 0; {
				rest = rest[s.commitSome(rest):]
			}
			clear(queue)
			spare = queue
		}
	}
}

// takeQueue returns the works that wait, and leaves an empty buffer for the
// next.
func (s *Store) takeQueue(spare []work) (queue []work, closing bool) {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	if len(s.queue) == 0 {
		return nil, s.closing
	}
	queue, s.queue = s.queue, spare[:0]
	return queue, s.closing
}

// commitSome commits the first works of queue and returns how many.
func (s *Store) commitSome(queue []work) int {
	b, db, err := s.use()
	if err != nil {
		for _, w := range queue {
			w.self().answer(err)
		}
		return len(queue)
	}
	build := s.newBatch(db)
	tickets := make([]*ticket, 0, len(queue))
	for _, w := range queue {
		t := w.self()
		if len(tickets) > 0 && (t.alone || build.w.Len() > batchOctets) {
			break
		}
		build.ticket = t
		tickets = append(tickets, t)
		if err := w.stage(build); err != nil {
			t.sync, t.err = false, err
		}
		if t.alone {
			break
		}
	}
	s.apply(job{base: b, batch: build.w, tickets: tickets, began: time.Now()})
	return len(tickets)
}

// apply makes a batch visible, answers those who need no sync, and passes the
// others on.
func (s *Store) apply(j job) {
	sync := false
	for _, t := range j.tickets {
		sync = sync || t.sync
	}
	var err error
	if sync && j.batch.Empty() {
		err = j.batch.LogData([]byte{0}, nil) // a repeat: its first may not be synced yet
	}
	switch {
	case err != nil:
	case sync:
		err = j.base.db.ApplyNoSyncWait(j.batch, pebble.Sync)
	default:
		err = j.base.db.Apply(j.batch, pebble.NoSync)
	}
	if err = errors.Join(err, j.base.fence.broken()); err != nil {
		s.drop(j, err)
		return
	}
	changes := 0
	for _, t := range j.tickets {
		s.applied(t.effects)
		changes += len(t.effects)
	}
	s.met.batch.Observe(float64(changes))
	waiting := j.tickets[:0]
	for _, t := range j.tickets {
		if t.sync {
			waiting = append(waiting, t)
			continue
		}
		s.durable(t)
		t.answer(t.err)
	}
	if j.tickets = waiting; sync {
		s.jobs <- j
		return
	}
	_ = j.batch.Close()
	j.base.release()
}

// await waits for the syncs, one batch after the other, until commit ends.
func (s *Store) await() {
	for j := range s.jobs {
		err := j.batch.SyncWait()
		if err = errors.Join(err, j.base.fence.broken()); err != nil {
			s.drop(j, err)
			continue
		}
		took := time.Since(j.began)
		s.met.sync.Observe(took.Seconds())
		s.lastSync.Store(int64(took))
		for _, t := range j.tickets {
			s.durable(t) // durable from here
			t.answer(t.err)
		}
		_ = j.batch.Close()
		j.base.release()
	}
}

// drop refuses everybody in a batch that may or may not be on the disk, and
// notes the messages for the one who opens the database again.
func (s *Store) drop(j job, err error) {
	s.lostMu.Lock()
	for _, t := range j.tickets {
		for _, e := range t.effects {
			s.lost = append(s.lost, loss{id: e.new.state.ID, fresh: e.old == nil})
		}
	}
	s.lostMu.Unlock()
	for _, t := range j.tickets {
		t.answer(congested(err))
	}
	j.base.release()
}

// applied tells memory what readers can see now.
func (s *Store) applied(es []effect) {
	if len(es) == 0 {
		return
	}
	s.sched.applied(es)
	s.recent.applied(es)
	s.counts.apply(es)
	if s.journal != nil {
		s.journal.note(es)
	}
}

// durable tells memory what cannot be lost any more.
func (s *Store) durable(t *ticket) {
	if t.shelf != nil {
		t.shelf()
	}
	if s.journal != nil && len(t.effects)+len(t.marks) > 0 {
		s.journal.tell(t.effects, t.marks)
	}
	if len(t.effects) == 0 {
		return
	}
	s.sched.durable(t.effects, s.cfg.Now())
	s.watch.tell(t.effects)
}
