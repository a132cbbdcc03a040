package delivery_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"smsc/message"
)

// memory is a Queue and a Shelf without a disk, for tests of the engine.
type memory struct {
	mu      sync.Mutex
	rows    map[message.ID]*row
	refs    map[string]message.ID
	shelf   map[string]shelved
	changed chan struct{}
	refuse  error // what every write answers, if set
	syncs   int
	any     chan struct{} // closed at the next change
	polled  map[string]chan struct{}
}

type row struct {
	rec    message.Record
	handed uint64 // Version that Due has handed out, plus one
	orphan bool   // an attempt of a process that is gone
}

type shelved struct {
	value []byte
	lapse time.Time
}

func newMemory() *memory {
	return &memory{rows: make(map[message.ID]*row), refs: make(map[string]message.ID),
		shelf: make(map[string]shelved), changed: make(chan struct{}, 1), any: make(chan struct{}),
		polled: make(map[string]chan struct{})}
}

// broadcast returns a channel that is closed at the next change.
func (q *memory) broadcast() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.any
}

// parked tells who polls that something waits on key now.
func (q *memory) parked(key string) {
	if c := q.polled[key]; c != nil {
		close(c)
		delete(q.polled, key)
	}
}

func (q *memory) signal() {
	close(q.any)
	q.any = make(chan struct{})
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

func (q *memory) Changed() <-chan struct{} { return q.changed }

func (q *memory) Put(ctx context.Context, rs ...message.Record) ([]message.ID, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refuse != nil {
		return nil, q.refuse
	}
	ids := make([]message.ID, len(rs))
	for i, r := range rs {
		m := r.Message
		ids[i] = m.ID
		if m.Origin.Ref != "" {
			key := m.Account + "\x00" + m.Origin.Link + "\x00" + m.Origin.Ref
			if first, ok := q.refs[key]; ok {
				ids[i] = first
				continue
			}
			q.refs[key] = m.ID
		}
		q.rows[m.ID] = &row{rec: r}
		q.parked(r.State.WakeOn)
	}
	q.syncs++
	q.signal()
	return ids, nil
}

func (q *memory) Backlog(account string) (own, total int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.rows {
		if !r.rec.State.Phase.Ended() {
			total++
			if r.rec.Message.Account == account {
				own++
			}
		}
	}
	return own, total
}

// sorted returns the rows that keep says, by id.
func (q *memory) sorted(keep func(message.Record) bool) []*row {
	var out []*row
	for _, r := range q.rows {
		if keep(r.rec) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *row) int { return cmp.Compare(a.rec.State.ID, b.rec.State.ID) })
	return out
}

func (q *memory) Due(ctx context.Context, now time.Time, max int) (due []message.Record, next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rows := q.sorted(func(r message.Record) bool { return !r.State.Phase.Ended() })
	slices.SortStableFunc(rows, func(a, b *row) int { return a.rec.State.Due.Compare(b.rec.State.Due) })
	for _, r := range rows {
		switch s := &r.rec.State; {
		case r.handed == s.Version+1:
		case now.Before(s.Due) && !r.orphan:
			if next.IsZero() {
				next = s.Due
			}
		case len(due) < max:
			r.handed, r.orphan = s.Version+1, false
			due = append(due, r.rec)
		}
	}
	return due, next, nil
}

func (q *memory) Parked(ctx context.Context, key string, after message.ID, max int) (out []message.Record, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.sorted(func(r message.Record) bool {
		return r.State.WakeOn == key && r.State.Phase == message.Waiting && r.State.ID > after
	}) {
		if len(out) < max {
			out = append(out, r.rec)
		}
	}
	return out, nil
}

func (q *memory) set(s message.State) error {
	r := q.rows[s.ID]
	switch {
	case q.refuse != nil:
		return q.refuse
	case r == nil:
		return message.ErrNotFound
	case r.rec.State.Version != s.Version || !r.rec.State.Phase.CanBecome(s.Phase):
		return message.ErrStale
	}
	s.Version++
	r.rec.State = s
	q.parked(s.WakeOn)
	return nil
}

