package sip

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
)

func TestTransactionsAndRetransmissionsAreCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := New(quick(), Deps{}, zerolog.Nop(), reg)
	if err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	series := 0
	for _, f := range families {
		series += len(f.GetMetric())
	}
	if err != nil || len(families) != 2 || series != 4 {
		t.Errorf("%d families of %d series, %v", len(families), series, err)
	}
	_ = s.Close()

	peer := script(t, func(n int, _ *packet) string {
		if n < 3 {
			return ""
		}
		return "200 OK"
	})
	h := open(t, quick(), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered || h.end.clients.resent.Load() < 2 {
		t.Errorf("%+v after %d", o, h.end.clients.resent.Load())
	}
	w, same := dial(t, "udp", h.udp()), draft{body: "x"}.String()
	if w.answer(same); w.answer(same).status != 202 || h.end.repeats.Load() != 1 {
		t.Errorf("%d repeats", h.end.repeats.Load())
	}
	eventually(t, "no transaction is left", func() bool { return h.end.pool.underway() == 0 && h.end.clients.underway() == 0 })
}
