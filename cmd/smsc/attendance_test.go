package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestWhoComesWhileSomebodyLooksIsNotTakenForGone(t *testing.T) {
	var told []string
	a := &attendance{here: map[attendee]bool{}, tell: func(_, aor string, added bool) { told = append(told, fmt.Sprint(aor, " ", added)) }}
	a.set(attendee{"users", "alice"}, true)
	var coming sync.WaitGroup
	a.look(func() map[attendee]bool {
		coming.Go(func() { a.set(attendee{"users", "bob"}, true) })
		return map[attendee]bool{}
	})
	coming.Wait()
	a.look(func() map[attendee]bool { return map[attendee]bool{{"users", "bob"}: true} })
	if got := strings.Join(told, ", "); got != "alice true, alice false, bob true" {
		t.Errorf("told: %s", got)
	}
}
