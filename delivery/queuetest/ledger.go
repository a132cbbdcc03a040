package queuetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"smsc/message"
)

var ledgerTests = map[string]func(*testing.T, *fixture){
	"find stays within reach": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		never := func(string) bool { return false }
		if _, err := f.Ledger.Find(f.ctx, never, r.Message.ID); !errors.Is(err, message.ErrNotFound) {
			t.Errorf("out of reach: %v", err)
		}
		if _, err := f.Ledger.Find(f.ctx, nil, r.Message.ID+1); !errors.Is(err, message.ErrNotFound) {
			t.Errorf("no such message: %v", err)
		}
	},
	"list pages in both directions": func(t *testing.T, f *fixture) {
		var all []message.ID
		for i := range 25 {
			r := f.message(func(r *message.Record) { r.Message.Account = []string{"acme", "shop"}[i%2] })
			f.put(r)
			all = append(all, r.Message.ID)
		}
		page := func(q message.Query) (got []message.ID) {
			for {
				rs, err := f.Ledger.List(f.ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if len(rs) == 0 {
					return got
				}
				got = append(got, ids(rs)...)
				q.After = got[len(got)-1]
			}
		}
		if got := page(message.Query{Limit: 4}); !slices.Equal(got, all) {
			t.Errorf("all: %v, want %v", got, all)
		}
		var back, acme []message.ID
		for i, id := range all {
			back = append([]message.ID{id}, back...)
			if i%2 == 0 {
				acme = append(acme, id)
			}
		}
		if got := page(message.Query{Limit: 4, Desc: true}); !slices.Equal(got, back) {
			t.Errorf("newest first: %v, want %v", got, back)
		}
		if got := page(message.Query{Limit: 4, Account: "acme"}); !slices.Equal(got, acme) {
			t.Errorf("of one account: %v, want %v", got, acme)
		}
		reach := func(a string) bool { return a == "acme" }
		if got := page(message.Query{Limit: 4, Reach: reach}); !slices.Equal(got, acme) {
			t.Errorf("in reach: %v, want %v", got, acme)
		}
		if got := page(message.Query{Limit: 4, Account: "shop", Reach: reach}); len(got) != 0 {
			t.Errorf("out of reach: %v", got)
		}
	},
	"list filters by state and time": func(t *testing.T, f *fixture) {
		a, b := f.message(), f.message(func(r *message.Record) { r.Message.Accepted = r.Message.Accepted.Add(time.Minute) })
		f.put(a, b)
		f.end(a.State, message.Failed)
		for name, q := range map[string]message.Query{
			"failed":    {Statuses: []string{"failed"}},
			"until":     {Until: f.now.Add(30 * time.Second)},
			"desc page": {Desc: true, After: b.Message.ID},
		} {
			if got, err := f.Ledger.List(f.ctx, q); err != nil || len(got) != 1 || got[0].Message.ID != a.Message.ID {
				t.Errorf("%s: %v, %v", name, ids(got), err)
			}
		}
		if got, err := f.Ledger.List(f.ctx, message.Query{Since: f.now.Add(30 * time.Second)}); err != nil || len(got) != 1 || got[0].Message.ID != b.Message.ID {
			t.Errorf("since: %v, %v", ids(got), err)
		}
	},
	"wait returns with the end": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		got := make(chan message.Record, 3)
		for range 3 {
			go func() {
				r, err := f.Ledger.Wait(f.ctx, nil, r.Message.ID)
				if err != nil {
					t.Errorf("Wait: %v", err)
				}
				got <- r
			}()
		}
		s := f.begin(r)[0]
		f.end(s, message.Done)
		for range 3 {
			if r := <-got; r.State.Phase != message.Done {
				t.Errorf("phase %v", r.State.Phase)
			}
		}
		if r, err := f.Ledger.Wait(f.ctx, nil, r.Message.ID); err != nil || r.State.Phase != message.Done {
			t.Errorf("Wait after the end: %v, %v", r.State.Phase, err)
		}
	},
	"wait gives up with its context": func(t *testing.T, f *fixture) {
		r := f.message()
		f.put(r)
		ctx, stop := context.WithTimeout(f.ctx, 10*time.Millisecond)
		defer stop()
		got, err := f.Ledger.Wait(ctx, nil, r.Message.ID)
		if !errors.Is(err, context.DeadlineExceeded) || got.Message == nil {
			t.Errorf("Wait = %v, %v", got, err)
		}
	},
}

