package cgrates

import (
	"context"
	"math"
	"testing"
	"time"

	"smsc/charging/cgrates/enginetest"
	"smsc/message"
)

func engineClient(t *testing.T, e *enginetest.Engine) *Client {
	t.Helper()
	c := New(Config{URL: e.URL, Node: "smsc1", Tenant: enginetest.Tenant, Category: "sms", RequestType: "*prepaid", Plus: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func billTo(id message.ID, to string, units uint8) message.Bill {
	return message.Bill{ID: id, Units: units, Payer: "acme", To: message.Address{Value: to}, At: time.Now()}
}

// ask bounds one question.
func ask(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestARealEngineTakesOnceAndGivesBack(t *testing.T) {
	e := enginetest.Start(t)
	c := engineClient(t, e)
	e.SetBalance(t, "acme", 1)
	has := func(want float64) {
		t.Helper()
		if got := e.Balance(t, "acme"); math.Abs(got-want) > 1e-9 {
			t.Fatalf("the balance is %v, want %v", got, want)
		}
	}
	says := func(what string, r message.ChargeReply, want message.Verdict) {
		t.Helper()
		if r.Verdict != want {
			t.Fatalf("%s: %v, want %v (%+v)", what, r.Verdict, want, r)
		}
	}
	has(1)
	b := billTo(101, "+447700900123", 3)
	says("authorise", c.Authorise(ask(t), b), message.Granted)
	has(1)
	r := c.Debit(ask(t), b)
	says("debit of three parts", r, message.Granted)
	if r.Lost || r.Ref != "101" {
		t.Errorf("%+v", r)
	}
	has(0.88)
	says("trace", c.Trace(ask(t), message.DebitStep, b), message.Granted)
	says("trace of what never was", c.Trace(ask(t), message.DebitStep, billTo(999, "+44", 1)), message.Unanswered)
	time.Sleep(3 * time.Second) // nothing that happens later takes it again
	has(0.88)

	b.Ref, b.Taken, b.Units = r.Ref, 3, 3
	says("refund", c.Refund(ask(t), b), message.Granted)
	has(1)

	p := billTo(102, "+447700900123", 4)
	r = c.Debit(ask(t), p)
	says("debit of four", r, message.Granted)
	has(0.84)
	p.Ref, p.Taken, p.Units = r.Ref, 4, 3
	r = c.Refund(ask(t), p)
	says("refund of three of them", r, message.Granted)
	has(0.96)

	says("more than there is", c.Debit(ask(t), billTo(103, "+4917612345", 10)), message.Denied)
	has(0.96)
	says("more than there is, asked before", c.Authorise(ask(t), billTo(104, "+4917612345", 10)), message.Denied)
	nobody := billTo(105, "+447700900123", 1)
	nobody.Payer = "nobody"
	r = c.Debit(ask(t), nobody)
	says("no such account", r, message.Denied)
	if r.Cause != message.NoCredit {
		t.Errorf("%+v", r)
	}
	t.Logf("no rate: %+v", c.Debit(ask(t), billTo(106, "+33123", 1)))
	has(0.96)
}

// A frozen engine takes the money when it wakes, and has no record of it: that
// there is none must not be taken for a no.
func TestARealEngineThatWasFrozenLeavesItUnknown(t *testing.T) {
	e := enginetest.Start(t)
	c := engineClient(t, e)
	e.SetBalance(t, "acme", 1)
	b := billTo(201, "+447700900123", 1)
	e.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if r := c.Debit(ctx, b); r.Verdict != message.Unanswered {
		t.Fatalf("a frozen server: %+v", r)
	}
	if c.Ready() == nil {
		t.Error("a frozen server is ready")
	}
	e.Continue(t)
	if r := c.Trace(ask(t), message.DebitStep, b); r.Verdict != message.Unanswered {
		t.Errorf("no record of it, and the trace says %+v", r)
	}
	if err := c.Ready(); err != nil {
		t.Error("it answers again, and is not ready:", err)
	}
}
