package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/store"
)

func TestAPauseThatIsOverIsTold(t *testing.T) {
	s, err := store.Open(store.Config{Dir: memory}, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		engine := delivery.New(delivery.DefaultConfig(), s, s, nil, nil, zerolog.Nop(), prometheus.NewRegistry())
		g, err := newGate(nil, quietShelf{}, engine, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		g.hear(func(link string) { told = append(told, link) })
		for link, d := range map[string]time.Duration{"short": time.Minute, "taken back": time.Hour} {
			if err := g.Pause(t.Context(), link, "out", d); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Resume(t.Context(), "taken back"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if len(told) != 1 || told[0] != "short" || g.Paused("short") != "" {
			t.Errorf("%v", told)
		}
	})
}

// quietShelf keeps nothing.
type quietShelf struct{}

func (quietShelf) Set(context.Context, string, string, []byte, time.Time) error { return nil }
func (quietShelf) Get(context.Context, string, string) ([]byte, bool, error)    { return nil, false, nil }
func (quietShelf) Delete(context.Context, string, string) error                 { return nil }
func (quietShelf) Each(context.Context, string, func(string, []byte) bool) error {
	return nil
}
