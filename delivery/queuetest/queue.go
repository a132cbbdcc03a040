package queuetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"smsc/message"
)

var putTests = map[string]func(*testing.T, *fixture){
	"what was put is found as it was": func(t *testing.T, f *fixture) {
		r := f.message(func(r *message.Record) {
			r.Message.Extra = map[string]string{"smpp.service_type": "CMT", "a": ""}
			r.Message.Body = message.Body{Coding: message.Octets, Data: []byte{0, 1, 255}, UDH: []byte{1, 0}, Part: &message.Part{Ref: 7, Total: 2, Seq: 1}}
			r.Message.About = &message.About{ID: 5, Phase: message.Done, Word: "DELIVRD", Done: f.now.UTC()}
			r.State.Note(message.Step{At: f.now.UTC(), Kind: "accepted"})
		})
		f.put(r)
		if d := cmp.Diff(r, f.find(r.Message.ID), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	},
	"a repeat gets the first id and is not stored": func(t *testing.T, f *fixture) {
		ref := func(r *message.Record) { r.Message.Origin.Ref, r.Message.Origin.RefLife = "call-1", time.Hour }
		a, b, c := f.message(ref), f.message(ref), f.message(ref)
		got, err := f.Store.Put(f.ctx, a, b)
		if err != nil || !slices.Equal(got, []message.ID{a.Message.ID, a.Message.ID}) {
			t.Fatalf("Put of a message and its repeat = %v, %v", got, err)
		}
		if got, err = f.Store.Put(f.ctx, c); err != nil || got[0] != a.Message.ID {
			t.Fatalf("Put of a later repeat = %v, %v", got, err)
		}
		other := f.message(ref, func(r *message.Record) { r.Message.Origin.Link = "esme2" })
		if got, err = f.Store.Put(f.ctx, other); err != nil || got[0] != other.Message.ID {
			t.Fatalf("the same reference on another link = %v, %v", got, err)
		}
		if n := len(f.due(f.now)); n != 2 {
			t.Errorf("%d messages are due, want 2", n)
		}
	},
	"concurrent repeats get one id": func(t *testing.T, f *fixture) {
		const n = 16
		got := make(chan message.ID, n)
		for range n {
			r := f.message(func(r *message.Record) { r.Message.Origin.Ref, r.Message.Origin.RefLife = "x", time.Hour })
			go func() {
				ids, err := f.Store.Put(f.ctx, r)
				if err != nil {
					ids = []message.ID{0}
				}
				got <- ids[0]
			}()
		}
		first := <-got
		for range n - 1 {
			if id := <-got; id != first || id == 0 {
				t.Fatalf("ids %v and %v", first, id)
			}
		}
	},
	"a message may be put as already being tried": func(t *testing.T, f *fixture) {
		r := f.message(func(r *message.Record) {
			r.State.Phase, r.State.Due, r.State.Link = message.Trying, f.now.Add(time.Minute), "carrier1"
		})
		f.put(r)
		if got := f.due(f.now); len(got) != 0 {
			t.Fatalf("given out while its lease runs: %v", ids(got))
		}
		if got := f.due(f.now.Add(time.Minute)); len(got) != 1 || got[0].State.Phase != message.Trying {
			t.Fatalf("at the end of the lease: %v", got)
		}
		f.end(r.State, message.Done)
	},
}

var queueTests = map[string]func(*testing.T, *fixture){
	"due gives each message once, the oldest first": func(t *testing.T, f *fixture) {
		var want []message.ID
		for range 250 {
			r := f.message()
			f.put(r)
			want = append(want, r.Message.ID)
		}
		if got := ids(f.due(f.now)); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := f.due(f.now); len(got) != 0 {
			t.Errorf("given out twice: %v", ids(got))
		}
	},
	"what is due later comes later, and Due says when": func(t *testing.T, f *fixture) {
		at := f.now.Add(20 * time.Minute)
		r := f.message(func(r *message.Record) { r.State.Due = at.UTC() })
		f.put(r)
		got, next, err := f.Store.Due(f.ctx, f.now, 10)
		if err != nil || len(got) != 0 || next.Before(at) || next.After(at.Add(2*time.Millisecond)) {
			t.Fatalf("Due = %v, next %v, %v; want nothing, next %v", ids(got), next, err, at)
		}
		if got := f.due(next); len(got) != 1 {
			t.Fatalf("at that moment: %v", ids(got))
		}
	},
	"changed is signalled when something comes sooner": func(t *testing.T, f *fixture) {
		f.due(f.now)
		select {
		case <-f.Store.Changed():
		default:
		}
		f.put(f.message())
		select {
		case <-f.Store.Changed():
		case <-f.ctx.Done():
			t.Fatal("no signal")
		}
	},
	"a retry comes at its time, with the new state": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		s := f.begin(f.due(f.now)...)[0]
		s.Phase, s.Due, s.Rounds = message.Waiting, f.now.Add(2*time.Minute), 1
		s = f.finish(message.End{State: s})
		if got := f.due(f.now.Add(time.Minute)); len(got) != 0 {
			t.Fatalf("too soon: %v", ids(got))
		}
		got := f.due(f.now.Add(3 * time.Minute))
		if len(got) != 1 || got[0].State.Version != s.Version || got[0].State.Rounds != 1 || got[0].Message == nil {
			t.Fatalf("got %+v, want version %d", got, s.Version)
		}
	},
	"a lease that ends gives the message out as being tried": func(t *testing.T, f *fixture) {
		f.put(f.message())
		s := f.begin(f.due(f.now)...)[0]
		if got := f.due(f.now.Add(59 * time.Second)); len(got) != 0 {
			t.Fatalf("before its end: %v", ids(got))
		}
		got := f.due(f.now.Add(61 * time.Second))
		if len(got) != 1 || got[0].State.Phase != message.Trying || got[0].State.Version != s.Version {
			t.Fatalf("after its end: %+v", got)
		}
	},
	"a stale writer is refused": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		s := f.begin(r)[0]
		stale := s
		stale.Version--
		if err := f.Store.Begin(f.ctx, stale)[0]; !errors.Is(err, message.ErrStale) {
			t.Errorf("Begin of an old version: %v", err)
		}
		if err := f.Store.Finish(f.ctx, message.End{State: stale})[0]; !errors.Is(err, message.ErrStale) {
			t.Errorf("Finish of an old version: %v", err)
		}
		s = f.end(s, message.Done)
		s.Phase = message.Failed
		if err := f.Store.Finish(f.ctx, message.End{State: s})[0]; !errors.Is(err, message.ErrStale) {
			t.Errorf("a step that is not legal: %v", err)
		}
		missing := message.State{ID: f.mint.Next(f.now)}
		if err := f.Store.Finish(f.ctx, message.End{State: missing})[0]; !errors.Is(err, message.ErrNotFound) {
			t.Errorf("a message there is not: %v", err)
		}
	},
	"of two writers one wins": func(t *testing.T, f *fixture) {
		for range 50 {
			r := f.message()
			f.put(r)
			errs := make(chan error, 2)
			for _, p := range []message.Phase{message.Cancelled, message.Done} {
				s := r.State
				s.Phase, s.Ended = p, f.now
				go func() { errs <- f.Store.Finish(f.ctx, message.End{State: s})[0] }()
			}
			a, b := <-errs, <-errs
			if (a == nil) == (b == nil) {
				t.Fatalf("%v and %v", a, b)
			}
		}
	},
	"a cancelled message is not given out": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		f.end(r.State, message.Cancelled)
		if got := f.due(f.now.Add(2 * time.Hour)); len(got) != 0 {
			t.Errorf("given out: %v", ids(got))
		}
	},
	"a receipt is born with the end of its message": func(t *testing.T, f *fixture) {
		f.put(f.message())
		s := f.begin(f.due(f.now)...)[0]
		receipt := f.message(func(r *message.Record) {
			r.Message.Kind, r.Message.Dest, r.Message.About = message.KindReceipt, "esme1", &message.About{ID: s.ID}
		})
		f.end(s, message.Done, receipt)
		got := f.due(f.now)
		if len(got) != 1 || got[0].Message.Kind != message.KindReceipt || got[0].Message.About.ID != s.ID {
			t.Fatalf("due after the end: %v", got)
		}
	},
	"an edited message is given out as it is now": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		edited := r.Message.Clone()
		edited.Body.Text = "other words"
		f.finish(message.End{State: r.State, Message: edited})
		got := f.due(f.now)
		if len(got) != 1 || got[0].Message.Body.Text != "other words" || f.find(r.Message.ID).Message.Body.Text != "other words" {
			t.Fatalf("got %v", got)
		}
	},
	"an ended message can be opened again": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		s := f.end(r.State, message.Failed)
		s.Phase, s.Due, s.Opened, s.Ended = message.Waiting, f.now, 1, time.Time{}
		f.finish(message.End{State: s})
		if got := f.due(f.now); len(got) != 1 || got[0].State.Opened != 1 {
			t.Fatalf("got %v", got)
		}
	},
}

