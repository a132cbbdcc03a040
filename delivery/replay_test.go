package delivery_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"smsc/message"
)

func TestWhoAsksIsToldThatTheNextHopHasIt(t *testing.T) {
	bubble(t, "once it has, and again at the end", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept(wants(message.WantFinal | message.WantSent))
		h.wait(time.Second)
		h.stands(id, message.Sent, message.CauseNone)
		h.told(id, message.Sent)
		for _, err := range h.e.Report(bg, message.News{Link: "out", Remote: []string{"A1"}, Outcome: takes}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		rs := h.told(id, message.Sent, message.Done)
		r := h.get(id)
		if made := message.Receipts(&r.State); len(made) != 2 || made[0] != rs[0].Message.ID || made[1] != rs[1].Message.ID {
			t.Errorf("the trace tells of %v", made)
		}
	})
	bubble(t, "nobody else is", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept(wants(message.WantFinal | message.WantIntermediate))
		h.wait(time.Second)
		h.told(id)
	})
}

func TestReplay(t *testing.T) {
	bubble(t, "what was told is told again, the message stays", func(t *testing.T) {
		home := always(takes)
		h := open(t, []string{"out"}, lane("out", always(takes)), lane("home", home))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		first := h.told(id, message.Done)[0]
		before := h.stands(id, message.Done, message.CauseNone)
		again := func(r message.Record) []*message.Message {
			m := first.Message.Clone()
			return []*message.Message{m}
		}
		if err := h.e.Replay(bg, nil, id, "test", again); err != nil {
			t.Fatal(err)
		}
		h.wait(time.Second)
		rs := h.told(id, message.Done, message.Done)
		if rs[1].Message.ID == first.Message.ID || rs[1].State.Phase != message.Done || home.count() != 2 {
			t.Errorf("%+v, %d tries", rs[1], home.count())
		}
		after := h.stands(id, message.Done, message.CauseNone)
		if !after.State.Ended.Equal(before.State.Ended) || len(message.Receipts(&after.State)) != 2 {
			t.Errorf("%+v", after.State)
		}
		nobody := func(string) bool { return false }
		if err := h.e.Replay(bg, nobody, id, "test", again); !errors.Is(err, message.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestAWebhookIsToldInOrderForEachNumber(t *testing.T) {
	bubble(t, "other numbers do not wait", func(t *testing.T) {
		home := &courier{}
		to := lane("home", home)
		to.Kind, to.Serial = "webhook", true
		h := open(t, []string{"out"}, lane("out", always(takes)), to)
		h.run()
		number := func(n string) func(*message.Message) {
			return func(m *message.Message) { m.Wants, m.To.Value = message.WantFinal, n }
		}
		h.accept(number("+441"))
		h.wait(time.Second)
		h.accept(number("+441"))
		h.accept(number("+442"))
		h.wait(time.Second)
		var told []string
		for _, a := range home.tries {
			told = append(told, a.Message.From.Value)
		}
		if !slices.Equal(told, []string{"+441", "+442"}) {
			t.Errorf("under way: %v", told)
		}
		home.dones[0](takes)
		h.wait(time.Second)
		if home.count() != 3 {
			t.Errorf("%d tries", home.count())
		}
	})
}
