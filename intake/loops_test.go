package intake

import (
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

func TestWhatComesBackInACircleIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := openRules(t, ruleBook)
		by := func(link, text string) *message.Message {
			return submission(func(m *message.Message) {
				m.Origin.Link, m.Body.Text, m.To.Value = link, text, "+491234567"
			})
		}
		send := func(text string) error { return in.one(by("trunk", text)) }
		for range 5 {
			if err := send("again and again"); err != nil {
				t.Fatal("what never left is no circle:", err)
			}
		}
		left := by("carrier1", "round")
		in.Left("trunk", left)
		for range 2 {
			if err := send("round"); err != nil {
				t.Fatal(err)
			}
			in.Left("trunk", left)
		}
		if err := send("round"); message.CauseOf(err) != message.Barred || message.TextOf(err) != "loop" {
			t.Errorf("the third return: %v", err)
		}
		if err := in.one(by("api", "round")); err != nil {
			t.Error("by another link:", err)
		}
		time.Sleep(11 * time.Minute)
		if err := send("round"); err != nil {
			t.Error("later:", err)
		}
		own := by("trunk", "hello")
		for range 6 {
			in.Left("trunk", own)
			if err := send("hello"); err != nil {
				t.Fatal("users of one link write to each other:", err)
			}
		}
	})
}

func BenchmarkLoops(b *testing.B) {
	l, m, now := newLoops(), submission(), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		l.left("carrier1", m, now)
		l.circles("esme1", m, now)
	}
}
