package smpp

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"smsc/message"
	"smsc/smpp/pdu"
)

// What a session took along is not left to wait for its next round because
// another session of the link stood all the time (spec smpp §18).
func TestALaterBindOfACarrierWakesWhatWaits(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", binds: 2")
	c.session(t, 1)
	woken := func() int {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(slices.DeleteFunc(slices.Clone(h.woken), func(key string) bool { return key != "link:carrier1" }))
	}
	soon(t, "both are in use", func() bool { return woken() >= 2 })
	was := woken()
	c.session(t, 0).Close()
	soon(t, "it is woken", func() bool { return woken() > was })
	if !h.up("carrier1") {
		t.Error("the link was down")
	}
}

// hammer delivers messages one after another, beside each other, until the
// function it returns is called, and counts their outcomes.
func (h *house) hammer(t *testing.T) (stop func() map[message.Result]int) {
	var over atomic.Bool
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[message.Result]int{}
	for range 4 {
		wg.Go(func() {
			for !over.Load() {
				out := make(chan message.Outcome, 1)
				h.edge.Deliver(context.Background(), message.Attempt{Message: outgoing("x"), Link: "carrier1", Number: 1}, func(o message.Outcome) { out <- o })
				o := <-out
				mu.Lock()
				if outcomes[o.Result]++; outcomes[o.Result] == 1 && o.Result != message.Relayed {
					t.Logf("%s: %s, %s", o.Result, o.Cause, o.Detail)
				}
				mu.Unlock()
			}
		})
	}
	return func() map[message.Result]int {
		over.Store(true)
		wg.Wait()
		return outcomes
	}
}

func TestAMessageLeavesByTheSessionThatStands(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", binds: 2")
	soon(t, "both sessions", func() bool { return h.edge.line("carrier1").status().Sessions == 2 })
	stop := h.hammer(t)
	for i := range 20 {
		// In good order: what was sent is answered, nothing new is taken.
		standing := slices.DeleteFunc(h.edge.line("carrier1").all(), func(s *Session) bool { return s.Bound() == 0 })
		standing[0].Unbind(patience)
		soon(t, "both sessions again", func() bool {
			return len(c.binded()) >= i+3 && h.edge.line("carrier1").status().Sessions == 2
		})
	}
	got := stop()
	if got[message.Relayed] == 0 || len(got) > 1 {
		t.Errorf("%v", got)
	}
}

func TestARebindLosesNothing(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", binds: 2")
	stop := h.hammer(t)
	for range 20 {
		n := len(c.binded())
		h.edge.Rebind("carrier1", false)
		soon(t, "bound again", func() bool { return len(c.binded()) > n && h.up("carrier1") })
	}
	got := stop()
	if got[message.Relayed] == 0 || got[message.Unsure] > 0 {
		t.Errorf("%v", got)
	}
}

// dialled returns a session with c that is in use nowhere.
func dialled(t *testing.T, c *carrier) *Session {
	t.Helper()
	s, err := Dial(t.Context(), Peer{Address: c.address, Bind: pdu.BindTransceiver, SystemID: "us", Password: "pw2", Handler: Funcs{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestASessionThatNobodyWantsAnyMoreIsNotUsed(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	s, l := dialled(t, c), h.edge.line("carrier1")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	l.add(ctx, s)
	if slices.Contains(l.all(), s) {
		t.Error("it is in use")
	}
	soon(t, "it is ended", func() bool { return s.Err() != nil })
}

func TestASessionThatEndsLeavesAMessageToAnother(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	s, l := dialled(t, c), h.edge.line("carrier1")
	pdus, err := l.pdus(message.Attempt{Message: outgoing("x")}, l.settings.Load(), true)
	if err != nil {
		t.Fatal(err)
	}
	var got []message.Outcome
	f := &flight{settings: l.settings.Load(), session: s, release: func() {}, done: func(o message.Outcome) { got = append(got, o) }}
	s.move(stateBound, stateUnbinding)
	if f.send(t.Context(), pdus, nil, false) || len(got) > 0 {
		t.Errorf("it was sent: %v", got)
	}
	if !f.send(t.Context(), pdus, nil, true) || len(got) != 1 || got[0].Result != message.Deferred {
		t.Errorf("without another: %v", got)
	}
}

// binded returns the binds that the carrier has taken.
func (c *carrier) binded() []pdu.Command {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.binds)
}