var pollTests = map[string]func(*testing.T, *fixture){
	"take leases the oldest, once": func(t *testing.T, f *fixture) {
		var want []message.ID
		for range 10 {
			r := f.message(park("queue:app"))
			f.put(r, f.message(park("queue:")))
			want = append(want, r.Message.ID)
		}
		a, err := f.Ledger.Take(f.ctx, "app", 6, time.Minute, nil)
		if err != nil || !slices.Equal(ids(a), want[:6]) {
			t.Fatalf("first Take = %v, %v", ids(a), err)
		}
		b, err := f.Ledger.Take(f.ctx, "app", 6, time.Minute, nil)
		if err != nil || !slices.Equal(ids(b), want[6:]) {
			t.Fatalf("second Take = %v, %v", ids(b), err)
		}
		if a[0].State.Phase != message.Trying || a[0].State.WakeOn != "queue:app" {
			t.Errorf("leased as %+v", a[0].State)
		}
		f.end(a[0].State, message.Done)
		got := f.due(time.Now().Add(61 * time.Second))
		if len(got) != 9 || got[0].State.Phase != message.Trying {
			t.Errorf("%d leases end, want 9", len(got))
		}
	},
	"take without a lease leaves all as it is": func(t *testing.T, f *fixture) {
		f.put(f.message(park("queue:app")))
		for range 2 {
			if got, err := f.Ledger.Take(f.ctx, "app", 6, 0, nil); err != nil || len(got) != 1 || got[0].State.Phase != message.Waiting {
				t.Fatalf("Take = %v, %v", got, err)
			}
		}
	},
	"take takes what matches": func(t *testing.T, f *fixture) {
		for i := range 10 {
			f.put(f.message(park("queue:app"), func(r *message.Record) { r.Message.Priority = uint8(i % 2) }))
		}
		odd := func(r message.Record) bool { return r.Message.Priority == 1 }
		if got, err := f.Ledger.Take(f.ctx, "app", 6, time.Minute, odd); err != nil || len(got) != 5 {
			t.Fatalf("Take = %v, %v", ids(got), err)
		}
	},
	"two pollers never get the same message": func(t *testing.T, f *fixture) {
		const n = 200
		rs := make([]message.Record, n)
		for i := range rs {
			rs[i] = f.message(park("queue:app"))
		}
		f.put(rs...)
		got := make(chan message.ID, 2*n)
		done := make(chan struct{}, 4)
		for range 4 {
			go func() {
				defer func() { done <- struct{}{} }()
				for {
					rs, err := f.Ledger.Take(f.ctx, "app", 7, time.Minute, nil)
					if err != nil || len(rs) == 0 {
						return
					}
					for _, id := range ids(rs) {
						got <- id
					}
				}
			}()
		}
		for range 4 {
			<-done
		}
		close(got)
		seen := map[message.ID]bool{}
		for id := range got {
			if seen[id] {
				t.Fatalf("%v twice", id)
			}
			seen[id] = true
		}
		if len(seen) != n {
			t.Errorf("%d messages, want %d", len(seen), n)
		}
	},
	"changed wakes a long poll": func(t *testing.T, f *fixture) {
		c := f.Ledger.Changed("app")
		f.put(f.message(park("queue:other")))
		select {
		case <-c:
			t.Error("woken by another queue")
		default:
		}
		f.put(f.message(park("queue:app")))
		select {
		case <-c:
		case <-f.ctx.Done():
			t.Error("not woken")
		}
	},
}

