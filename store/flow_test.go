package store

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"smsc/message"
)

func TestTheFlowCountsEachChangeOnce(t *testing.T) {
	s := open(t, Config{Dir: Memory})
	ctx, mint := context.Background(), message.NewMint(0)
	put := func(kind message.Kind) message.State {
		t.Helper()
		r := sample(mint, time.Now())
		r.Message.Account, r.Message.Kind, r.Message.Parts, r.Message.Origin.Link = "acme", kind, 3, "esme1"
		if _, err := s.Put(ctx, r); err != nil {
			t.Fatal(err)
		}
		return r.State
	}
	delivered, failed := put(message.KindMessage), put(message.KindMessage)
	receipt := put(message.KindReceipt)
	delivered.Link, receipt.Link, failed.Link = "carrier1", "esme1", "carrier2"
	delivered = finish(t, s, delivered, message.Sent)
	finish(t, s, delivered, message.Done)
	failed.Rounds = 1
	failed = finish(t, s, failed, message.Waiting)
	failed.Failure = message.Absent
	finish(t, s, failed, message.Failed)
	finish(t, s, receipt, message.Done)

	f := s.Harvest()
	want := Tally{Accepted: 2, Parts: 6, Delivered: 1, Failed: 1, Retries: 1, Receipts: 1}
	want.Causes[message.Absent] = 1
	if got := f.Accounts["acme"]; got == nil || *got != want {
		t.Errorf("acme %+v, want %+v", got, want)
	}
	for name, want := range map[string]LinkTally{"esme1": {In: 2, Out: 1}, "carrier1": {Out: 1}, "carrier2": {Failed: 1}} {
		if got := f.Links[name]; got == nil || *got != want {
			t.Errorf("%s %+v, want %+v", name, got, want)
		}
	}
	if f = s.Harvest(); f.Accounts != nil {
		t.Errorf("harvested twice: %+v", f.Accounts)
	}
}

// only returns the queue of a name, and of acme.
func only(s *Store, name string) Queue {
	for _, q := range s.Queues() {
		if q.Name == name && q.Account == "acme" {
			return q
		}
	}
	return Queue{}
}

func TestQueuesAreCountedAndCountedAnewAfterAnOpen(t *testing.T) {
	fs, ctx, mint := vfs.NewMem(), context.Background(), message.NewMint(0)
	s := open(t, Config{Dir: "data", FS: fs})
	var first message.ID
	for i := range 5 {
		r := sample(mint, time.Now())
		r.Message.Account, r.State.WakeOn = "acme", "queue:app"
		if i == 4 {
			r.State.WakeOn = "link:carrier1"
		}
		if i == 0 {
			first = r.Message.ID
		}
		if _, err := s.Put(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Take(ctx, "app", 1, time.Minute, nil); len(got) != 1 || err != nil {
		t.Fatal(got, err)
	}
	check := func() bool {
		return only(s, "app") == Queue{Name: "app", Account: "acme", Polled: true, Waiting: 3, Leased: 1} &&
			only(s, "carrier1") == Queue{Name: "carrier1", Account: "acme", Waiting: 1}
	}
	if !check() {
		t.Errorf("%+v", s.Queues())
	}
	if got := s.Longest("app", true); got != first {
		t.Errorf("oldest %d, want %d", got, first)
	}
	if s.Longest("app", false) != 0 {
		t.Error("a link of the name of a queue is the same thing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: "data", FS: fs})
	defer s.Close()
	eventually(t, "counted anew", check)
	rs, err := s.Take(ctx, "app", 9, 0, nil)
	if err != nil || len(rs) != 3 {
		t.Fatal(rs, err)
	}
	for _, r := range rs {
		r.State.WakeOn = ""
		finish(t, s, r.State, message.Done)
	}
	if got := only(s, "app"); got.Waiting != 0 || got.Leased != 1 {
		t.Errorf("%+v", got)
	}
	if st := s.Stats(); st.Syncs == 0 || st.Committed == 0 || st.LastSync <= 0 {
		t.Errorf("%+v", st)
	}
}
