package delivery_test

import (
	"testing"
	"time"

	"smsc/delivery"
)

func TestMetricsOfALinkCountWhatWaitsOnTheDisk(t *testing.T) {
	bubble(t, "held", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(takes)))
		h.e.Holds(func() map[string]delivery.Held {
			return map[string]delivery.Held{"out": {Waiting: 7, Oldest: time.Now().Add(-time.Hour)}, "gone": {Waiting: 1}}
		})
		if got := h.value("smsc_link_waiting", "link=out"); got != 7 {
			t.Errorf("waiting %v", got)
		}
		if got := h.value("smsc_link_oldest_seconds", "link=out"); got < 3600 || got > 3601 {
			t.Errorf("oldest %v", got)
		}
	})
}
