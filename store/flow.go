package store

import (
	"maps"
	"strings"

	"smsc/message"
)

// causes is how many there are to count by.
const causes = 16

// Flow is what happened between two looks: what statistics are made of
// (spec records §8).
type Flow struct {
	Accounts map[string]*Tally     // by the account of the message
	Links    map[string]*LinkTally // by name, also of queues nobody declared
}

// Tally counts the messages of one account. Receipts are counted as such and
// nowhere else.
type Tally struct {
	Accepted, Parts    uint64
	Delivered, Failed  uint64
	Expired, Cancelled uint64
	Dropped, Retries   uint64 // Retries: rounds that ended without success
	Receipts           uint64
	Causes             [causes]uint64 // of Failed and Expired, by message.Cause
}

// LinkTally counts the messages that came by a link and that it took.
type LinkTally struct{ In, Out, Failed uint64 }

func (f *Flow) account(name string) *Tally {
	if f.Accounts == nil {
		f.Accounts, f.Links = map[string]*Tally{}, map[string]*LinkTally{}
	}
	t := f.Accounts[name]
	if t == nil {
		t = &Tally{}
		f.Accounts[name] = t
	}
	return t
}

// maxFlowLinks bounds the names counted between two looks: a stranger may
// write any name into dest_smsc.
const maxFlowLinks = 4096

var nowhere LinkTally // what is beyond the bound; nobody reads it

func (f *Flow) link(name string) *LinkTally {
	l := f.Links[name]
	if l == nil {
		if len(f.Links) >= maxFlowLinks {
			return &nowhere
		}
		l = &LinkTally{}
		f.Links[name] = l
	}
	return l
}

// note counts one change.
func (f *Flow) note(old, e *entry) {
	t := f.account(e.account)
	if old == nil {
		switch {
		case e.kind == message.KindReceipt:
			t.Receipts++
		case e.msg != nil:
			t.Accepted++
			t.Parts += uint64(max(e.msg.Parts, 1))
			f.link(e.msg.Origin.Link).In++
		}
	}
	was := message.Waiting
	if old != nil {
		was = old.state.Phase
	}
	is := e.state.Phase
	if took := is == message.Done || is == message.Sent; took && was != message.Sent && was != message.Done && e.state.Link != "" {
		f.link(e.state.Link).Out++
	}
	if e.kind == message.KindReceipt {
		return
	}
	if old != nil && e.state.Rounds > old.state.Rounds && !is.Ended() {
		t.Retries++
	}
	if is.Ended() && !was.Ended() {
		t.end(e, f)
	}
}

func (t *Tally) end(e *entry, f *Flow) {
	switch e.state.Phase {
	case message.Done:
		t.Delivered++
		return
	case message.Cancelled:
		t.Cancelled++
		return
	case message.Dropped:
		t.Dropped++
		return
	case message.Expired:
		t.Expired++
	default:
		t.Failed++
	}
	if e.state.Link != "" {
		f.link(e.state.Link).Failed++
	}
	if c := e.record().Cause(); int(c) < causes {
		t.Causes[c]++
	}
}

// Harvest returns what happened since the last Harvest, or since Open. It is
// for one caller: what it returns is forgotten here.
func (s *Store) Harvest() Flow {
	c := s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flow
	c.flow = Flow{}
	return f
}

// Depths counts the messages without an end by the words of
// message.Record.Status: queued, scheduled, retrying, sending, sent.
func (s *Store) Depths() map[string]int {
	c := s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]int, classes)
	for k := classQueued; k < classes; k++ {
		all[classWords[k]] = max(c.class[k], 0)
	}
	return all
}

// Backlogs returns how many messages have no end yet, by account. Those that
// have none are not in it.
func (s *Store) Backlogs() map[string]int {
	c := s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.account)
}

// spot is one queue, or one link, of one account.
type spot struct{ name, account string }

// held counts what is at a place.
type held struct{ waiting, leased int }

// Queue is what waits for a link that can not take it now, or for a poller.
type Queue struct {
	Name    string // "" is open to every poller
	Account string // of the messages
	Polled  bool   // it waits for pollers, else for the link to come back
	Waiting int
	Leased  int // Waiting does not count these
}

// spotOf is where e waits; ok is false where it waits for no link.
func spotOf(e *entry) (p spot, leased, ok bool) {
	key, lease := e.wake()
	if !placed(key) {
		return spot{}, false, false
	}
	return spot{key, e.account}, lease != 0, true
}

// at counts e at its spot, n times.
func (c *counts) at(e *entry, n int) {
	p, leased, ok := spotOf(e)
	if !ok {
		return
	}
	if n > 0 {
		c.waits(p.name, e.state.ID)
	}
	h := c.spots[p]
	if leased {
		h.leased += n
	} else {
		h.waiting += n
	}
	if h == (held{}) {
		delete(c.spots, p)
		return
	}
	c.spots[p] = h
}

// Queues returns what waits where. After Open the figures grow until the
// index has been read in the background.
func (s *Store) Queues() []Queue {
	c := s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Queue, 0, len(c.spots))
	for p, h := range c.spots {
		kind, name, _ := strings.Cut(p.name, ":")
		if h.waiting > 0 || h.leased > 0 {
			all = append(all, Queue{Name: name, Account: p.account, Polled: kind == "queue", Waiting: max(h.waiting, 0), Leased: max(h.leased, 0)})
		}
	}
	return all
}

// Longest returns the oldest message that waits for a link or in a queue; 0
// if none does.
func (s *Store) Longest(name string, polled bool) (oldest message.ID) {
	b, db, err := s.use()
	if err != nil {
		return 0
	}
	defer b.release()
	kind := "link:"
	if polled {
		kind = "queue:"
	}
	err = s.eachParked(db, kind+name, 0, func(id message.ID, _ []byte) (bool, error) {
		oldest = id
		return false, nil
	})
	if err != nil {
		return 0
	}
	return oldest
}
