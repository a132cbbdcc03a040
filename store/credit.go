package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// A balance moves only in a batch of the committer: with the State whose
// Charge.Moved says so, by the difference of old and new, or by an entry that
// somebody made by hand. So at any moment, also after a crash, a balance is
// the sum of its entries less what its messages have moved.

// Entry is one booking by hand: a top-up, a correction.
type Entry struct {
	At     time.Time
	Amount int64 // in micro-units; below zero takes
	After  int64 // the balance then
	Who    string
	Note   string
}

// maxBalance keeps sums far from running over.
const maxBalance = 1 << 60

// balance returns what account has, also in this batch.
func (b *batch) balance(account string) (int64, error) {
	if n, ok := b.money[account]; ok {
		return n, nil
	}
	n, err := readBalance(b, account)
	if err != nil {
		return 0, err
	}
	if b.money == nil {
		b.money = map[string]int64{}
	}
	b.money[account] = n
	return n, nil
}

func readBalance(b *batch, account string) (int64, error) {
	v, err := read(b.db, balanceKey(nil, account))
	if err != nil {
		return 0, congested(err)
	}
	return amountOf(v), nil
}

func amountOf(v []byte) int64 {
	if len(v) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// book adds amount to a balance.
func (b *batch) book(account string, amount int64) (after int64, err error) {
	if amount == 0 {
		return b.balance(account)
	}
	n, err := b.balance(account)
	if err != nil {
		return 0, err
	}
	n += amount
	b.money[account] = n
	b.set(balanceKey(nil, account), binary.BigEndian.AppendUint64(nil, uint64(n)))
	return n, nil
}

// settle moves what the step from old to e moves, and keeps the index of what
// is still to be asked of a charging server.
func (b *batch) settle(old, e *message.State) error {
	var was message.Charge
	if old != nil {
		was = old.Charge
	}
	is := &e.Charge
	if !was.Server && was.Moved != 0 && (was.Payer != is.Payer || was.Moved != is.Moved) {
		if _, err := b.book(was.Payer, was.Moved); err != nil {
			return err
		}
		was.Moved = 0
	}
	if !is.Server && is.Moved != 0 && (was.Payer != is.Payer || was.Moved != is.Moved) {
		if _, err := b.book(is.Payer, -is.Moved); err != nil {
			return err
		}
	}
	switch {
	case is.Todo != message.NoStep && was.Todo == message.NoStep:
		b.set(chargeKey(nil, e.ID), nil)
	case is.Todo == message.NoStep && was.Todo != message.NoStep:
		b.del(chargeKey(nil, e.ID))
	}
	return nil
}

// unpaid returns the ids among fresh records that their payers' balances do
// not cover, taken one after the other; nil if they cover all.
func (b *batch) unpaid(rs []message.Record, ids []message.ID) ([]message.ID, error) {
	var poor []message.ID
	var left map[string]int64
	for i := range rs {
		c := &rs[i].State.Charge
		if c.Server || c.Moved == 0 || ids[i] != 0 {
			continue
		}
		n, ok := left[c.Payer]
		if !ok {
			var err error
			if n, err = b.balance(c.Payer); err != nil {
				return nil, err
			}
			if left == nil {
				left = map[string]int64{}
			}
		}
		if n-c.Moved < c.Floor {
			poor = append(poor, rs[i].State.ID)
		} else {
			n -= c.Moved
		}
		left[c.Payer] = n
	}
	return poor, nil
}

// creditWork books one entry by hand.
type creditWork struct {
	ticket
	account string
	entry   Entry
	ref     []byte // its first answer lies here; nil: never a repeat
}

// refLife is for how long a repeat of a booking is known.
const refLife = 24 * time.Hour

// Credit adds amount micro-units (below zero: takes them) to the balance of
// account and returns what it is then, after the sync. The same ref within a
// day is booked once; "" is never a repeat.
func (s *Store) Credit(ctx context.Context, account string, amount int64, who, note, ref string) (int64, error) {
	if amount > maxBalance || amount < -maxBalance {
		return 0, message.Errorf(message.BadContent, "the amount is too large")
	}
	w := &creditWork{ticket: newTicket(true), account: account, entry: Entry{Amount: amount, Who: who, Note: note}}
	if ref != "" {
		w.ref = refKey(nil, account, "\x00booking", ref)
	}
	err := s.do(ctx, w)
	return w.entry.After, err
}

func (w *creditWork) stage(b *batch) error {
	e := &w.entry
	n, err := b.balance(w.account)
	if err == nil && w.ref != nil {
		var first message.ID
		if first, err = b.known(w.ref); err != nil {
			return congested(err)
		} else if first != 0 {
			e.After = n
			return nil
		}
	}
	switch {
	case err != nil:
		return err
	case n+e.Amount > maxBalance || n+e.Amount < -maxBalance:
		return message.Errorf(message.BadContent, "the balance would be too large")
	}
	if e.After, err = b.book(w.account, e.Amount); err != nil {
		return err
	}
	if w.ref != nil {
		b.claim(w.ref, 1)
		b.remember(w.ref, &message.Message{ID: 1, Origin: message.Origin{RefLife: refLife}})
	}
	e.At = b.now
	// Two entries of one nanosecond are told apart by the number of the batch.
	b.entries++
	v := appendTime([]byte{codecVersion}, e.At)
	v = binary.AppendVarint(binary.AppendVarint(v, e.Amount), e.After)
	v = appendString(appendString(v, e.Who), e.Note)
	key := binary.BigEndian.AppendUint64(entryPrefix(nil, w.account), uint64(slotOf(e.At)))
	b.set(binary.BigEndian.AppendUint32(key, uint32(b.entries)), v)
	return nil
}

// Balance returns what account has, in micro-units.
func (s *Store) Balance(account string) (int64, error) {
	b, db, err := s.use()
	if err != nil {
		return 0, err
	}
	defer b.release()
	v, err := read(db, balanceKey(nil, account))
	if err != nil {
		return 0, congested(err)
	}
	return amountOf(v), nil
}

// Entries returns the newest bookings by hand of account, newest first, at
// most max.
func (s *Store) Entries(account string, max int) ([]Entry, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: entryPrefix(nil, account), UpperBound: after(entryPrefix(nil, account))})
	if err != nil {
		return nil, congested(err)
	}
	defer it.Close()
	var out []Entry
	for ok := it.Last(); ok && len(out) < max; ok = it.Prev() {
		r := newReader(it.Value())
		if r.byte() != codecVersion {
			r.fail()
		}
		e := Entry{At: r.time(), Amount: r.int(), After: r.int(), Who: r.string(), Note: r.string()}
		if r.bad {
			return nil, congested(fmt.Errorf("entry of account %s: %w", account, errFormat))
		}
		out = append(out, e)
	}
	return out, it.Error()
}

