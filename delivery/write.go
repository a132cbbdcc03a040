package delivery

import (
	"context"
	"strings"
	"time"

	"smsc/message"
)

// entry is one change of a record on its way to the store.
type entry struct {
	was    message.Record
	end    message.End
	flight *flight // the attempt that led to it, nil if none
}

// entry builds the change of r to s, with everything that must be true
// together with it: the receipt of an end, the notification after the first
// failed round.
func (e *Engine) entry(r message.Record, s message.State, now time.Time) entry {
	s = e.rules(r, s, now)
	en := entry{was: r}
	m := r.Message
	after := message.Record{Message: m, State: s}
	if s.Phase.Ended() && !r.State.Phase.Ended() {
		s.Settle(m.Parts)
		after.State = s
		en.spawn(e, message.FinalReceipt(after), now, &s)
		for _, receipt := range message.PartReceipts(after) {
			en.spawn(e, receipt, now, &s)
		}
		s.Note(message.Step{At: now, Kind: "finished", Link: s.Link, Text: ending(after)})
	} else if s.Phase == message.Waiting && s.Rounds == 1 && r.State.Rounds == 0 && s.Opened == 0 {
		en.spawn(e, message.Notification(after), now, &s)
	} else if s.Phase == message.Sent && r.State.Phase != message.Sent {
		en.spawn(e, message.SentNotice(after), now, &s)
	}
	en.end.State = s
	return en
}

// spawn adds the receipt to the batch, if there is one.
func (en *entry) spawn(e *Engine, receipt *message.Message, now time.Time, s *message.State) {
	if receipt == nil {
		return
	}
	r := e.send(receipt, now)
	en.end.Spawn = append(en.end.Spawn, r)
	s.Note(message.Made(now, receipt))
}

func ending(r message.Record) string {
	text := r.Status()
	if c := r.Cause(); c != message.CauseNone {
		text += ", " + c.String()
	}
	if r.State.Phase == message.Expired && r.State.Failure != message.CauseNone {
		text += " after " + r.State.Failure.String()
	}
	return text
}

// write writes entries until they are written or have become pointless; it
// gives up only when ctx ends.
func (e *Engine) write(ctx context.Context, entries []entry) {
	for wait := storeWait; len(entries) > 0; wait = min(2*wait, 5*time.Second) {
		errs := e.try(ctx, entries)
		var again []entry
		var failed error
		for i := range entries {
			err := at(errs, i)
			if err == nil {
				continue
			}
			if !changed(err) {
				failed = err
				again = append(again, entries[i])
			} else if en, ok := e.redo(ctx, entries[i]); ok {
				again = append(again, en)
			}
		}
		if entries = again; failed == nil {
			continue
		}
		if ctx.Err() != nil {
			e.log.Error().Err(failed).Int("messages", len(entries)).Msg("outcomes are lost; their attempts will count as unsure")
			return
		}
		e.log.Error().Err(failed).Int("messages", len(entries)).Msg("the store does not take outcomes")
		rest(ctx, wait)
	}
}

// try writes entries once, in one batch, and draws the consequences.
func (e *Engine) try(ctx context.Context, entries []entry) []error {
	ends := make([]message.End, len(entries))
	for i := range entries {
		ends[i] = entries[i].end
		ends[i].Of = entries[i].was.Message
	}
	errs := e.queue.Finish(ctx, ends...)
	var known []message.News
	for i := range entries {
		if at(errs, i) == nil {
			known = e.written(&entries[i], known)
		}
	}
	if len(known) > 0 {
		e.apply(ctx, known, false)
	}
	return errs
}

// redo looks again at a record that changed under an attempt: news about its
// segments may have come. Whatever else lost the race stays lost.
func (e *Engine) redo(ctx context.Context, en entry) (entry, bool) {
	if en.flight == nil {
		return entry{}, false
	}
	r, err := e.queue.Find(ctx, nil, en.was.Message.ID)
	if err != nil || r.State.Phase != message.Trying || r.State.Attempts != en.was.State.Attempts {
		return entry{}, false
	}
	return e.conclude(en.flight, r, time.Now()), true
}

// written draws the consequences of an entry that is on disk: it returns the
// early news about it with known.
func (e *Engine) written(en *entry, known []message.News) []message.News {
	s := &en.end.State
	if name, ok := strings.CutPrefix(s.WakeOn, "link:"); ok && s.Phase == message.Waiting {
		if l := e.lane(name); l != nil {
			l.noteParked(en.was.Message.Account, s.ID)
			e.feed(l)
		} else if en.flight != nil {
			e.rescan.add(s.WakeOn) // the lane went away under the attempt
		}
	} else if en.flight != nil && s.WakeOn == backKey(en.flight.lane.name) {
		e.missed(en.flight)
	} else if name, ok := strings.CutPrefix(s.WakeOn, backPrefix); ok && en.flight == nil {
		e.returned(name, lastTry(s))
	}
	if s.Phase.Ended() {
		e.cashier.stir(s)
		if !en.was.State.Phase.Ended() {
			e.ended(message.Record{Message: en.was.Message, State: *s})
		}
		return known
	}
	if len(s.Segments) > 0 && e.early.any() {
		known = e.early.take(known, s)
	}
	return known
}
