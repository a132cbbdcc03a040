package sip

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
)

// counting is a door that counts how many messages each question was about.
type counting struct {
	message.Acceptor
	mu    sync.Mutex
	asked []int
}

func (c *counting) Accept(ctx context.Context, ms ...*message.Message) []error {
	c.mu.Lock()
	c.asked = append(c.asked, len(ms))
	c.mu.Unlock()
	return c.Acceptor.Accept(ctx, ms...)
}

func TestMessagesThatComeTogetherAreOneQuestionAtTheDoor(t *testing.T) {
	h := prepare(t, quick(), connect, &shelf{})
	door := &counting{Acceptor: h.door}
	h.deps.Acceptor = door
	h.serve()
	same := draft{body: "twice", callID: "same@client.test"}
	var burst []*packet
	for _, d := range []draft{{body: "a"}, {body: "b"}, {body: "odd", headers: []string{"X-SMS-CODING: 9"}}, same, same, {body: "c"}} {
		raw := &packet{flow: flow{transport: transportUDP, peer: mustAddrPort("127.0.0.1:5099")}, body: []byte(d.String())}
		burst = append(burst, raw)
	}
	h.end.serveAll(burst, time.Now())
	door.mu.Lock()
	defer door.mu.Unlock()
	if len(door.asked) != 1 || door.asked[0] != 4 {
		t.Errorf("the door was asked about %v", door.asked)
	}
	if n := len(h.door.all()); n != 4 {
		t.Errorf("%d messages were taken", n)
	}
	eventually(t, "nothing is left in hand", func() bool { return h.meters.open.Load() == 0 && len(h.repeats.open) == 0 })
}

func TestWhatMayTakeLongHoldsUpNobodyElseOfItsBurst(t *testing.T) {
	h := open(t, quick(), connect)
	ended := make(chan struct{})
	h.desk.set(func(d *desk) {
		d.wait = func(message.ID) (message.Record, error) {
			<-ended
			return message.Record{}, context.DeadlineExceeded
		}
	})
	release := sync.OnceFunc(func() { close(ended) })
	t.Cleanup(release)
	w := dial(t, "tcp", h.tcp())
	slow := draft{body: "x", callID: "slow@x", headers: []string{"X-SMS-MODE: transaction"}}.String()
	report := draft{body: "x", callID: "report@x", headers: []string{"X-SMS-RECEIPT: DELIVRD", "X-SMS-ID: 77"}}.String()
	w.send(slow + report + draft{body: "y", callID: "plain@x"}.String())
	seen := map[string]int{}
	for range 2 {
		a := w.read()
		seen[a.get("Call-ID")] = a.status
	}
	if seen["plain@x"] != 202 || seen["report@x"] != 200 {
		t.Errorf("before the one that waits for its end: %v", seen)
	}
	release()
	a := w.read()
	for a.status == 100 {
		a = w.read()
	}
	if a.get("Call-ID") != "slow@x" || a.status != 202 {
		t.Errorf("%s %d", a.get("Call-ID"), a.status)
	}
	if n := len(h.desk.heard()); n != 1 {
		t.Errorf("%d pieces of news", n)
	}
}

func TestADoorThatBreaksIsA500ForAllOfABurst(t *testing.T) {
	h := open(t, quick(), connect)
	h.door.says(func(*message.Message) error { panic("door fell") })
	w := dial(t, "tcp", h.tcp())
	w.send(strings.Join([]string{draft{body: "a"}.String(), draft{body: "b"}.String(), draft{body: "c"}.String()}, ""))
	for range 3 {
		if a := w.read(); a.status != 500 {
			t.Errorf("%d", a.status)
		}
	}
	h.door.says(nil)
	if a := w.answer(draft{body: "d"}.String()); a.status != 202 {
		t.Errorf("afterwards %d", a.status)
	}
}

func TestWhatWaitsInTheLaneBecomesOneBurst(t *testing.T) {
	release, bursts := make(chan struct{}), make(chan int, 100)
	var done atomic.Int64
	p := newPool(1000)
	l := newLane(p, func(burst []*packet, _ time.Time) {
		<-release
		bursts <- len(burst)
		done.Add(int64(len(burst)))
	})
	for range laneHands {
		l.submit(new(packet))
		eventually(t, "a hand takes it", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.queue) == 0
		})
	}
	for range 100 {
		l.submit(new(packet))
	}
	close(release)
	eventually(t, "all are handled", func() bool { return done.Load() == laneHands+100 && p.busy.Load() == 0 })
	most := 0
	for len(bursts) > 0 {
		most = max(most, <-bursts)
	}
	if most != 100 {
		t.Errorf("the largest burst was of %d", most)
	}
	for range p.limit {
		p.enter()
	}
	if l.submit(new(packet)) {
		t.Error("more than the limit is taken")
	}
	p.close()
	l.close()
}

func TestNothingInTheLaneIsForgotten(t *testing.T) {
	var done atomic.Int64
	p := newPool(1 << 20)
	l := newLane(p, func(burst []*packet, _ time.Time) { done.Add(int64(len(burst))) })
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5000 {
				l.submit(new(packet))
			}
		})
	}
	all.Wait()
	eventually(t, "all are handled", func() bool { return done.Load() == 20_000 })
	p.close()
	l.close()
}
