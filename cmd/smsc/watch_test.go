package main

import (
	"sync/atomic"
	"testing"

	"smsc/message"
	"smsc/restapi"
)

func TestTheStreamMissesWhatComesTooFast(t *testing.T) {
	h := testHouse(t, t.TempDir(), "")
	w := newWatched(h.store, new(atomic.Pointer[restapi.Server]))
	told := 0
	for id := range 5 * watchSecond {
		if w.may(h.rest, message.ID(id+1)) {
			told++
		}
	}
	// The loop may take a while: room comes back with time.
	if told < watchSecond || told+int(w.missed.Load()) != 5*watchSecond || w.missed.Load() == 0 {
		t.Errorf("%d told, %d missed", told, w.missed.Load())
	}
}
