package delivery

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"smsc/message"
)

const (
	earlyKind = "early"
	earlyLife = time.Minute
	earlyMost = 50_000      // some 30 MiB; beyond it the peer is asked to repeat
	earlyRest = time.Second // between two looks for news that nobody will ask for
)

// errEarly answers news that finds no place: its peer keeps it, and repeats.
var errEarly = &message.Error{Cause: message.Congested, Text: "too many reports precede what they are about", After: earlyRest}

// early keeps news that came before the answer which names its id, for a
// minute: on the shelf for a restart, and in memory to be found at once.
type early struct {
	shelf  Shelf
	lapsed func(link string) // told of news that nobody ever asked for

	mu      sync.Mutex
	news    map[string]*earlyNews    // by link and each spelling of the id
	rows    []*earlyNews             // in the order of their lapse, with some that are taken
	live    int                      // rows that are not
	tidy    time.Time                // when forget looked last
	writing map[string]chan struct{} // keys that the shelf is told of now; closed at the end
}

type earlyNews struct {
	Key   string
	News  message.News
	Lapse time.Time
	taken bool
}

func newEarly(shelf Shelf) *early {
	return &early{shelf: shelf, news: make(map[string]*earlyNews), writing: make(map[string]chan struct{})}
}

func earlyKey(link, remote string) string { return link + "\x00" + message.CanonicalRemote(remote) }

// load reads what an earlier life has kept.
func (k *early) load(ctx context.Context) error {
	return k.shelf.Each(ctx, earlyKind, func(key string, value []byte) bool {
		var n earlyNews
		if json.Unmarshal(value, &n) == nil && len(n.News.Remote) > 0 {
			n.Key = key
			k.remember(&n)
		}
		return true
	})
}

// all returns what is kept.
func (k *early) all() (news []message.News) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.rows {
		if !n.taken {
			news = append(news, n.News)
		}
	}
	return news
}

// keep remembers news, in its order; an error means that it is not durable.
// What it writes shares the syncs of the store, where one after the other
// would wait for each.
func (k *early) keep(ctx context.Context, news []message.News, now time.Time) []error {
	errs := make([]error, len(news))
	last := make(map[string]int) // of several words about one id the last is kept
	rows := make([]*earlyNews, len(news))
	for i, n := range news {
		if len(n.Remote) == 0 || n.Remote[0] == "" {
			continue
		}
		row := &earlyNews{Key: earlyKey(n.Link, n.Remote[0]), News: n, Lapse: now.Add(earlyLife)}
		if !k.remember(row) {
			errs[i] = errEarly
			continue
		}
		rows[i], last[row.Key] = row, i
	}
	var writing sync.WaitGroup
	for _, i := range last {
		writing.Go(func() { errs[i] = k.write(ctx, rows[i]) })
	}
	writing.Wait()
	return errs
}

// turn waits until nobody else tells the shelf of key: an older word must not
// be written over a newer one.
func (k *early) turn(key string) (over func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.writing[key] != nil {
		busy := k.writing[key]
		k.mu.Unlock()
		<-busy
		k.mu.Lock()
	}
	mine := make(chan struct{})
	k.writing[key] = mine
	return func() {
		k.mu.Lock()
		delete(k.writing, key)
		k.mu.Unlock()
		close(mine)
	}
}

// write puts news on the shelf, unless a later word about its id has taken
// its place meanwhile: that one is written by whoever brought it.
func (k *early) write(ctx context.Context, n *earlyNews) error {
	value, err := json.Marshal(n)
	if err != nil {
		return err
	}
	defer k.turn(n.Key)()
	if now := k.held(n.Key); now != nil && now != n {
		return nil
	}
	return k.shelf.Set(ctx, earlyKind, n.Key, value, n.Lapse)
}

// held returns the row that stands for its key now, nil if there is none.
func (k *early) held(key string) *earlyNews {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := k.news[key]; n != nil && n.Key == key && !n.taken {
		return n
	}
	return nil
}

