package tenant

import (
	"context"
	"testing"
	"time"
)

// halting is a Shelf that lets nothing be removed until it is told.
type halting struct {
	memoryShelf
	removing chan struct{} // somebody is about to remove
	resume   chan struct{}
}

func (s *halting) Delete(ctx context.Context, kind, key string) error {
	s.removing <- struct{}{}
	<-s.resume
	return s.memoryShelf.Delete(ctx, kind, key)
}

func TestARowThatBecomesPartOfAnotherKeepsWhatIsChangedMeanwhile(t *testing.T) {
	shelf := &halting{removing: make(chan struct{}, 9), resume: make(chan struct{})}
	p, err := OpenSubscribers(t.Context(), shelf, nil)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	change := func(imsi string, keys ...string) {
		if _, err := p.Change(t.Context(), "ims", keys, func(s *Subscriber) {
			if s.Expires = until; imsi != "" {
				s.IMSI = imsi
			}
		}); err != nil {
			t.Error(err)
		}
	}
	change("", "a")
	change("", "b")
	done := make(chan struct{}, 2)
	go func() { change("", "b", "a"); done <- struct{}{} }() // makes them one
	<-shelf.removing
	go func() { change("001010000000001", "a"); done <- struct{}{} }()
	select { // it waits, and finds the row under the other's name
	case <-done:
		t.Error("a row was changed while it became part of another")
	case <-time.After(50 * time.Millisecond):
	}
	close(shelf.resume)
	<-done
	<-done
	again, err := OpenSubscribers(t.Context(), shelf, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Subscribers{"now": p, "after a restart": again} {
		a, b := s.Find("ims", "a"), s.Find("ims", "b")
		if a == nil || a != b || a.IMSI != "001010000000001" || len(s.Rows("")) != 1 || len(shelf.rows) != 1 {
			t.Errorf("%s: %+v, %+v, %d rows on the shelf", name, a, b, len(shelf.rows))
		}
	}
}
