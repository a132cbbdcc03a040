package delivery_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"smsc/delivery"
	"smsc/message"
)

// mad is a peer of whom nothing can be expected.
type mad struct {
	mu     sync.Mutex
	random *rand.Rand
	link   string
	report func(message.News)
}

func (c *mad) pick(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *mad) courier() *courier {
	return &courier{does: func(n int, a message.Attempt, done func(message.Outcome)) {
		after := time.Duration(c.pick(3000)) * time.Millisecond
		o := c.outcome(n, a)
		switch c.pick(8) {
		case 0: // hangs
		case 1: // at once
			done(o)
		case 2: // twice
			time.AfterFunc(after, func() { done(o) })
			time.AfterFunc(after, func() { done(silent) })
		default:
			time.AfterFunc(after, func() { done(o) })
		}
		for _, id := range o.Remote { // news early, late, twice and contradicting
			for range c.pick(3) {
				n := news(c.link, id, []message.Result{message.Delivered, message.Refused, message.Relayed, message.Deferred}[c.pick(4)], "")
				time.AfterFunc(time.Duration(c.pick(120000))*time.Millisecond, func() { c.report(n) })
			}
		}
	}}
}

func (c *mad) outcome(n int, a message.Attempt) message.Outcome {
	o := message.Outcome{Result: message.Result(c.pick(5)), Pause: c.pick(20) == 0,
		Cause: message.Cause(c.pick(14)), After: time.Duration(c.pick(300)) * time.Second}
	switch o.Result {
	case message.Refused:
		if c.pick(4) > 0 {
			o.Result = message.Deferred
		}
	case message.Relayed:
		for i := range max(int(a.Message.Parts), 1) {
			o.Remote = append(o.Remote, fmt.Sprintf("%s-%d-%d", c.link, n, i))
		}
	}
	return o
}

// Peers lie, links flap, routes change, owners cancel and retry, the store
// fails and the house restarts: in the end every message has an end, and its
// sender heard of it once.
func TestEveryMessageIsAccountedFor(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, seed) })
		})
	}
}

func chaos(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	q := newMemory()
	var h *house
	var now atomic.Pointer[house] // the one of this life
	var lanes []delivery.Lane
	for i, name := range []string{"one", "two", "three", "home"} {
		c := &mad{random: rand.New(rand.NewPCG(seed, uint64(i))), link: name, report: func(n message.News) { now.Load().report(n) }}
		l := lane(name, c.courier())
		l.Window, l.Serial = 1+random.IntN(20), i == 1
		l.Throughput = []int{0, 5, 50}[random.IntN(3)]
		lanes = append(lanes, l)
	}
	start := func() {
		h = openOn(t, q, delivery.DefaultConfig(), []string{"one", "two", "three"}, lanes...)
		now.Store(h)
		h.start()
	}
	start()
	var ids []message.ID
	for range 120 {
		for range random.IntN(8) {
			ids = append(ids, h.accept(wants(message.WantFinal), func(m *message.Message) {
				m.To.Value = fmt.Sprintf("+44770090%04d", random.IntN(20))
				m.Parts = uint8(1 + random.IntN(3))
				m.Priority = uint8(random.IntN(4))
				m.Account = []string{"operator", "acme", "beta"}[random.IntN(3)]
				m.Once = random.IntN(10) == 0
				m.Expires = m.Accepted.Add(time.Duration(1+random.IntN(60)) * time.Minute)
			}))
		}
		disturb(h, random, ids)
		if random.IntN(60) == 0 {
			h.q.fail(nil)
			h.halt()
			h.wait(time.Duration(random.IntN(60)) * time.Second)
			q.reopen()
			start()
		}
		h.wait(time.Duration(random.IntN(20000)) * time.Millisecond)
	}
	h.q.fail(nil)
	for _, l := range lanes {
		h.e.Link(l.Name, true)
	}
	h.wait(30 * time.Hour)
	h.halt()
	for _, id := range ids {
		r := h.get(id)
		if !r.State.Phase.Ended() {
			t.Errorf("message %d stands at %v, due %v, waits on %q\n%s", id, r.State.Phase, r.State.Due, r.State.WakeOn, trace(r))
		}
		if n := len(h.q.receipts(id)); n != 1 {
			t.Errorf("message %d has %d receipts\n%s", id, n, trace(r))
		}
	}
	for _, l := range lanes {
		if s, _ := h.e.LaneStatus(l.Name); s.Waiting != 0 {
			t.Errorf("lane %s holds %+v", l.Name, s)
		}
	}
}

// disturb does one thing that happens in the life of a house.
func disturb(h *house, random *rand.Rand, ids []message.ID) {
	name := h.lanes[random.IntN(len(h.lanes))].Name
	switch random.IntN(9) {
	case 0, 1:
		h.e.Link(name, random.IntN(2) == 0)
	case 2:
		h.route([][]string{{"one", "two", "three"}, {"two"}, {}, {"three", "one"}}[random.IntN(4)]...)
		h.e.Replan()
	case 3:
		if len(ids) > 0 {
			_ = h.e.Cancel(bg, nil, ids[random.IntN(len(ids))], "test")
		}
	case 4:
		if len(ids) > 0 {
			_ = h.e.Retry(bg, nil, ids[random.IntN(len(ids))], "test")
		}
	case 5:
		h.q.fail(message.Errorf(message.Congested, "disk full"))
		h.wait(time.Duration(random.IntN(3)) * time.Second)
		h.q.fail(nil)
	case 6:
		kept := append([]delivery.Lane(nil), h.lanes...)
		drop := random.IntN(len(kept) - 1)
		h.e.SetLanes(append(kept[:drop:drop], kept[drop+1:]...))
		h.wait(time.Second)
		h.e.SetLanes(h.lanes)
	case 7:
		h.e.Awake(bg, fmt.Sprintf("number:+44770090%04d", random.IntN(20)))
	}
}
