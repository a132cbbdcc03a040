package sip

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/translate"
)

// reported takes the report of a phone. It is answered 202 whenever it can be
// read, also when nothing fits: who is refused sends again (spec ims §4.3).
func (i *ims) reported(r *request) {
	named := r.named()
	people := i.whoMay(r)
	relay, k, fits := i.relays.match(r.l.name, named, people, r.rp.Ref, r.began)
	r.answer(response{status: 202})
	s := readReport(&r.rp)
	// Before the report is told: what follows upon it, the next part and a
	// refusal of that, must not be woken by the report before it.
	if s.ack && len(r.who.all) > 0 && fits != fitsNothing {
		i.heardOf(r)
	}
	if s.ack && fits == fitsRelay {
		i.missed.forget(relay.to)
	}
	switch fits {
	case fitsRelay:
		i.meters.report(r.l.name, "transaction")
		i.s.deps.Captured.Keep(capture.Hop{ID: k.id, Step: capture.Outcome, Form: capture.SIP, Link: r.l.name, At: r.began}, "", r.octets)
		if relay.mr != r.rp.Ref {
			s.note = "reference of another attempt"
		}
		if s.text != "" {
			i.s.log.Info().Str("link", r.l.name).Stringer("msg", k.id).Str("data", s.text).Msg("the report of a phone has user data")
		}
		relay.report(s)
	case fitsLate:
		i.late(r.l, k, s)
	default:
		i.meters.report(r.l.name, "nothing")
		i.s.log.Debug().Str("link", r.l.name).Str("peer", r.flow.peer.String()).Msg("a report of a phone fits nothing")
	}
}

// named returns the part that In-Reply-To names, nil if it names none of ours.
func (r *request) named() *partName {
	for one := range strings.SplitSeq(r.get("In-Reply-To"), ",") {
		if n, ok := readPartName(strings.Trim(one, " \t<>")); ok {
			return &n
		}
	}
	return nil
}

// whoMay returns the recipients whose report this can be: phones report under
// any of their identities.
func (i *ims) whoMay(r *request) []personKey {
	var all []personKey
	for _, id := range r.who.all {
		all = append(all, personKey{r.l.name, id.key})
		if row := i.people.Find(r.l.name, id.key); row != nil {
			for _, k := range row.Keys {
				all = append(all, personKey{r.l.name, k})
			}
		}
	}
	return all
}

// readReport reads RP-ACK or RP-ERROR and the DELIVER-REPORT in it, which may
// be missing or empty. TP-FCS says more than the RP cause where it is there.
func readReport(p *translate.RPDU) said {
	s := said{ack: p.Type == translate.RPAckMO, cause: p.Cause}
	if len(p.UserData) == 0 {
		return s
	}
	t, err := translate.ParseTPDU(p.UserData, p.Type)
	if err != nil {
		s.note = "its TPDU cannot be read"
		return s
	}
	s.fcs = t.FCS
	if t.PI&translate.PIUD != 0 && len(t.UD) > 0 {
		s.text = hex.EncodeToString(t.UD)
	}
	return s
}

// late hears a report whose transaction is over: it ended in silence, or in a
// process before this one. What it says of a whole message is told; a part is
// remembered for the next attempt.
func (i *ims) late(l *link, k partKey, s said) {
	o := message.Outcome{Result: message.Delivered, Detail: "late RP-ACK"}
	if !s.ack {
		if o = translate.OutcomeOfRPError(s.cause, s.fcs); o.Result != message.Refused {
			i.meters.report(l.name, "late")
			return // the next attempt will tell
		}
		o.Detail = "late " + o.Detail
	}
	if i.s.deps.Ledger == nil || i.s.deps.Editor == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), i.s.cfg.HandleWait)
	defer cancel()
	rec, err := i.s.deps.Ledger.Find(ctx, nil, k.id)
	if err != nil || rec.State.Link != l.name || rec.State.Phase.Ended() {
		i.meters.report(l.name, "nothing") // known before, or never ours
		return
	}
	i.meters.report(l.name, "late")
	if s.ack && !i.lastMissing(rec, k) {
		i.relays.acknowledge(k, time.Now().Add(reportLife))
		return
	}
	if err := i.s.deps.Editor.Conclude(ctx, nil, k.id, "ims:"+l.name, o); err != nil {
		i.s.log.Debug().Err(err).Str("link", l.name).Stringer("msg", k.id).Msg("late report not wanted")
	}
}

// lastMissing tells whether the phone has every other part of a message.
func (i *ims) lastMissing(rec message.Record, k partKey) bool {
	tpdus, _, err := tpdusOf(rec.Message)
	if err != nil || k.part > len(tpdus) {
		return false
	}
	taken := rec.State.Remote()
	for n := range tpdus {
		has := n < len(taken) && taken[n] != ""
		if other := (partKey{k.link, k.id, n + 1}); n+1 != k.part && !has && !i.relays.acknowledged(other, time.Now()) {
			return false
		}
	}
	return true
}
