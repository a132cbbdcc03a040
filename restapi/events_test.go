package restapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
	"smsc/tenant"
)

func TestOnlyReadersOfMessagesHaveThemLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{events: newEvents()}
		none := func(*event) bool { return false }
		overview, _ := s.events.open(0, &eventWish{event: none})
		if s.Watched() {
			t.Error("nobody wants messages")
		}
		tail, _ := s.events.open(0, &eventWish{event: none, messages: true})
		one, _ := s.events.open(0, &eventWish{event: none, messages: true, only: 7})
		if !s.Watched() || !s.Follows(7) || s.Follows(8) {
			t.Error("a tail of all, and one message")
		}
		s.Overlooked(3)
		if s.events.forgotten(overview) != 0 || s.events.forgotten(tail) != 3 || s.events.forgotten(one) != 3 {
			t.Error("who wants messages hears how many were left out")
		}
		s.events.close(one)
		s.events.close(tail)
		if s.Follows(7) || !s.Watched() {
			t.Error("the ring goes on for those who come back")
		}
		time.Sleep(eventMemory)
		if s.Watched() {
			t.Error("nobody came back")
		}
	})
}

func TestTypesTellWhetherMessagesAreWanted(t *testing.T) {
	g := newRig(t)
	for types, want := range map[string]bool{"": true, "message.*": true, "message.failed": true, "message.receipt": true, "*": true, "stats,link.*,queue.*": false} {
		wish, err := g.wish("types", types)
		if err != nil || wish.messages != want {
			t.Errorf("%q: %v %v", types, wish, err)
		}
	}
	if wish, err := g.wish("message", "12"); err != nil || wish.only != message.ID(12) {
		t.Errorf("%v %v", wish, err)
	}
}

func TestFiguresSetOutAsTheyAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{events: newEvents(), operator: newOperator()}
		s.deps.Sample = func() Sample { return Sample{} }
		wish := &eventWish{event: func(*event) bool { return false }, stats: true, account: tenant.Operator}
		ctx, end := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		c := &call{s: s, w: w, r: httptest.NewRequest("GET", "/api/events", nil).WithContext(ctx)}
		r, _ := s.events.open(0, wish)
		go func() { _ = c.follow(http.NewResponseController(w), r, wish, nil) }()
		// The stream's own clock ticks a second after it was opened.
		time.Sleep(100 * time.Millisecond)
		for n := range 2 {
			s.operator.stats.take(time.Now(), Sample{}, nil)
			synctest.Wait()
			if got := strings.Count(w.Body.String(), "event: stats"); got != n+1 {
				t.Errorf("%d seconds were told of, after %d", got, n+1)
			}
			time.Sleep(time.Second)
		}
		end()
	})
}

// wish is what the operator asks of the stream with one parameter.
func (g *rig) wish(key, value string) (*eventWish, error) {
	c := &call{s: g.server, dir: g.catalog.Directory(), id: tenant.Identity{Account: tenant.Operator}, query: url.Values{key: {value}}}
	return c.readWish()
}
