package restapi

import (
	"net/url"
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

// wish is what the operator asks of the stream with one parameter.
func (g *rig) wish(key, value string) (*eventWish, error) {
	c := &call{s: g.server, dir: g.catalog.Directory(), id: tenant.Identity{Account: tenant.Operator}, query: url.Values{key: {value}}}
	return c.readWish()
}
