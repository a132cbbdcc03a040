package intake

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

// slowly is a Queue that stores so many messages a second, whoever asks.
type slowly struct {
	Queue
	mu   sync.Mutex
	each time.Duration
	free time.Time
}

func (q *slowly) Put(_ context.Context, rs ...message.Record) ([]message.ID, error) {
	q.mu.Lock()
	if now := time.Now(); q.free.Before(now) {
		q.free = now
	}
	q.free = q.free.Add(time.Duration(len(rs)) * q.each)
	done := q.free
	q.mu.Unlock()
	time.Sleep(time.Until(done))
	ids := make([]message.ID, len(rs))
	for i := range rs {
		ids[i] = rs[i].Message.ID
	}
	return ids, nil
}

// offer offers rate messages a second for d, fifty at a time, and returns how
// many were taken, how many refused, and the longest wait of one that was taken.
func offer(in *Intake, rate int, d time.Duration) (taken, refused int, longest time.Duration) {
	var mu sync.Mutex
	var all sync.WaitGroup
	const some = 50
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(some * time.Second / time.Duration(rate)) {
		all.Go(func() {
			ms := make([]*message.Message, some)
			for i := range ms {
				ms[i] = submission()
			}
			began := time.Now()
			errs := in.Accept(context.Background(), ms...)
			mu.Lock()
			defer mu.Unlock()
			if message.CauseOf(errs[0]) == message.Throttled {
				refused += some
				return
			}
			taken += some
			longest = max(longest, time.Since(began))
		})
	}
	all.Wait()
	return taken, refused, longest
}

func TestOverloadIsRefusedAtOnceAndTheRestIsStoredInTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		offered int
		taken   int // of 40,000 a second that can be stored
		refused bool
	}{
		{"half of what can be stored", 20_000, 20_000, false},
		{"twice of what can be stored", 80_000, 40_000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, _ := open(t, DefaultConfig())
				in.queue = &slowly{Queue: in.queue, each: time.Second / 40_000}
				taken, refused, longest := offer(in, c.offered, time.Second)
				if least := c.taken * 9 / 10; taken < least {
					t.Errorf("%d were taken, want %d at least", taken, least)
				}
				if (refused > 0) != c.refused {
					t.Errorf("%d were refused", refused)
				}
				if longest > 100*time.Millisecond {
					t.Errorf("one waited %s", longest)
				}
			})
		})
	}
}

func TestASlowDiskAloneRefusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := open(t, DefaultConfig())
		in.queue = &slowly{Queue: in.queue, each: 2 * time.Millisecond} // fifty take 100 ms
		if taken, refused, _ := offer(in, 400, 2*time.Second); refused > 0 || taken == 0 {
			t.Errorf("%d taken, %d refused", taken, refused)
		}
	})
}

func TestABurstIsLetInAndAQueueThatStaysIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := open(t, DefaultConfig())
		keeper := in.Doorkeeper()
		enter := func(n int) (let int) {
			for range n {
				if keeper.Enter("api", message.SourceSMPP) {
					let++
				}
			}
			return let
		}
		if got := enter(5000); got != 5000 {
			t.Fatalf("%d of a burst were let in", got)
		}
		for range 9 { // 100,000 a second, each late
			time.Sleep(10 * time.Millisecond)
			keeper.Leave(1000, 2*crowdPatience)
			enter(1000)
		}
		inside := int(in.crowd.inside.Load())
		if inside < crowdRoom || inside > 5000 {
			t.Fatalf("%d are inside", inside)
		}
		if got := enter(1000); got != 0 {
			t.Errorf("%d were let into a queue of %d", got, inside)
		}
		keeper.Leave(inside, 2*crowdPatience)
		if got := enter(5000); got < crowdRoom || got > 4000 {
			t.Errorf("%d were let in at once", got)
		}
		keeper.Leave(int(in.crowd.inside.Load()), time.Millisecond)
		time.Sleep(crowdCalm)
		enter(1)
		keeper.Leave(1, time.Millisecond)
		if got := enter(5000); got != 5000 {
			t.Errorf("%d of a burst were let in afterwards", got)
		}
	})
}

func TestACallIsCutWhereTheRoomEnds(t *testing.T) {
	in, _ := open(t, DefaultConfig())
	in.crowd.limit.Store(crowdRoom)
	in.crowd.inside.Store(crowdRoom - 2)
	errs := in.Accept(context.Background(), submission(), submission(), submission())
	if errs[0] != nil || errs[1] != nil || message.CauseOf(errs[2]) != message.Throttled {
		t.Errorf("%v", errs)
	}
	in.crowd.limit.Store(crowdRoom)
	errs = in.Accept(message.Together(context.Background()), submission(), submission(), submission())
	for _, err := range errs {
		if message.CauseOf(err) != message.Throttled {
			t.Errorf("%v of messages that go together", err)
		}
	}
	if errs = in.Accept(message.Inside(context.Background()), submission(), submission(), submission()); errs[2] != nil {
		t.Errorf("%v of one that has entered", errs[2])
	}
	if got := in.crowd.inside.Load(); got != crowdRoom-2 {
		t.Errorf("%d are inside", got)
	}
}

func TestNobodyIsTurnedAwayUnreadWhereRefusalsAreRecorded(t *testing.T) {
	in, _ := open(t, DefaultConfig())
	in.RecordRefusals(func(...message.Record) {})
	if in.Doorkeeper() != nil {
		t.Error("the record of a refusal needs its message")
	}
}
