package intake

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

// part is one of the parts of a text to the queue of pollers.
func part(to, text string, ref uint16, total, seq uint8, change ...func(*message.Message)) *message.Message {
	return submission(append([]func(*message.Message){func(m *message.Message) {
		m.To.Value = to
		m.Body = message.Body{Text: text, Part: &message.Part{Kind: message.PartSAR, Ref: ref, Total: total, Seq: seq}}
	}}, change...)...)
}

func from(link string) func(*message.Message) {
	return func(m *message.Message) { m.Origin.Link = link }
}

func asks(w message.Wants) func(*message.Message) { return func(m *message.Message) { m.Wants = w } }

const polled, carried = "+45123456", "+447700900123"

// stored is what the queue holds, by text.
func stored(q *shelfless) map[string]message.Record {
	all := map[string]message.Record{}
	for _, put := range q.puts {
		for _, r := range put {
			all[r.Message.Body.Text] = r
		}
	}
	return all
}

func TestPartsForAPollerAreJoinedWhateverTheirOrder(t *testing.T) {
	in, q := open(t, DefaultConfig())
	var ids []message.ID
	for _, m := range []*message.Message{
		part(polled, "c", 9, 3, 3, asks(message.WantFinal)), part(polled, "a", 9, 3, 1, asks(message.WantFailure)),
		part(polled, "b", 9, 3, 2),
	} {
		if err := in.one(m); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	all := stored(q)
	whole, ok := all["abc"]
	if !ok || len(all) != 1 {
		t.Fatalf("stored: %v", all)
	}
	m := whole.Message
	if m.ID != ids[1] || m.Parts != 3 || m.Wants != message.WantFailure || m.Body.Part != nil || whole.State.WakeOn != "" {
		t.Errorf("the whole: %+v %+v", m, whole.State)
	}
	want := []message.Alias{{ID: ids[2]}, {ID: ids[0], Wants: message.WantFinal}}
	if len(m.Aliases) != 2 || m.Aliases[0] != want[0] || m.Aliases[1] != want[1] {
		t.Errorf("aliases %v, want %v", m.Aliases, want)
	}
	state := whole.State
	state.Phase, state.Ended = message.Done, time.Now()
	if rs := message.PartReceipts(message.Record{Message: m, State: state}); len(rs) != 1 || rs[0].About.ID != ids[0] {
		t.Errorf("receipts of the parts: %v", rs)
	}
}

func TestPartsInOneBatchAreJoined(t *testing.T) {
	in, q := open(t, DefaultConfig())
	for _, err := range in.Accept(context.Background(), part(polled, "a", 1, 2, 1), part(polled, "b", 1, 2, 2)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := stored(q)["ab"]; !ok {
		t.Errorf("stored: %v", stored(q))
	}
}

func TestWhatIsNotOneGroupIsNotJoined(t *testing.T) {
	other := func(f func(*message.Message)) *message.Message { return part(polled, "b", 1, 2, 2, f) }
	for name, second := range map[string]*message.Message{
		"another reference":         part(polled, "b", 2, 2, 2),
		"another recipient":         part("+45999999", "b", 1, 2, 2),
		"another total":             part(polled, "b", 1, 3, 2),
		"another kind of reference": other(func(m *message.Message) { m.Body.Part.Kind = message.PartUDH8 }),
		"another sender":            other(func(m *message.Message) { m.From.Value = "+4999" }),
		"another link":              other(from("esme1")),
		"the same part":             part(polled, "b", 1, 2, 1),
		"datagram mode":             other(func(m *message.Message) { m.Mode = message.ModeDatagram }),
	} {
		in, q := open(t, DefaultConfig())
		for _, m := range []*message.Message{part(polled, "a", 1, 2, 1), second} {
			if err := in.one(m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if all := stored(q); len(all) != 2 {
			t.Errorf("%s: %v", name, all)
		}
	}
}

func TestACarrierGetsThePartsAsTheyCome(t *testing.T) {
	in, q := open(t, DefaultConfig())
	_ = in.one(part(carried, "a", 1, 2, 1))
	_ = in.one(part(carried, "b", 1, 2, 2))
	if all := stored(q); len(all) != 2 || all["a"].State.WakeOn != "" {
		t.Errorf("stored: %v", all)
	}
}

func TestARepeatedPartIsAnsweredWithItsFirstID(t *testing.T) {
	in, q := open(t, DefaultConfig())
	first, again := part(polled, "a", 1, 2, 1), part(polled, "a", 1, 2, 1)
	_ = in.one(first)
	if err := in.one(again); err != nil || again.ID != first.ID {
		t.Errorf("%v, id %s, the first was %s", err, again.ID, first.ID)
	}
	_ = in.one(part(polled, "b", 1, 2, 2))
	if _, ok := stored(q)["ab"]; !ok {
		t.Errorf("stored: %v", stored(q))
	}
}

func TestAPartWaitsAMinuteFromTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, q := open(t, DefaultConfig())
		began := time.Now()
		_ = in.one(part(polled, "a", 1, 3, 1))
		time.Sleep(20 * time.Second)
		_ = in.one(part(polled, "b", 1, 3, 2))
		for text, r := range stored(q) {
			if !r.State.Due.Equal(began.Add(time.Minute)) {
				t.Errorf("%s is due after %s", text, r.State.Due.Sub(began))
			}
		}
		time.Sleep(time.Minute)
		late := time.Now()
		_ = in.one(part(polled, "x", 1, 3, 1))
		if due := stored(q)["x"].State.Due; !due.Equal(late.Add(time.Minute)) {
			t.Errorf("a new group is due after %s", due.Sub(late))
		}
	})
}

func TestAGroupThatWasCompleteBeforeACrashIsJoinedAtTheNextStart(t *testing.T) {
	in, q := open(t, DefaultConfig())
	q.noJoin = errors.New("the power is gone")
	_ = in.one(part(polled, "a", 1, 2, 1))
	_ = in.one(part(polled, "b", 1, 2, 2))
	_ = in.one(part(polled, "x", 2, 2, 1)) // its other part never came
	q.noJoin = nil
	if err := in.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := stored(q)
	if _, ok := all["ab"]; !ok || len(all) != 2 || all["x"].State.WakeOn == "" {
		t.Errorf("stored: %v", all)
	}
}
