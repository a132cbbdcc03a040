package intake

import (
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

func TestDrop(t *testing.T) {
	in, q := open(t, DefaultConfig())
	m := submission(func(m *message.Message) {
		m.To.Value, m.Wants, m.Origin.Link, m.Origin.Ref = "+4612345678", message.WantFinal, "esme1", "r1"
	})
	if err := in.one(m); err != nil {
		t.Fatal(err)
	}
	rs := q.last()
	if len(rs) != 2 || rs[0].State.Phase != message.Dropped || rs[0].State.Failure != message.Barred || rs[0].State.Ended.IsZero() {
		t.Fatalf("kept %+v", rs)
	}
	receipt := rs[1].Message
	if receipt.Kind != message.KindReceipt || receipt.Dest != "esme1" || receipt.About.Phase != message.Dropped ||
		receipt.About.ID != m.ID || receipt.To.Value != m.From.Value || receipt.Expires.IsZero() {
		t.Errorf("receipt %+v about %+v", receipt, receipt.About)
	}
	again := *m
	again.Origin.Ref = "r1"
	if err := in.one(&again); err != nil || q.total != 2 {
		t.Errorf("the repeat bore something: %d kept, %v", q.total, err)
	}
}

func TestAutoReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, q := open(t, DefaultConfig())
		to := func(m *message.Message) { m.To.Value, m.Wants = "+4712345678", message.WantFinal }
		if err := in.one(submission(to)); err != nil {
			t.Fatal(err)
		}
		rs := q.last()
		if len(rs) != 3 || rs[0].State.Phase != message.Dropped {
			t.Fatalf("kept %d", len(rs))
		}
		answer, receipt := rs[1].Message, rs[2].Message
		if answer.Body.Text != "we are closed" || answer.To.Value != "+4917012345" || answer.From.Value != "+4712345678" ||
			answer.Origin.Link != "auto" || answer.Charged {
			t.Errorf("answer %+v", answer)
		}
		if receipt.About.Phase != message.Done {
			t.Errorf("the receipt says %v", receipt.About.Phase)
		}
		count := func(change ...func(*message.Message)) int {
			t.Helper()
			if err := in.one(submission(append(change, func(m *message.Message) { m.To.Value = "+4712345678" })...)); err != nil {
				t.Fatal(err)
			}
			return len(q.last()) - 1
		}
		if n := count(); n != 0 {
			t.Error("a second answer within a minute")
		}
		time.Sleep(time.Minute)
		if n := count(); n != 1 {
			t.Error("no answer after a minute")
		}
		if n := count(func(m *message.Message) { m.From.Value = "SHOP" }); n != 0 {
			t.Error("a name was answered")
		}
		if n := count(func(m *message.Message) { m.From.Value, m.Origin.Type = "+4917012399", message.SourceLocal }); n != 0 {
			t.Error("an answer was answered")
		}
	})
}

func TestAParkedMessageIsStoredAsADeadLetter(t *testing.T) {
	in, q := open(t, DefaultConfig())
	m := submission(func(m *message.Message) { m.Extra = map[string]string{message.ExtraParked: "1"} })
	if err := in.one(m); err != nil {
		t.Fatal(err)
	}
	batch := q.last()
	if s := batch[0].State; len(batch) != 1 || s.Phase != message.Failed || s.Ended.IsZero() || s.WakeOn != "" || s.Failure != message.Absent {
		t.Errorf("%d records, %+v", len(batch), batch[0].State)
	}
}
