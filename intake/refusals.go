package intake

import (
	"fmt"
	"sync"
	"time"

	"smsc/message"
)

// maxRefusals is how many refusals of one second have a record each; the rest
// is counted in one (spec records §4).
const maxRefusals = 1000

// refusals hands what was refused at the door to who keeps records of it. A
// peer that is refused all the time must not fill the disk.
type refusals struct {
	keep func(...message.Record)
	mint *message.Mint

	mu     sync.Mutex
	second int64
	kept   int
	over   *int // refused in that second beyond those; nil: none
}

// RecordRefusals has each refusal told to keep, at most 1,000 a second and one
// record a second that counts the others. The records have IDs that name no
// message. keep must not wait. It is called before the first message.
func (in *Intake) RecordRefusals(keep func(...message.Record)) {
	in.refusals = &refusals{keep: keep, mint: in.mint}
}

// refuse records that m was refused. steps are what rules did.
func (r *refusals) refuse(m *message.Message, err error, steps []message.Step, now time.Time) {
	if r == nil || !r.room(now) {
		return
	}
	c := *m
	c.ID, c.Accepted = r.mint.Next(now), now
	s := message.State{ID: c.ID, Phase: message.Failed, Failure: message.CauseOf(err), Ended: now}
	s.Last.Detail = message.TextOf(err)
	for _, step := range steps {
		step.At = now
		s.Note(step)
	}
	r.keep(message.Record{Message: &c, State: s})
}

// room tells whether one more of this second has a record of its own.
func (r *refusals) room(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := now.Unix(); second != r.second {
		r.second, r.kept, r.over = second, 0, nil
	}
	if r.kept < maxRefusals {
		r.kept++
		return true
	}
	if r.over == nil {
		over := new(int)
		r.over = over
		time.AfterFunc(time.Second, func() { r.count(over) }) // that second is over then
	}
	*r.over++
	return false
}

// count records how many refusals of a second have no record of their own.
func (r *refusals) count(over *int) {
	now := time.Now()
	r.mu.Lock()
	n := *over
	r.mu.Unlock()
	m := &message.Message{ID: r.mint.Next(now), Accepted: now}
	s := message.State{ID: m.ID, Phase: message.Failed, Failure: message.Throttled, Ended: now}
	s.Last.Detail = fmt.Sprintf("%d further refusals have no record", n)
	r.keep(message.Record{Message: m, State: s})
}
