package store

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// slowFilter takes a microsecond for each key.
type slowFilter struct{ pebble.FilterWriter }

func (slowFilter) AddKey([]byte) { time.Sleep(time.Microsecond) }

func TestWhoWritesATableMakesWayAndGetsAThird(t *testing.T) {
	for _, c := range []struct {
		name      string
		waits     time.Duration // at each yield
		low, high int           // yields of 100,000 keys, 100 ms
	}{
		{"nobody else is there", 0, 400, 521},
		{"others take little", 100 * time.Microsecond, 400, 521},
		{"others take much", 4 * time.Millisecond, 48, 55},
		{"others take all they get", time.Second, 20, 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				w := &yieldingWriter{FilterWriter: slowFilter{}, since: time.Now(), stretch: yieldStretch, yield: func() { n++; time.Sleep(c.waits) }}
				for range 100_000 {
					w.AddKey(nil)
				}
				if n < c.low || n > c.high {
					t.Errorf("made way %d times, want %d to %d", n, c.low, c.high)
				}
			})
		})
	}
}

func TestFiltersAreThoseOfThePolicyItself(t *testing.T) {
	plain := bloom.FilterPolicy(10)
	polite := yielding{plain}
	if polite.Name() != plain.Name() {
		t.Errorf("%q would not be read as %q", polite.Name(), plain.Name())
	}
	a, b := plain.NewWriter(pebble.TableFilter), polite.NewWriter(pebble.TableFilter)
	for i := range 1000 {
		key := fmt.Appendf(nil, "key %d", i)
		a.AddKey(key)
		b.AddKey(key)
	}
	if string(a.Finish(nil)) != string(b.Finish(nil)) {
		t.Error("the filters differ")
	}
}
