package delivery_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smsc/delivery"
	"smsc/message"
)

// till is a charging server that answers by a script, and the book of what is
// to be settled.
type till struct {
	q *memory

	mu    sync.Mutex
	does  func(what string, b message.Bill) message.ChargeReply
	asked []string
	gone  []message.ID
}

func (c *till) ask(what string, b message.Bill) message.ChargeReply {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, what)
	return c.does(what, b)
}

func (c *till) Authorise(_ context.Context, b message.Bill) message.ChargeReply {
	return c.ask("authorise", b)
}
func (c *till) Debit(_ context.Context, b message.Bill) message.ChargeReply { return c.ask("debit", b) }
func (c *till) Refund(_ context.Context, b message.Bill) message.ChargeReply {
	return c.ask("refund", b)
}
func (c *till) Trace(_ context.Context, step message.ChargeStep, b message.Bill) message.ChargeReply {
	return c.ask("trace "+step.String(), b)
}
func (c *till) Ready() error { return nil }

func (c *till) questions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.asked)
}

func (c *till) Unsettled(_ context.Context, after message.ID, max int) (out []message.Record, err error) {
	for _, r := range c.q.all() {
		if r.State.ID > after && r.State.Charge.Todo != message.NoStep && len(out) < max {
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *till) Withdraw(_ context.Context, states ...message.State) []error {
	c.q.mu.Lock()
	defer c.q.mu.Unlock()
	errs := make([]error, len(states))
	for i, s := range states {
		if r := c.q.rows[s.ID]; r == nil || r.rec.State.Version != s.Version {
			errs[i] = message.ErrStale
			continue
		}
		delete(c.q.rows, s.ID)
		c.gone = append(c.gone, s.ID)
	}
	return errs
}

// charged stores a message as the door would, with its charge.
func (h *house) charged(c message.Charge, key string) message.ID {
	h.t.Helper()
	now := time.Now()
	m := &message.Message{ID: h.mint.Next(now), Account: "operator", From: message.Address{Value: "+4917012345"}, To: message.Address{Value: "+447700900123"},
		Body: message.Body{Text: "hello"}, Origin: message.Origin{Link: "home", Type: message.SourceSMPP}, Parts: c.Units, Charged: true,
		Accepted: now, Expires: now.Add(24 * time.Hour)}
	s := message.State{ID: m.ID, Due: now, WakeOn: key, Charge: c}
	if key != "" {
		s.Due = m.Expires
	}
	if _, err := h.q.Put(context.Background(), message.Record{Message: m, State: s}); err != nil {
		h.t.Fatal(err)
	}
	return m.ID
}

var (
	paid = message.Charge{Result: message.ChargeGranted, Server: true, Early: true, Refund: true, Units: 1, Taken: 1, Ref: "r"}
	owed = message.Charge{Result: message.ChargeOpen, Server: true, Units: 1}
	held = message.Charge{Result: message.ChargeUnknown, Todo: message.DebitStep, Asked: true, Server: true, Early: true, Refund: true, Units: 1}
)

func granted(string, message.Bill) message.ChargeReply {
	return message.ChargeReply{Verdict: message.Granted, Ref: "r"}
}

// cashier opens a house with a charging server.
func cashier(t *testing.T, o message.Outcome, does func(string, message.Bill) message.ChargeReply) (*house, *till) {
	h := open(t, []string{"a"}, lane("a", always(o)))
	c := &till{q: h.q, does: does}
	h.e.Charge(c, c, 3*time.Second, h.reg)
	h.run()
	return h, c
}

func (h *house) settledAs(id message.ID, result message.ChargeResult) {
	h.t.Helper()
	c := h.get(id).State.Charge
	if c.Result != result || c.Todo != message.NoStep || c.Asked {
		h.t.Errorf("settled as %+v, want %v", c, result)
	}
}

func (c *till) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := c.questions(); !slices.Equal(got, want) {
		t.Errorf("asked %v, want %v", got, want)
	}
}

func TestWhatFailedIsGivenBackAndWhatArrivedIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := cashier(t, refuses, granted)
		failed := h.charged(paid, "")
		h.wait(time.Minute)
		h.stands(failed, message.Failed, message.UnknownNumber)
		h.settledAs(failed, message.ChargeRefunded)
		c.expect(t, "refund")
	})
	synctest.Test(t, func(t *testing.T) {
		h, c := cashier(t, takes, granted)
		id, late := h.charged(paid, ""), h.charged(owed, "")
		h.wait(time.Minute)
		h.settledAs(id, message.ChargeGranted)
		h.settledAs(late, message.ChargeGranted)
		c.expect(t, "debit")
	})
}