func (k *early) remember(n *earlyNews) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.live >= earlyMost {
		return false
	}
	// The later word about one id replaces the earlier: it is more final.
	if old := k.news[n.Key]; old != nil && old.Key == n.Key {
		k.done(old)
	}
	for i, remote := range n.News.Remote {
		// A less likely reading must not hide news that bears that very id.
		key := earlyKey(n.News.Link, remote)
		if old := k.news[key]; i == 0 || old == nil || old.taken {
			k.news[key] = n
		}
	}
	k.rows = append(k.rows, n)
	k.live++
	return true
}

// done marks news that nobody looks for any more. Its row leaves with the
// others of its kind: it must not take the place of news to come. mu is held.
func (k *early) done(n *earlyNews) {
	if n.taken {
		return
	}
	n.taken = true
	k.live--
	if len(k.rows) > 2*k.live+1024 {
		k.rows = slices.DeleteFunc(k.rows, func(r *earlyNews) bool { return r.taken })
	}
}

// any tells cheaply whether there is something to look for.
func (k *early) any() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.rows) > 0
}

// take returns, with known, the news about the segments of s.
func (k *early) take(known []message.News, s *message.State) []message.News {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, g := range s.Segments {
		if n := k.news[earlyKey(s.Link, g.Remote)]; g.Remote != "" && n != nil && !n.taken {
			known = append(known, n.News)
		}
	}
	return known
}

// drop forgets news that has found its message.
func (k *early) drop(ctx context.Context, news message.News) {
	if len(news.Remote) == 0 {
		return
	}
	k.mu.Lock()
	key := earlyKey(news.Link, news.Remote[0])
	n := k.news[key]
	if n != nil && n.Key != key {
		n = nil // another's, by a less likely reading of its id
	}
	if n != nil {
		k.done(n)
		k.unlink(n)
	}
	k.mu.Unlock()
	if n == nil {
		return
	}
	// Nobody waits for this: it lapses by itself, and after a crash it would
	// be a repeat.
	go k.erase(context.WithoutCancel(ctx), n.Key)
}

// erase takes a row from the shelf, unless there is news of that key again.
func (k *early) erase(ctx context.Context, key string) {
	defer k.turn(key)()
	if k.held(key) == nil {
		_ = k.shelf.Delete(ctx, earlyKind, key) // else it lapses
	}
}

func (k *early) unlink(n *earlyNews) {
	for _, remote := range n.News.Remote {
		if key := earlyKey(n.News.Link, remote); k.news[key] == n {
			delete(k.news, key)
		}
	}
}

// crowded tells whether n more may find no place, and it is time to look for
// what can be forgotten.
func (k *early) crowded(n int, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.live+n <= earlyMost || now.Sub(k.tidy) < earlyRest {
		return false
	}
	k.tidy = now
	return true
}

// forget drops news that came before every attempt still in the air over its
// link left: nobody will learn its id any more. oldest has the departures.
func (k *early) forget(oldest map[string]time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rows = slices.DeleteFunc(k.rows, func(n *earlyNews) bool {
		if n.taken {
			return true
		}
		left, flying := oldest[n.News.Link]
		if flying && !left.After(n.Lapse.Add(-earlyLife)) {
			return false
		}
		n.taken = true
		k.live--
		k.unlink(n)
		k.lapsed(n.News.Link)
		return true
	})
}

// purge forgets what has lapsed and returns when the next one will.
func (k *early) purge(now time.Time) (next time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.rows) > 0 {
		n := k.rows[0]
		if !n.taken && now.Before(n.Lapse) {
			return n.Lapse
		}
		k.rows[0] = nil
		k.rows = k.rows[1:]
		if !n.taken {
			n.taken = true
			k.live--
			k.unlink(n)
			k.lapsed(n.News.Link)
		}
	}
	k.rows = nil
	return time.Time{}
}
