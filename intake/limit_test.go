package intake

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
	"smsc/tenant"
)

func TestBacklog(t *testing.T) {
	slow := func(m *message.Message) { m.Account = "slow" }
	in, _ := open(t, DefaultConfig())
	errs := in.Accept(context.Background(), submission(slow), submission(slow), submission(slow), submission(slow))
	if errs[2] != nil || message.CauseOf(errs[3]) != message.Congested {
		t.Error(errs)
	}
	cfg := DefaultConfig()
	cfg.Backlog = 2
	in, _ = open(t, cfg)
	for i, want := range []message.Cause{0, 0, message.Congested} {
		if err := in.one(submission()); message.CauseOf(err) != want {
			t.Errorf("message %d: %v", i, err)
		}
	}
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := open(t, DefaultConfig())
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
		try := func(account, link string, parts int) error {
			return in.one(submission(func(m *message.Message) {
				m.Account, m.Origin.Link = account, link
				if parts > 1 {
					m.Body.Text = strings.Repeat("x", 153*parts)
				}
			}))
		}
		expect := func(what string, err error, after time.Duration) {
			t.Helper()
			var e *message.Error
			if !errors.As(err, &e) {
				e = &message.Error{}
			}
			if d := e.After - after; d < 0 || d > 2*time.Millisecond || after > 0 && e.Cause != message.Throttled {
				t.Errorf("%s: %v, after %v; want %v", what, err, e.After, after)
			}
		}
		// The bucket of the link holds two parts and fills at two a second.
		expect("first", try("operator", "esme1", 1), 0)
		expect("second", try("operator", "esme1", 1), 0)
		expect("third", try("operator", "esme1", 1), 500*time.Millisecond)
		time.Sleep(501 * time.Millisecond)
		expect("after half a second", try("operator", "esme1", 1), 0)
		time.Sleep(time.Second)
		expect("five parts pass when the bucket is full", try("operator", "esme1", 5), 0)
		expect("on credit", try("operator", "esme1", 1), 2*time.Second)
	})
}

func TestLimitsHoldForAllBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		above := []metered{{"account/slow", tenant.Limits{PerSecond: 5, PerMinute: 8}}}
		both := append([]metered{{"account/below", tenant.Limits{PerSecond: 100}}}, above...)
		now := time.Now().Truncate(time.Minute)
		if err := l.take(now, 5, both); err != nil {
			t.Fatal(err)
		}
		if err := l.take(now, 1, above); message.CauseOf(err) != message.Throttled {
			t.Errorf("the bucket above is not shared: %v", err)
		}
		now = now.Add(2 * time.Second)
		if err := l.take(now, 3, both); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Second)
		var e *message.Error
		if err := l.take(now, 1, both); !errors.As(err, &e) || e.After != 56*time.Second {
			t.Errorf("the minute is over its limit: %v", err)
		}
		// What was refused above was not counted below.
		if m := l.meters["account/below"]; m.windows[0].parts != 8 {
			t.Errorf("%d parts counted", m.windows[0].parts)
		}
		if err := l.take(now.Add(56*time.Second), 1, both); err != nil {
			t.Errorf("a new minute: %v", err)
		}
		// Bigger than the window: passes when that is unused.
		if err := l.take(now.Add(2*time.Minute), 20, above); err != nil {
			t.Errorf("a long message: %v", err)
		}
	})
}
