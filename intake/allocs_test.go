package intake

import (
	"context"
	"testing"

	"smsc/message"
)

// bottomless is a Queue that takes everything and keeps nothing.
type bottomless struct {
	Queue
	ids [64]message.ID
}

func (q *bottomless) Put(_ context.Context, rs ...message.Record) ([]message.ID, error) {
	for i := range rs {
		q.ids[i] = rs[i].Message.ID
	}
	return q.ids[:len(rs)], nil
}

func (q *bottomless) Backlog(string) (own, total int) { return 0, 0 }

// The bound is a third above what was counted; the message itself is in it.
func TestAllocationsOfTheDoorForOneMessage(t *testing.T) {
	const n, most = 64, 11
	in, _ := open(t, DefaultConfig())
	in.queue = &bottomless{}
	ms := make([]*message.Message, n)
	each := testing.AllocsPerRun(50, func() {
		for i := range ms {
			ms[i] = submission()
		}
		for _, err := range in.Accept(context.Background(), ms...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}) / n
	t.Logf("%.1f allocations for each message", each)
	if each > most {
		t.Errorf("%.1f allocations for each message, more than %d", each, most)
	}
}
