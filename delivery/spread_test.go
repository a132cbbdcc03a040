package delivery_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/message"
	"smsc/routing"
)

// looked counts the looks at what is parked, by key.
type looked struct {
	*memory
	mu    sync.Mutex
	looks map[string]int
}

func (q *looked) Parked(ctx context.Context, key string, after message.ID, n int) ([]message.Record, error) {
	q.mu.Lock()
	q.looks[key]++
	q.mu.Unlock()
	return q.memory.Parked(ctx, key, after, n)
}

func (q *looked) at(key string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.looks[key]
}

func TestWhatWaitsIsReadAgainOnlyForLinksThatMayTakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down, next, other := always(takes), always(takes), always(takes)
		lanes := []delivery.Lane{lane("down", down), lane("next", next), lane("other", other)}
		q := &looked{memory: newMemory(), looks: map[string]int{}}
		h := &house{t: t, q: q.memory, lanes: lanes, reg: prometheus.NewRegistry(), mint: message.NewMint(0)}
		in := routing.Input{Parents: map[string]string{"operator": ""}, Routes: []routing.Route{
			{ID: 1, Account: "operator", CalledPrefix: "44", DestSMSC: "down", Enabled: true},
			{ID: 2, Account: "operator", CalledPrefix: "447", DestSMSC: "next", Priority: 1, Enabled: true},
			{ID: 3, Account: "operator", CalledPrefix: "33", DestSMSC: "other", Enabled: true},
		}}
		for _, l := range lanes {
			in.Links = append(in.Links, routing.Link{Name: l.Name, Account: "operator"})
		}
		table, faults := routing.NewTable(in)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		h.table.Store(table)
		h.e = delivery.New(delivery.DefaultConfig(), q, q.memory, h.table.Load, h.mint, zerolog.Nop(), h.reg)
		h.e.SetLanes(lanes)
		h.run()
		id := h.accept()
		h.wait(time.Second)
		before := q.at("link:down")
		for range 5 {
			h.e.Link("other", true)
			h.wait(time.Second)
			h.e.Link("other", false)
		}
		if looks := q.at("link:down") - before; looks > 0 {
			t.Errorf("what waits for down was read %d times because other came and went", looks)
		}
		h.e.Link("next", true)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		if next.count() != 1 || down.count() > 0 {
			t.Errorf("%d by next, %d by down", next.count(), down.count())
		}
	})
}

func TestWhatALinkHadNoRoomForLeavesByAnotherWhenItGoesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, next := &courier{}, always(takes) // stuck never answers
		small := lane("stuck", stuck)
		small.Window = 1
		h := open(t, []string{"stuck", "next"}, small, lane("next", next))
		h.e.Link("next", false)
		h.run()
		const n = 3000 // far more than the lane holds in memory
		for range n {
			h.accept()
		}
		h.wait(time.Second)
		h.e.Link("next", true)
		h.wait(time.Second)
		h.e.Link("stuck", false)
		h.wait(time.Second)
		if got := next.count(); got < n-1 {
			t.Errorf("%d of %d left by the other link", got, n)
		}
	})
}
