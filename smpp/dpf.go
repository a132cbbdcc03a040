package smpp

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// set_dpf (SMPP 3.4 §5.3.2.29): who sent to a number that was absent wants to
// hear when it is there again. The wish is kept on the shelf when the message
// is taken, and answered with alert_notification (§4.12) when the number is
// woken and the message still wants for it.

const shelfDPF = "smpp.dpf" // "<digits>/<id>": pending

// pending is one wish.
type pending struct {
	Link string     `json:"link"`
	ID   message.ID `json:"id"`
	// As the ESME wrote them: who is absent, and whom to tell.
	Absent, Sender spelled
}

type spelled struct {
	TON  uint8  `json:"ton"`
	NPI  uint8  `json:"npi"`
	Addr string `json:"addr"`
}

func spelledAs(a message.Address) spelled { return spelled{a.TON, a.NPI, a.Shown()} }

func (a spelled) address() pdu.Address {
	return pdu.Address{TON: a.TON, NPI: a.NPI, Addr: []byte(a.Addr)}
}

// flags tells whether any wish may be on the shelf: nearly always none is,
// and numbers wake often.
type flags struct {
	kept  atomic.Uint64 // wishes put there in this life, each counted once it is there
	empty atomic.Uint64 // one more than kept was when none was found; 0: never
}

// none tells that the shelf was found empty and nothing was put there since.
// A wish that is put there while somebody looks makes that look void.
func (f *flags) none() bool { return f.empty.Load() == f.kept.Load()+1 }

// flag keeps the wish of a message that was taken.
func (in *inlet) flag(ctx context.Context, m *message.Message) {
	e := in.edge
	value, err := json.Marshal(pending{in.who(), m.ID, spelledAs(m.To), spelledAs(m.From)})
	if err == nil {
		err = e.deps.Shelf.Set(ctx, shelfDPF, m.To.Digits()+"/"+m.ID.String(), value, time.Now().Add(e.cfg.MaxValidity))
		e.flags.kept.Add(1)
	}
	if err != nil {
		in.line.Load().log.Warn().Err(err).Msg("set_dpf is not kept")
	}
}

// Reachable tells the edge that a number ("+" and digits, or digits) can be
// reached again.
func (e *Edge) Reachable(ctx context.Context, number string) {
	if e.deps.Shelf == nil || e.flags.none() {
		return
	}
	prefix, any := strings.TrimPrefix(number, "+")+"/", false
	found, before := make(map[string]pending), e.flags.kept.Load()
	err := e.deps.Shelf.Each(ctx, shelfDPF, func(key string, value []byte) bool {
		any = true
		var p pending
		if strings.HasPrefix(key, prefix) && json.Unmarshal(value, &p) == nil {
			found[key] = p
		}
		return true
	})
	if err != nil {
		e.log.Warn().Err(err).Msg("set_dpf cannot be read")
		return
	}
	if !any {
		e.flags.empty.Store(before + 1)
	}
	for key, p := range found {
		if e.alert(ctx, p) {
			_ = e.deps.Shelf.Delete(ctx, shelfDPF, key) // else it is told twice
		}
	}
}

// alert tells a receiving session, and whether the wish is done with.
func (e *Edge) alert(ctx context.Context, p pending) bool {
	r, err := e.deps.Ledger.Find(ctx, nil, p.ID)
	if err != nil || r.State.Phase == message.Done {
		return true
	}
	if r.State.Failure != message.Absent {
		return r.State.Phase.Ended()
	}
	l := e.line(p.Link)
	if l == nil {
		return true
	}
	s, release := l.pick(p.Absent.Addr, p.Sender.Addr)
	if s == nil {
		return false
	}
	defer release()
	a := pdu.Alert{Source: p.Absent.address(), ESME: p.Sender.address()}
	if s.TakesTLVs() {
		a.TLVs = a.TLVs.AddUint8(pdu.TagMsAvailabilityStatus, 0)
	}
	l.meter.out(pdu.AlertNotification)
	s.say(a.Append(nil, pdu.ROK, s.sequence()))
	return true
}
