package delivery

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"smsc/message"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func attempted(change ...func(*message.Message, *message.State)) message.Record {
	m := &message.Message{ID: 1, Accepted: start, Expires: start.Add(24 * time.Hour), Parts: 1}
	s := message.State{ID: 1, Phase: message.Trying, Link: "one", Tried: []string{"one"}, Attempts: 1}
	for _, f := range change {
		f(m, &s)
	}
	return message.Record{Message: m, State: s}
}

func TestNext(t *testing.T) {
	rounds := func(n uint16) func(*message.Message, *message.State) {
		return func(_ *message.Message, s *message.State) { s.Rounds = n }
	}
	lives := func(d time.Duration) func(*message.Message, *message.State) {
		return func(m *message.Message, _ *message.State) { m.Expires = start.Add(d) }
	}
	once := func(m *message.Message, _ *message.State) { m.Once = true }
	receipt := func(m *message.Message, _ *message.State) { m.Kind = message.KindReceipt }
	some := func(_ *message.Message, s *message.State) {
		s.Segments = []message.Segment{{Remote: "1", Result: message.Relayed}, {}}
	}
	deferred := func(c message.Cause) message.Outcome {
		return message.Outcome{Result: message.Deferred, Cause: c}
	}
	later := func(o message.Outcome, d time.Duration) message.Outcome { o.After = d; return o }
	paused := message.Outcome{Result: message.Deferred, Cause: message.Throttled, Pause: true}
	policy := Policy{Retry: DefaultConfig().Retry}
	three := Policy{Retry: Retry{Base: time.Minute, Factor: 2, Max: time.Hour, Attempts: 3}}

	for _, c := range []struct {
		name   string
		policy Policy
		r      message.Record
		o      message.Outcome
		way    Way
		phase  message.Phase
		due    time.Duration // from now; -1 none
		wake   string
		rounds uint16
	}{
		{"delivered ends", policy, attempted(), message.Outcome{Result: message.Delivered}, Way{}, message.Done, -1, "", 0},
		{"relayed waits for the report until the grace is over", policy, attempted(), message.Outcome{Result: message.Relayed}, Way{}, message.Sent, 24*time.Hour + 15*time.Minute, "", 0},
		{"a relayed receipt is home", policy, attempted(receipt), message.Outcome{Result: message.Relayed}, Way{}, message.Done, -1, "", 0},
		{"refused ends, also with another hop", policy, attempted(), message.Outcome{Result: message.Refused, Cause: message.Barred}, Way{More: true}, message.Failed, -1, "", 0},
		{"deferred goes to the next hop at once", policy, attempted(), deferred(message.Congested), Way{More: true}, message.Waiting, 0, "", 0},
		{"deferred by the last hop waits two minutes", policy, attempted(), deferred(message.Congested), Way{}, message.Waiting, 2 * time.Minute, "", 1},
		{"then four", policy, attempted(rounds(1)), deferred(message.Congested), Way{}, message.Waiting, 4 * time.Minute, "", 2},
		{"then eight", policy, attempted(rounds(2)), deferred(message.Congested), Way{}, message.Waiting, 8 * time.Minute, "", 3},
		{"a day at most", policy, attempted(rounds(60), lives(240*time.Hour)), deferred(message.Congested), Way{}, message.Waiting, 24 * time.Hour, "", 61},
		{"the peer's advice replaces a shorter delay", policy, attempted(), later(deferred(message.Congested), time.Hour), Way{}, message.Waiting, time.Hour, "", 1},
		{"but not a longer one", policy, attempted(), later(deferred(message.Congested), time.Second), Way{}, message.Waiting, 2 * time.Minute, "", 1},
		{"a last round thirty seconds before the end", policy, attempted(lives(110 * time.Second)), deferred(message.Congested), Way{}, message.Waiting, 80 * time.Second, "", 1},
		{"unless that is nearer than base", policy, attempted(lives(80 * time.Second)), deferred(message.Congested), Way{}, message.Waiting, 80 * time.Second, "", 1},
		{"silence ends the round", policy, attempted(), message.Outcome{}, Way{More: true}, message.Waiting, 2 * time.Minute, "", 1},
		{"the owner of the number would know", policy, attempted(), deferred(message.Absent), Way{More: true, Owns: true, Wake: "number:+44"}, message.Waiting, 2 * time.Minute, "number:+44", 1},
		{"a stranger would not", policy, attempted(), deferred(message.Absent), Way{Wake: "number:+44"}, message.Waiting, 2 * time.Minute, "", 1},
		{"congestion of the owner is no news about the recipient", policy, attempted(), deferred(message.Congested), Way{More: true, Owns: true}, message.Waiting, 0, "", 0},
		{"once means one round", policy, attempted(once), deferred(message.Congested), Way{}, message.Failed, -1, "", 1},
		{"of all hops", policy, attempted(once), deferred(message.Congested), Way{More: true}, message.Waiting, 0, "", 0},
		{"and silence is its end", policy, attempted(once), message.Outcome{}, Way{More: true}, message.Failed, -1, "", 1},
		{"rounds may be limited", three, attempted(rounds(2)), deferred(message.Congested), Way{}, message.Failed, -1, "", 3},
		{"but not before", three, attempted(rounds(1)), deferred(message.Congested), Way{}, message.Waiting, 4 * time.Minute, "", 2},
		{"a throttled message waits for its lane", policy, attempted(), paused, Way{}, message.Waiting, 24 * time.Hour, "link:one", 0},
		{"or takes the next hop", policy, attempted(), paused, Way{More: true}, message.Waiting, 0, "", 0},
		{"a partly sent one stays with its link", policy, attempted(some), deferred(message.Congested), Way{More: true}, message.Waiting, 2 * time.Minute, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.policy.Next(c.r, c.o, c.way, start)
			due := time.Duration(-1)
			if !s.Due.IsZero() {
				due = s.Due.Sub(start)
			}
			if s.Phase != c.phase || due != c.due || s.WakeOn != c.wake || s.Rounds != c.rounds {
				t.Errorf("stands at %v, due %v, wakes on %q, %d rounds; want %v %v %q %d",
					s.Phase, due, s.WakeOn, s.Rounds, c.phase, c.due, c.wake, c.rounds)
			}
			if want := c.r.State.Attempts; c.o.Pause && s.Attempts != want-1 || !c.o.Pause && s.Attempts != want {
				t.Errorf("%d attempts", s.Attempts)
			}
		})
	}
}