var parkedTests = map[string]func(*testing.T, *fixture){
	"parked messages come in order, page by page, and not by Due": func(t *testing.T, f *fixture) {
		var want []message.ID
		for range 30 {
			r := f.message(park("link:c1"))
			f.put(r, f.message(park("link:c10")))
			want = append(want, r.Message.ID)
		}
		if got := f.due(f.now); len(got) != 0 {
			t.Fatalf("given out: %v", ids(got))
		}
		var got []message.ID
		for last := message.ID(0); ; last = got[len(got)-1] {
			page, err := f.Store.Parked(f.ctx, "link:c1", last, 7)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, ids(page)...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	},
	"a parked message can be begun and finished": func(t *testing.T, f *fixture) {
		f.put(f.message(park("link:c1")))
		page, _ := f.Store.Parked(f.ctx, "link:c1", 0, 10)
		s := page[0].State
		s.Phase, s.Due, s.WakeOn = message.Trying, f.now.Add(time.Minute), ""
		if err := f.Store.Begin(f.ctx, s)[0]; err != nil {
			t.Fatal(err)
		}
		s.Version++
		if page, _ := f.Store.Parked(f.ctx, "link:c1", 0, 10); len(page) != 0 {
			t.Fatalf("still parked: %v", ids(page))
		}
		f.end(s, message.Done)
	},
	"awake makes due what waits on the key": func(t *testing.T, f *fixture) {
		for range 5 {
			f.put(f.message(park("aor:alice")))
		}
		f.put(f.message(park("aor:bob")))
		f.due(f.now)
		if n, err := f.Store.Awake(f.ctx, "aor:alice", 3); n != 3 || err != nil {
			t.Fatalf("Awake = %d, %v", n, err)
		}
		got := f.due(time.Now().Add(time.Second))
		if len(got) != 3 || got[0].State.WakeOn != "" {
			t.Fatalf("due: %v", got)
		}
		f.begin(got...)
		if n, err := f.Store.Awake(f.ctx, "aor:alice", 100); n != 2 || err != nil {
			t.Fatalf("Awake of the rest = %d, %v", n, err)
		}
	},
	"a parked message is given out when it expires": func(t *testing.T, f *fixture) {
		f.put(f.message(park("aor:alice")))
		if got := f.due(f.now.Add(time.Hour + time.Second)); len(got) != 1 {
			t.Fatalf("got %v", got)
		}
	},
}

var matchTests = map[string]func(*testing.T, *fixture){
	"news finds the message by link and any spelling": func(t *testing.T, f *fixture) {
		f.put(f.message())
		s := f.begin(f.due(f.now)...)[0]
		s.Phase, s.Due = message.Sent, f.now.Add(time.Hour)
		s.Segments = []message.Segment{{Remote: "00AB", Result: message.Relayed}, {Remote: "00AC", Result: message.Relayed}}
		s = f.finish(message.End{State: s})
		for _, spelling := range []string{"00ab", "AB", "ac"} {
			got, err := f.Store.Match(f.ctx, "carrier1", []string{"zz", spelling})
			if err != nil || len(got) != 1 || got[0].State.Version != s.Version {
				t.Errorf("Match %q = %v, %v", spelling, got, err)
			}
		}
		if got, _ := f.Store.Match(f.ctx, "carrier2", []string{"00AB"}); len(got) != 0 {
			t.Errorf("found on another link: %v", got)
		}
		f.end(s, message.Done)
		if got, _ := f.Store.Match(f.ctx, "carrier1", []string{"AB"}); len(got) != 1 {
			t.Errorf("after its end: %v", got)
		}
	},
	"of two with one id those without an end come first": func(t *testing.T, f *fixture) {
		f.put(f.message(), f.message())
		var last message.State
		for i, r := range f.due(f.now) {
			s := f.begin(r)[0]
			s.Phase, s.Segments = message.Sent, []message.Segment{{Remote: "7"}}
			if s = f.finish(message.End{State: s}); i == 0 {
				f.end(s, message.Done)
			}
			last = s
		}
		got, err := f.Store.Match(f.ctx, "carrier1", []string{"7"})
		if err != nil || len(got) != 2 || got[0].State.ID != last.ID {
			t.Fatalf("Match = %v, %v", got, err)
		}
	},
	"an id of an earlier link is forgotten": func(t *testing.T, f *fixture) {
		f.put(f.message())
		s := f.begin(f.due(f.now)...)[0]
		s.Segments = []message.Segment{{Remote: "7"}}
		s = f.finish(message.End{State: s})
		s.Link, s.Segments = "carrier2", nil
		f.finish(message.End{State: s})
		if got, _ := f.Store.Match(f.ctx, "carrier1", []string{"7"}); len(got) != 0 {
			t.Errorf("found: %v", got)
		}
	},
}
