package delivery

import (
	"time"

	"smsc/message"
	"smsc/routing"
)

// item is a message that waits in a lane.
type item struct {
	rec message.Record
	hop routing.Hop

	yielded bool // it has let others pass
}

// fair is the waiting room of one lane: accounts take turns, and within an
// account higher priority goes first, then who came first. It is not safe
// for concurrent use.
type fair struct {
	shares map[string]*share
	turn   []*share // those that have something, in the order of their turns
	next   int
	n      int
}

type share struct {
	account string
	n       int
	rows    [4]fifo
}

func (f *fair) push(it *item) { f.share(it).push(it, false) }

// unshift puts back what was popped.
func (f *fair) unshift(it *item) { f.share(it).push(it, true) }

func (f *fair) share(it *item) *share {
	name := it.rec.Message.Account
	s := f.shares[name]
	if s == nil {
		if f.shares == nil {
			f.shares = make(map[string]*share)
		}
		s = &share{account: name}
		f.shares[name] = s
		f.turn = append(f.turn, s)
	}
	f.n++
	return s
}

func (s *share) push(it *item, front bool) {
	s.n++
	row := &s.rows[min(it.rec.Message.Priority, 3)]
	if front {
		row.unshift(it)
	} else {
		row.push(it)
	}
}

// count returns how many messages of account wait, and how many accounts
// have any.
func (f *fair) count(account string) (n, accounts int) {
	if s := f.shares[account]; s != nil {
		n = s.n
	}
	return n, len(f.turn)
}

// pop takes the next message, nil if there is none.
func (f *fair) pop() *item {
	if f.n == 0 {
		return nil
	}
	if f.next >= len(f.turn) {
		f.next = 0
	}
	s := f.turn[f.next]
	var it *item
	for p := len(s.rows) - 1; it == nil; p-- {
		it = s.rows[p].pop()
	}
	f.n--
	if s.n--; s.n > 0 {
		f.next++
		return it
	}
	f.drop(f.next)
	return it
}

func (f *fair) drop(i int) {
	delete(f.shares, f.turn[i].account)
	copy(f.turn[i:], f.turn[i+1:])
	f.turn[len(f.turn)-1] = nil
	f.turn = f.turn[:len(f.turn)-1]
}

// filter keeps what keep says and returns the rest.
func (f *fair) filter(keep func(*item) bool) (out []*item) {
	var stay []*item
	for it := f.pop(); it != nil; it = f.pop() {
		if keep(it) {
			stay = append(stay, it)
		} else {
			out = append(out, it)
		}
	}
	for _, it := range stay {
		f.push(it)
	}
	return out
}

// oldest returns when the oldest of those next in their rows was accepted.
func (f *fair) oldest() (t time.Time) {
	for _, s := range f.turn {
		for i := range s.rows {
			if it := s.rows[i].peek(); it != nil {
				if at := it.rec.Message.Accepted; t.IsZero() || at.Before(t) {
					t = at
				}
			}
		}
	}
	return t
}

// fifo is a row of items.
type fifo struct {
	items []*item
	head  int
}

func (q *fifo) push(it *item) { q.items = append(q.items, it) }

func (q *fifo) unshift(it *item) {
	if q.head == 0 {
		q.items = append([]*item{nil}, q.items...)
		q.head = 1
	}
	q.head--
	q.items[q.head] = it
}

func (q *fifo) peek() *item {
	if q.head == len(q.items) {
		return nil
	}
	return q.items[q.head]
}

func (q *fifo) pop() *item {
	if q.head == len(q.items) {
		return nil
	}
	it := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
	case q.head >= 64 && q.head*2 >= len(q.items):
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return it
}
