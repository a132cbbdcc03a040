package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"smsc/message"
)

// partsOf puts n parts that wait on one key.
func partsOf(t *testing.T, s *Store, n int) []message.Record {
	t.Helper()
	now := time.Now()
	rs := make([]message.Record, n)
	for i := range rs {
		id := message.IDAt(now) + message.ID(i) + 1
		m := &message.Message{
			ID: id, Account: "acme", From: message.Address{Value: "+49170"}, To: message.Address{Value: "+44770"},
			Body:     message.Body{Text: "x", Part: &message.Part{Ref: 7, Total: uint8(n), Seq: uint8(i + 1)}},
			Origin:   message.Origin{Link: "esme1", Ref: "part:x/" + id.String(), RefLife: time.Minute},
			Accepted: now, Expires: now.Add(time.Hour), Parts: 1,
		}
		rs[i] = message.Record{Message: m, State: message.State{ID: id, WakeOn: "part:x", Due: now.Add(time.Minute)}}
	}
	if _, err := s.Put(context.Background(), rs...); err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestJoinedPartsBecomeOneMessageWithTheirIDsAsAliases(t *testing.T) {
	ctx := context.Background()
	cfg := Config{Dir: t.TempDir()}
	s := open(t, cfg)
	rs := partsOf(t, s, 3)
	whole := rs[0].Message.Clone()
	whole.Body = message.Body{Text: "xxx"}
	whole.Aliases = []message.Alias{{ID: rs[1].State.ID, Wants: message.WantFinal, Handle: "h"}, {ID: rs[2].State.ID}}
	st := rs[0].State
	st.WakeOn, st.Due = "", time.Now()
	end := message.End{State: st, Message: whole}

	stale := rs[2].State
	stale.Version++
	if err := s.Join(ctx, end, rs[1].State, stale); !errors.Is(err, message.ErrStale) {
		t.Fatalf("a join with a part that changed: %v", err)
	}
	if waiting, _ := s.Parked(ctx, "part:x", 0, 10); len(waiting) != 3 {
		t.Fatalf("%d parts wait after a join that failed", len(waiting))
	}
	if err := s.Join(ctx, end, rs[1].State, rs[2].State); err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		for _, r := range rs {
			got, err := s.Find(ctx, nil, r.State.ID)
			if err != nil || got.State.ID != rs[0].State.ID || got.Message.Body.Text != "xxx" {
				t.Errorf("id %s finds %v, %v", r.State.ID, got.State.ID, err)
			}
		}
		if own, all := s.Backlog("acme"); own != 1 || all != 1 {
			t.Errorf("backlog %d of %d", own, all)
		}
		if waiting, _ := s.Parked(ctx, "part:x", 0, 10); len(waiting) != 0 {
			t.Errorf("%d parts still wait", len(waiting))
		}
		list, err := s.List(ctx, message.Query{Alias: rs[1].State.ID})
		if err != nil || len(list) != 1 || list[0].Message.Aliases[0] != whole.Aliases[0] {
			t.Errorf("by alias: %v %v", list, err)
		}
	}
	look()
	// A part that is repeated gets its first answer.
	again := rs[1]
	again.Message = again.Message.Clone()
	again.Message.ID += 100
	again.State.ID += 100
	if ids, err := s.Put(ctx, again); err != nil || ids[0] != rs[1].State.ID {
		t.Errorf("repeat: %v %v", ids, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	deadline := time.Now().Add(10 * time.Second)
	for own, _ := s.Backlog("acme"); own != 1 && time.Now().Before(deadline); own, _ = s.Backlog("acme") {
		time.Sleep(10 * time.Millisecond) // it is counted in the background
	}
	look()
}

func TestRetentionTakesAliasesAlong(t *testing.T) {
	c := &clock{}
	s := open(t, Config{Dir: Memory, Retention: time.Hour, Now: c.now})
	ctx := context.Background()
	rs := partsOf(t, s, 2)
	whole := rs[0].Message.Clone()
	whole.Body, whole.Aliases = message.Body{Text: "xx"}, []message.Alias{{ID: rs[1].State.ID}}
	st := rs[0].State
	st.WakeOn = ""
	if err := s.Join(ctx, message.End{State: st, Message: whole}, rs[1].State); err != nil {
		t.Fatal(err)
	}
	st.Version, st.Phase, st.Ended = 1, message.Done, c.now()
	if errs := s.Finish(ctx, message.End{State: st}); errs[0] != nil {
		t.Fatal(errs[0])
	}
	for range 3 {
		c.turn(3 * time.Hour)
		s.sweepNow(ctx)
	}
	left := keys(t, s)
	delete(left, keyVersion)
	delete(left, keyLastID)
	for k, n := range left {
		t.Errorf("%d keys %q are left", n, k)
	}
}

func TestKeysThatSomethingWaitsOnAreListedByTheirBeginning(t *testing.T) {
	s := open(t, Config{Dir: t.TempDir()})
	now := time.Now()
	for i, key := range []string{"part:b", "part:b", "part:a", "part:longer", "link:part:", "part", "zart:a"} {
		m := &message.Message{ID: message.IDAt(now) + message.ID(i) + 1, Account: "acme", Accepted: now, Expires: now.Add(time.Hour)}
		if _, err := s.Put(t.Context(), message.Record{Message: m, State: message.State{ID: m.ID, WakeOn: key, Due: now.Add(time.Minute)}}); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string]string{
		"part:": "[part:a part:b part:longer]", "": "[part part:a part:b zart:a link:part: part:longer]", "none:": "[]",
	} {
		if keys, err := s.Waits(t.Context(), prefix); err != nil || fmt.Sprint(keys) != want {
			t.Errorf("%q: %v, %v, want %s", prefix, keys, err, want)
		}
	}
}
