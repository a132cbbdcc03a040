package sip

import (
	"container/heap"
	"sync"
	"time"
)

// agenda calls what is due: one goroutine and one timer for all of it. What
// it calls must not block.
type agenda struct {
	mu   sync.Mutex
	due  appointments
	poke chan struct{}
}

// appointment is one call to come.
type appointment struct {
	at    time.Time
	do    func()
	index int // in the heap; -1: made or cancelled
}

func newAgenda() *agenda { return &agenda{poke: make(chan struct{}, 1)} }

// add has do called at the given time, unless it is dropped before.
func (a *agenda) add(at time.Time, do func()) *appointment {
	p := &appointment{at: at, do: do}
	a.mu.Lock()
	heap.Push(&a.due, p)
	first := p.index == 0
	a.mu.Unlock()
	if first {
		select {
		case a.poke <- struct{}{}:
		default:
		}
	}
	return p
}

// drop cancels an appointment; nil and past ones are ignored.
func (a *agenda) drop(p *appointment) {
	if p == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.index >= 0 {
		heap.Remove(&a.due, p.index)
	}
}

// run calls what is due until stop is closed.
func (a *agenda) run(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		p, wait := a.next(now)
		if p != nil {
			p.do()
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-a.poke:
		case <-stop:
			return
		}
	}
}

// next takes the first appointment if it is due, else tells how long to wait.
func (a *agenda) next(now time.Time) (*appointment, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) == 0 {
		return nil, time.Hour
	}
	if wait := a.due[0].at.Sub(now); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&a.due).(*appointment), 0
}

// appointments is a heap, the earliest first.
type appointments []*appointment

func (h appointments) Len() int           { return len(h) }
func (h appointments) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h appointments) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push and Pop implement heap.Interface.
func (h *appointments) Push(x any) {
	p := x.(*appointment)
	p.index = len(*h)
	*h = append(*h, p)
}

func (h *appointments) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	p.index = -1
	return p
}