// Unsettled returns records about which a charging server is still to be
// asked, those after the given id, at most max.
func (s *Store) Unsettled(ctx context.Context, after message.ID, max int) ([]message.Record, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	var out []message.Record
	err = each(db, []byte{keyCharge}, chargeKey(nil, after+1), func(k, _ []byte) (bool, error) {
		e, err := readEntry(db, tailID(k), true)
		if err == nil && e != nil && e.state.Charge.Todo != message.NoStep {
			out = append(out, e.record())
		}
		return len(out) < max && ctx.Err() == nil, err
	})
	if err != nil {
		return nil, congested(err)
	}
	return out, nil
}

// withdrawWork removes messages that were never accepted.
type withdrawWork struct {
	ticket
	states []message.State
	errs   []error
}

// Withdraw removes messages that wait to be paid for and were never accepted,
// after the sync: they leave no record, and a repeat of their request is a
// first one again. The error of one that is not as it was is ErrStale.
func (s *Store) Withdraw(ctx context.Context, states ...message.State) []error {
	w := &withdrawWork{ticket: newTicket(true), states: states, errs: make([]error, len(states))}
	if err := s.do(ctx, w); err != nil {
		for i := range w.errs {
			w.errs[i] = err
		}
	}
	return w.errs
}

func (w *withdrawWork) stage(b *batch) error {
	for i := range w.states {
		w.errs[i] = w.one(b, &w.states[i])
	}
	return nil
}

func (w *withdrawWork) one(b *batch, st *message.State) error {
	e, err := waiting(b, st)
	if err != nil {
		return err
	}
	if !e.state.Held() {
		return message.ErrStale
	}
	if e, err = e.load(b.db); err != nil {
		return congested(err)
	}
	over := *e
	over.state.Phase, over.state.Version, over.class = message.Dropped, e.state.Version+1, classEnded
	over.state.Charge = message.Charge{}
	if err := b.settle(&e.state, &over.state); err != nil {
		return err
	}
	b.erase(e)
	over.kind = message.KindReceipt // it has no line of its own in the records
	b.note(e, &over, false)
	return nil
}