var shelfTests = map[string]func(*testing.T, *fixture){
	"what is set is got, until it is deleted or lapses": func(t *testing.T, f *fixture) {
		s := f.Store
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.Set(f.ctx, "doc", "a", []byte("one"), time.Time{}))
		must(s.Set(f.ctx, "doc", "b", nil, f.now.Add(time.Hour)))
		must(s.Set(f.ctx, "doc", "c", []byte("old"), f.now.Add(-time.Second)))
		must(s.Set(f.ctx, "docs", "d", []byte("other kind"), time.Time{}))
		if v, ok, err := s.Get(f.ctx, "doc", "a"); err != nil || !ok || !bytes.Equal(v, []byte("one")) {
			t.Errorf("a = %q, %v, %v", v, ok, err)
		}
		if v, ok, err := s.Get(f.ctx, "doc", "b"); err != nil || !ok || len(v) != 0 {
			t.Errorf("b = %q, %v, %v", v, ok, err)
		}
		if _, ok, _ := s.Get(f.ctx, "doc", "c"); ok {
			t.Error("c has lapsed")
		}
		var keys []string
		must(s.Each(f.ctx, "doc", func(k string, _ []byte) bool { keys = append(keys, k); return true }))
		if !slices.Equal(keys, []string{"a", "b"}) {
			t.Errorf("keys %v", keys)
		}
		must(s.Delete(f.ctx, "doc", "a"))
		must(s.Delete(f.ctx, "doc", "a"))
		if _, ok, _ := s.Get(f.ctx, "doc", "a"); ok {
			t.Error("a was deleted")
		}
	},
}

var restartTests = map[string]func(*testing.T, *fixture){
	"everything is there again": func(t *testing.T, f *fixture) {
		if f.Reopen == nil {
			t.Skip("keeps nothing")
		}
		ref := func(r *message.Record) { r.Message.Origin.Ref, r.Message.Origin.RefLife = "r", time.Hour }
		waiting, trying, done, parked, polled := f.message(ref), f.message(), f.message(), f.message(park("link:c1")), f.message(park("queue:app"))
		f.put(waiting, trying, done, parked, polled)
		if _, err := f.Ledger.Take(f.ctx, "app", 1, time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		got := f.due(f.now)
		f.begin(got[1])
		f.end(got[2].State, message.Done)
		if err := f.Store.Set(f.ctx, "k", "v", []byte("x"), time.Time{}); err != nil {
			t.Fatal(err)
		}
		f.Harness = f.Reopen(t)
		// Who was at the attempt is gone; who leased from the queue is not.
		got = f.due(f.now)
		if !slices.Equal(ids(got), []message.ID{waiting.Message.ID, trying.Message.ID}) || got[1].State.Phase != message.Trying {
			t.Errorf("due after the start: %v", got)
		}
		if got := f.due(time.Now().Add(61 * time.Second)); !slices.Equal(ids(got), []message.ID{polled.Message.ID}) {
			t.Errorf("the end of the poller's lease after the start: %v", got)
		}
		if got, err := f.Store.Parked(f.ctx, "link:c1", 0, 9); err != nil || len(got) != 1 {
			t.Errorf("parked after the start: %v, %v", got, err)
		}
		if r := f.find(done.Message.ID); r.State.Phase != message.Done {
			t.Errorf("ended as %v", r.State.Phase)
		}
		if _, ok, _ := f.Store.Get(f.ctx, "k", "v"); !ok {
			t.Error("the shelf is empty")
		}
		if got, err := f.Store.Put(f.ctx, f.message(ref)); err != nil || got[0] != waiting.Message.ID {
			t.Errorf("a repeat after the start: %v, %v", got, err)
		}
	},
}
