package store

import (
	"slices"
	"testing"
	"time"

	"smsc/message"
)

// What the octets of a record tell must never hide one that matches: each
// query finds what a look at every record finds.
func TestASearchFindsWhatALookAtEachRecordFinds(t *testing.T) {
	s := open(t, Config{Dir: Memory})
	mint, ctx := message.NewMint(0), t.Context()
	for i := range 60 {
		r := sample(mint, time.Now())
		m, st := r.Message, &r.State
		m.Account = []string{"acme", "operator"}[i%2]
		m.Kind = []message.Kind{message.KindMessage, message.KindReceipt}[i/2%2]
		m.To = message.Address{Value: "+44770090012" + string(rune('0'+i%10)), Given: "0044 770"}
		m.Body.Text = []string{"hello", "ünlü ş", ""}[i%3]
		st.Phase = message.Phase(i % 8)
		if st.Phase.Ended() {
			st.Ended = time.Now()
		}
		st.Link = []string{"", "carrier1", "carrier2"}[i%3]
		st.Last.Remote = []string{"8f2" + string(rune('0'+i%5))}
		if _, err := s.Put(ctx, r); err != nil {
			t.Fatal(err)
		}
		if st.Phase == message.Waiting && i%16 == 0 {
			next := r.State
			next.Phase, next.Link, next.Due = message.Trying, "carrier3", time.Now().Add(time.Hour)
			if err := s.Begin(ctx, next)[0]; err != nil {
				t.Fatal(err)
			}
		}
	}
	every, err := s.List(ctx, message.Query{Limit: 1000})
	if err != nil || len(every) != 60 {
		t.Fatalf("%d records, %v", len(every), err)
	}
	kind := message.KindReceipt
	for name, q := range map[string]message.Query{
		"text": {Text: "ünlü"}, "number": {To: "447700900123"}, "prefix": {To: "4477*"}, "as written": {To: "0044 770"},
		"account": {Account: "acme"}, "kind": {Kind: &kind}, "link": {Link: "carrier3"}, "first link": {Link: "carrier1"},
		"remote": {Remote: "8f21"}, "status": {Statuses: []string{"failed", "sending"}}, "waiting": {Statuses: []string{"queued"}},
		"mentions": {Link: "carrier3", Mentions: []string{"zebra", "carrier3"}}, "mentioned text": {Text: "ünlü", Mentions: []string{"ünlü"}},
		"no such status": {Statuses: []string{"nowhere"}}, "all at once": {Account: "acme", Text: "h", Link: "carrier1", From: "+1555*"},
	} {
		for _, desc := range []bool{false, true} {
			var want, got []message.ID
			for _, r := range every {
				if q.Matches(r) {
					want = append(want, r.Message.ID)
				}
			}
			if desc {
				slices.Reverse(want)
			}
			q.Limit, q.Desc = 1000, desc
			found, err := s.List(ctx, q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range found {
				got = append(got, r.Message.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %s, descending %v: %d found, want %d", name, desc, len(got), len(want))
			}
		}
	}
}

func TestThePhaseIsReadFromEitherValue(t *testing.T) {
	for p := message.Waiting; p <= message.Dropped; p++ {
		st := message.State{ID: 7, Version: 300, Phase: p}
		h := head{account: "acme"}
		state := appendState(nil, &st, st.Version)
		if got, ok := phaseOf(append(appendHead(nil, h), state...), false); !ok || got != p {
			t.Errorf("state of %v reads as %v", p, got)
		}
		if got, ok := phaseOf(appendRecord(nil, h, state, nil), true); !ok || got != p {
			t.Errorf("record of %v reads as %v", p, got)
		}
	}
	for n := range 20 {
		phaseOf(make([]byte, n), n%2 == 0) // must not panic
	}
}

// A record that mentions nothing of what a hint lists is not even decoded.
func TestWhatMentionsNothingIsPassedOver(t *testing.T) {
	s := open(t, Config{Dir: Memory})
	if _, err := s.Put(t.Context(), sample(message.NewMint(0), time.Now())); err != nil {
		t.Fatal(err)
	}
	if found, err := s.List(t.Context(), message.Query{Mentions: []string{"zebra"}}); err != nil || len(found) != 0 {
		t.Errorf("%d found, %v", len(found), err)
	}
}
