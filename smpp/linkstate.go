package smpp

import (
	"time"

	"smsc/smpp/pdu"
	"smsc/tenant"
)

// LinkState is how a link stands.
type LinkState struct {
	Link       string
	Kind       tenant.LinkKind
	Up         bool      // it can carry messages
	Since      time.Time // of Up, or of its absence
	Sessions   int       // bound, and in use
	WindowUsed int       // requests of ours without an answer, over all sessions
	WindowSize int
	LastError  string // why the last session ended, or could not begin
	Received   uint64 // message PDUs of the peer
	Sent       uint64 // message PDUs of ours
	Malformed  uint64
	Failed     uint64 // requests of ours that were refused, throttled ones left out
	Throttled  uint64 // ESME_RTHROTTLED, in either direction
	// RateIn and RateOut are in message PDUs a second since the state was
	// last looked at, over a second at least.
	RateIn, RateOut float64
}

// rates turns counters into rates, from one look to the next.
type rates struct {
	at      time.Time // of the last look
	in, out uint64    // at that time
	rateIn  float64
	rateOut float64
}

func (r *rates) look(now time.Time, in, out uint64) (rateIn, rateOut float64) {
	if d := now.Sub(r.at).Seconds(); d >= 1 {
		r.rateIn, r.rateOut = float64(in-r.in)/d, float64(out-r.out)/d
		r.at, r.in, r.out = now, in, out
	}
	return r.rateIn, r.rateOut
}

func (l *line) status() LinkState {
	st := l.settings.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	state := LinkState{
		Link: l.name, Kind: st.link.Kind, Up: l.up, Since: l.changed, LastError: l.lastErr,
		Malformed: l.meter.malformed.Load(),
	}
	for _, c := range []pdu.Command{pdu.SubmitSM, pdu.DeliverSM, pdu.DataSM, pdu.SubmitMulti} {
		state.Received += l.meter.received.read().count(c)
		state.Sent += l.meter.sent.read().count(c)
	}
	state.RateIn, state.RateOut = l.rates.look(time.Now(), state.Received, state.Sent)
	state.Failed, state.Throttled = l.meter.received.read().refused(), l.meter.received.read().throttled()+l.meter.sent.read().throttled()
	for s := range l.sessions {
		if s.inUse() {
			state.Sessions++
		}
	}
	for _, s := range l.senders {
		state.WindowUsed += s.Load()
		state.WindowSize += s.Window()
	}
	return state
}