func (q *memory) Begin(ctx context.Context, s ...message.State) []error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs := make([]error, len(s))
	for i := range s {
		errs[i] = q.set(s[i])
	}
	q.signal()
	return errs
}

func (q *memory) Finish(ctx context.Context, e ...message.End) []error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs := make([]error, len(e))
	for i := range e {
		if errs[i] = q.set(e[i].State); errs[i] != nil {
			continue
		}
		if e[i].Message != nil {
			q.rows[e[i].State.ID].rec.Message = e[i].Message
		}
		for _, r := range e[i].Spawn {
			q.rows[r.Message.ID] = &row{rec: r}
			q.parked(r.State.WakeOn)
		}
	}
	q.syncs++
	q.signal()
	return errs
}

func (q *memory) Awake(ctx context.Context, key string, max int) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.sorted(func(r message.Record) bool { return r.State.WakeOn == key && !r.State.Phase.Ended() }) {
		if n == max {
			break
		}
		n++
		r.rec.State.WakeOn, r.rec.State.Due = "", time.Time{}
		r.rec.State.Version++
	}
	q.signal()
	return n, nil
}

func (q *memory) Match(ctx context.Context, link string, remote []string) (out []message.Record, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	want := make(map[string]bool)
	for _, id := range remote {
		want[message.CanonicalRemote(id)] = true
	}
	for _, r := range q.sorted(func(r message.Record) bool {
		return r.State.Link == link && slices.ContainsFunc(r.State.Remote(), func(id string) bool {
			return id != "" && want[message.CanonicalRemote(id)]
		})
	}) {
		out = append(out, r.rec)
	}
	slices.SortStableFunc(out, func(a, b message.Record) int {
		return cmp.Compare(flag(a.State.Phase.Ended()), flag(b.State.Phase.Ended()))
	})
	return out, nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (q *memory) Find(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.rows[id]
	if r == nil || !reach.Sees(r.rec.Message.Account) {
		return message.Record{}, message.ErrNotFound
	}
	return r.rec, nil
}

// all returns every record, by id.
func (q *memory) all() (out []message.Record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.sorted(func(message.Record) bool { return true }) {
		out = append(out, r.rec)
	}
	return out
}

// receipts returns the receipts about id.
func (q *memory) receipts(id message.ID) (out []message.Record) {
	for _, r := range q.all() {
		if r.Message.Kind == message.KindReceipt && r.Message.About.ID == id {
			out = append(out, r)
		}
	}
	return out
}

// reopen forgets what was handed out, as a restart does.
func (q *memory) reopen() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.rows {
		r.handed = 0
		r.orphan = r.rec.State.Phase == message.Trying && r.rec.State.WakeOn == ""
	}
}

func (q *memory) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refuse = err
}

func (q *memory) Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shelf[kind+"\x01"+key] = shelved{slices.Clone(value), lapse}
	return nil
}

func (q *memory) Get(ctx context.Context, kind, key string) ([]byte, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	v, ok := q.shelf[kind+"\x01"+key]
	if !ok || !v.lapse.IsZero() && !time.Now().Before(v.lapse) {
		return nil, false, nil
	}
	return v.value, true, nil
}

func (q *memory) Delete(ctx context.Context, kind, key string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.shelf, kind+"\x01"+key)
	return nil
}

func (q *memory) Each(ctx context.Context, kind string, f func(key string, value []byte) bool) error {
	q.mu.Lock()
	var keys []string
	values := make(map[string][]byte)
	for k, v := range q.shelf {
		if name, ok := strings.CutPrefix(k, kind+"\x01"); ok && (v.lapse.IsZero() || time.Now().Before(v.lapse)) {
			keys = append(keys, name)
			values[name] = v.value
		}
	}
	q.mu.Unlock()
	slices.Sort(keys)
	for _, k := range keys {
		if !f(k, values[k]) {
			return nil
		}
	}
	return nil
}