// Whatever happens, the step is legal, an end is complete, and what waits is
// due at the end of its validity at the latest.
func TestNextIsAlwaysLegal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	policy := Policy{Retry: DefaultConfig().Retry}
	for range 20000 {
		r := attempted(func(m *message.Message, s *message.State) {
			s.Phase = message.Phase(random.IntN(3))
			s.Rounds, s.Attempts = uint16(random.IntN(1<<16)), uint16(1+random.IntN(1<<16-1))
			m.Once, m.Mode, m.Kind = random.IntN(4) == 0, message.Mode(random.IntN(3)), message.Kind(random.IntN(2))
			m.Expires = start.Add(time.Duration(random.IntN(1000)) * time.Minute)
			for range random.IntN(4) {
				s.Segments = append(s.Segments, message.Segment{Remote: "x", Result: message.Result(random.IntN(5))})
			}
		})
		o := message.Outcome{Result: message.Result(random.IntN(5)), Cause: message.Cause(random.IntN(14)),
			Pause: random.IntN(4) == 0, After: time.Duration(random.IntN(1000)) * time.Second}
		for range random.IntN(4) {
			o.Remote = append(o.Remote, []string{"", "x"}[random.IntN(2)])
		}
		before := fmt.Sprint(r.State)
		s := policy.Next(r, o, Way{More: random.IntN(2) == 0, Owns: random.IntN(2) == 0, Wake: "aor:x"}, start)
		if fmt.Sprint(r.State) != before {
			t.Fatalf("Next wrote to its argument: %s became %v", before, r.State)
		}
		switch {
		case !r.State.Phase.CanBecome(s.Phase):
			t.Fatalf("%v became %v by %+v", r.State.Phase, s.Phase, o)
		case s.Phase.Ended() && (s.Ended.IsZero() || !s.Due.IsZero() || s.WakeOn != ""):
			t.Fatalf("an end that is none: %+v", s)
		case s.Phase == message.Failed && s.Failure == message.CauseNone:
			t.Fatalf("a failure without a cause after %+v", o)
		case s.Phase == message.Waiting && s.Due.After(r.Message.Expires):
			t.Fatalf("due %v after the validity", s.Due.Sub(r.Message.Expires))
		}
	}
}

func TestFairTurns(t *testing.T) {
	var f fair
	add := func(account string, id message.ID, priority uint8) {
		f.push(&item{rec: message.Record{Message: &message.Message{ID: id, Account: account, Priority: priority}}})
	}
	add("a", 1, 0)
	add("a", 2, 0)
	add("a", 3, 1)
	add("b", 4, 0)
	add("c", 5, 0)
	add("b", 6, 9)
	want := []message.ID{3, 6, 5, 1, 4, 2}
	for i, id := range want {
		if got := f.pop().rec.Message.ID; got != id {
			t.Errorf("turn %d is %d's, want %d", i, got, id)
		}
	}
	if f.pop() != nil || f.n != 0 || len(f.shares) != 0 {
		t.Errorf("something is left: %+v", f)
	}
}

// A row gives back what was put in, in order, whatever happens in between.
func TestFifo(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var q fifo
	var want []*item
	for range 10000 {
		switch it := new(item); random.IntN(5) {
		case 0, 1:
			q.push(it)
			want = append(want, it)
		case 2:
			q.unshift(it)
			want = append([]*item{it}, want...)
		default:
			if len(want) == 0 {
				if q.pop() != nil {
					t.Fatal("an empty row gave something")
				}
				continue
			}
			if q.pop() != want[0] {
				t.Fatal("out of order")
			}
			want = want[1:]
		}
	}
}

func BenchmarkFair(b *testing.B) {
	var f fair
	items := make([]*item, 1000)
	for i := range items {
		items[i] = &item{rec: message.Record{Message: &message.Message{ID: message.ID(i), Account: string(rune('a' + i%7))}}}
	}
	b.ReportAllocs()
	for i := range b.N {
		f.push(items[i%1000])
		if i%100 == 99 {
			for range 100 {
				f.pop()
			}
		}
	}
}

func BenchmarkNext(b *testing.B) {
	policy := Policy{Retry: DefaultConfig().Retry}
	r := attempted()
	o := message.Outcome{Result: message.Relayed, Remote: []string{"a"}}
	b.ReportAllocs()
	for b.Loop() {
		policy.Next(r, o, Way{}, start)
	}
}