func TestAServerThatIsAwayIsAskedAgainUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := time.Now().Add(time.Hour)
		h, c := cashier(t, refuses, func(what string, b message.Bill) message.ChargeReply {
			if time.Now().Before(away) {
				return message.ChargeReply{Verdict: message.Unreached}
			}
			return granted(what, b)
		})
		id := h.charged(paid, "")
		h.wait(2 * time.Hour)
		h.settledAs(id, message.ChargeRefunded)
		if n := len(c.questions()); n < 10 || n > 40 {
			t.Errorf("asked %d times in an hour", n)
		}
	})
}

func TestASilentServerIsNotAskedForTheSameTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := cashier(t, takes, func(what string, b message.Bill) message.ChargeReply {
			if what == "debit" {
				return message.ChargeReply{}
			}
			return granted(what, b)
		})
		id := h.charged(owed, "")
		h.wait(5 * time.Minute)
		h.settledAs(id, message.ChargeGranted)
		c.expect(t, "debit", "trace debit")
	})
}

func TestWhatNobodyWillKnowIsNotedForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := cashier(t, refuses, func(string, message.Bill) message.ChargeReply { return message.ChargeReply{} })
		id := h.charged(paid, "")
		h.wait(5 * time.Minute)
		h.settledAs(id, message.ChargeUnknown)
		c.expect(t, "refund", "trace refund")
		if _, ok, _ := h.q.Get(t.Context(), delivery.ChargeKind, id.String()); !ok {
			t.Error("there is no note")
		}
	})
}

func TestWhatACrashLeftHeldIsGivenBackAndForgotten(t *testing.T) {
	for _, c := range []struct {
		name  string
		trace message.Verdict
		asked []string
	}{
		{"it was taken", message.Granted, []string{"trace debit", "refund"}},
		{"it was not", message.Denied, []string{"trace debit"}},
		{"nobody will know", message.Unanswered, []string{"trace debit"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, server := cashier(t, takes, func(what string, _ message.Bill) message.ChargeReply {
					if what == "refund" {
						return message.ChargeReply{Verdict: message.Granted}
					}
					return message.ChargeReply{Verdict: c.trace, Ref: "r"}
				})
				id := h.charged(held, message.HeldKey)
				if err := h.e.Cancel(t.Context(), nil, id, "me"); err == nil {
					t.Error("what is being paid for was cancelled")
				}
				h.wait(10 * time.Minute)
				server.expect(t, c.asked...)
				if !slices.Equal(server.gone, []message.ID{id}) {
					t.Errorf("withdrawn: %v", server.gone)
				}
			})
		})
	}
}

func TestACrashBetweenQuestionAndAnswerFindsOutFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := cashier(t, takes, granted)
		h.halt()
		id := h.charged(message.Charge{Result: message.ChargeGranted, Todo: message.RefundStep, Asked: true, Server: true, Early: true, Refund: true,
			Units: 1, Taken: 1}, message.HeldKey)
		h.q.rows[id].rec.State.Phase, h.q.rows[id].rec.State.WakeOn = message.Failed, ""
		again := openOn(t, h.q, delivery.DefaultConfig(), []string{"a"}, lane("a", always(takes)))
		again.e.Charge(c, c, 3*time.Second, again.reg)
		again.run()
		again.wait(time.Minute)
		c.expect(t, "trace refund")
		again.settledAs(id, message.ChargeRefunded)
	})
}
