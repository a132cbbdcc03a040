package message

import (
	"testing"
	"time"
)

func TestWhoIsOwedAReceipt(t *testing.T) {
	ended := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		change func(*Message, *State)
		phase  Phase // said by the receipt
		cause  Cause
		none   bool
	}{
		{"delivered, both asked", func(_ *Message, s *State) { s.Phase = Done }, Done, CauseNone, false},
		{"delivered, failures asked", func(m *Message, s *State) { m.Wants, s.Phase = WantFailure, Done }, 0, 0, true},
		{"failed, successes asked", func(m *Message, s *State) { m.Wants, s.Phase = WantSuccess, Failed }, 0, 0, true},
		{"failed", func(_ *Message, s *State) { s.Phase, s.Failure = Failed, Barred }, Failed, Barred, false},
		{"expired with a last real failure", func(_ *Message, s *State) { s.Phase, s.Failure = Expired, Absent }, Expired, Absent, false},
		{"expired without one", func(_ *Message, s *State) { s.Phase = Expired }, Expired, TimeExpired, false},
		{"answered by a route", func(_ *Message, s *State) { s.Phase, s.Last.Detail = Dropped, AutoReply }, Done, CauseNone, false},
		{"dropped", func(_ *Message, s *State) { s.Phase, s.Failure = Dropped, Barred }, Dropped, Barred, false},
		{"not ended", func(_ *Message, s *State) { s.Phase = Sent }, 0, 0, true},
		{"a receipt", func(m *Message, s *State) { m.Kind, s.Phase = KindReceipt, Done }, 0, 0, true},
		{"a datagram", func(m *Message, s *State) { m.Mode, s.Phase = ModeDatagram, Done }, 0, 0, true},
		{"reopened, and the failure was reported", func(_ *Message, s *State) { s.Opened, s.Phase = 1, Done }, 0, 0, true},
		{"reopened, and only success is to be reported", func(m *Message, s *State) { m.Wants, s.Opened, s.Phase = WantSuccess, 1, Done }, Done, CauseNone, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &Message{ID: 7, Account: "acme", From: Address{Value: "+491", Given: "01"}, To: Address{Value: "+492"},
				Wants: WantFinal, Parts: 3, Body: Body{Text: "naïve {text} that is longer than twenty"},
				Origin: Origin{Link: "esme1", Handle: "h"}}
			s := State{ID: 7, Ended: ended, Last: Outcome{Word: "UNDELIV", Code: "027"},
				Segments: []Segment{{"a", Delivered}, {"b", Relayed}, {"c", Refused}}}
			c.change(m, &s)
			r := FinalReceipt(Record{m, s})
			if r == nil || c.none {
				if (r == nil) != c.none {
					t.Errorf("receipt %+v", r)
				}
				return
			}
			a := r.About
			if a.Phase != c.phase || a.Cause != c.cause || a.ID != 7 || a.Handle != "h" || !a.Done.Equal(ended) ||
				a.Word != "UNDELIV" || a.Code != "027" || a.Excerpt != "na?ve ?text? that is" {
				t.Errorf("about %+v", a)
			}
			if want := map[bool]uint8{true: 3, false: 1}[c.phase == Done]; a.Delivered != want || a.Parts != 3 {
				t.Errorf("%d of %d delivered, want %d", a.Delivered, a.Parts, want)
			}
			if r.Kind != KindReceipt || r.Dest != "esme1" || r.To.Given != "01" || r.From.Value != "+492" || r.Wants != WantNone {
				t.Errorf("receipt %+v", r)
			}
		})
	}
}

func TestNotification(t *testing.T) {
	m := &Message{ID: 7, Wants: WantFinal}
	s := State{ID: 7, Phase: Waiting, Failure: Absent}
	if r := Notification(Record{m, s}); r != nil {
		t.Errorf("not asked for: %+v", r)
	}
	m.Wants |= WantIntermediate
	if r := Notification(Record{m, s}); r == nil || r.About.Phase != Waiting || r.About.Cause != Absent {
		t.Errorf("notification %+v", r)
	}
}
