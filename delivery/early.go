package delivery

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"smsc/message"
)

const (
	earlyKind = "early"
	earlyLife = time.Minute
	earlyMost = 10000 // beyond it news that fits nothing is not kept
)

// early keeps news that came before the answer which names its id, for a
// minute: on the shelf for a restart, and in memory to be found at once.
type early struct {
	shelf  Shelf
	lapsed func(link string) // told of news that nobody ever asked for

	mu   sync.Mutex
	news map[string]*earlyNews // by link and each spelling of the id
	rows []*earlyNews          // in the order of their lapse
}

type earlyNews struct {
	Key   string
	News  message.News
	Lapse time.Time
	taken bool
}

func newEarly(shelf Shelf) *early {
	return &early{shelf: shelf, news: make(map[string]*earlyNews)}
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

// keep remembers news; an error means that it is not durable.
func (k *early) keep(ctx context.Context, news message.News, now time.Time) error {
	if len(news.Remote) == 0 || news.Remote[0] == "" {
		return nil
	}
	n := &earlyNews{Key: earlyKey(news.Link, news.Remote[0]), News: news, Lapse: now.Add(earlyLife)}
	if !k.remember(n) {
		return nil
	}
	value, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return k.shelf.Set(ctx, earlyKind, n.Key, value, n.Lapse)
}

func (k *early) remember(n *earlyNews) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.rows) >= earlyMost {
		return false
	}
	// The later word about one id replaces the earlier: it is more final.
	if old := k.news[n.Key]; old != nil {
		old.taken = true
	}
	for _, remote := range n.News.Remote {
		k.news[earlyKey(n.News.Link, remote)] = n
	}
	k.rows = append(k.rows, n)
	return true
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
	n := k.news[earlyKey(news.Link, news.Remote[0])]
	if n != nil {
		n.taken = true
		k.unlink(n)
	}
	k.mu.Unlock()
	if n != nil {
		// It lapses by itself if this fails.
		_ = k.shelf.Delete(ctx, earlyKind, n.Key)
	}
}

func (k *early) unlink(n *earlyNews) {
	for _, remote := range n.News.Remote {
		if key := earlyKey(n.News.Link, remote); k.news[key] == n {
			delete(k.news, key)
		}
	}
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
			k.unlink(n)
			k.lapsed(n.News.Link)
		}
	}
	k.rows = nil
	return time.Time{}
}
