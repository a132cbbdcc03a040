package intake

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

func TestRefusalsAreRecordedAndAFloodIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, q := openRules(t, ruleBook)
		var mu sync.Mutex
		var all []message.Record
		in.RecordRefusals(func(rs ...message.Record) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, rs...)
		})
		records := func() []message.Record {
			mu.Lock()
			defer mu.Unlock()
			return all
		}
		barred := func(m *message.Message) { m.To.Value = "+449123" }
		if in.one(submission(barred)) == nil || in.one(submission()) != nil || len(q.puts) != 1 {
			t.Fatal("one is refused, one is kept")
		}
		kept := records()
		if len(kept) != 1 {
			t.Fatalf("%d records", len(kept))
		}
		r := kept[0]
		if r.Message.ID == 0 || r.Message.Account != "operator" || r.Message.To.Value != "+449123" || r.State.Phase != message.Failed ||
			r.State.Failure != message.Barred || r.State.Last.Detail != "closed" || len(r.State.Trace) != 1 || r.State.Trace[0].Result != "reject" {
			t.Errorf("%+v %+v", r.Message, r.State)
		}
		for range 1500 {
			_ = in.one(submission(barred))
		}
		if n := len(records()); n != maxRefusals {
			t.Errorf("%d records in one second", n)
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		kept = records()
		if last := kept[len(kept)-1]; len(kept) != maxRefusals+1 || !strings.HasPrefix(last.State.Last.Detail, "501 further") {
			t.Errorf("%d records, the last says %q", len(kept), last.State.Last.Detail)
		}
		if _ = in.one(submission(barred)); len(records()) != maxRefusals+2 {
			t.Error("the next second has room again")
		}
	})
}
