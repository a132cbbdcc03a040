package sip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/translate"
)

// How long a phone's repeats are known (spec ims §3.4).
const (
	rpRepeat = 5 * time.Minute // its RP layer tries again: same reference
	tpRepeat = time.Hour       // its application tries again: TP-RD

	repeatKind = "ims-repeat"
)

// sent is what is kept of a SUBMIT under its content: by which name the store
// knows the first request.
type sent struct {
	Ref string    `json:"ref"` // Origin.Ref
	MR  uint8     `json:"mr"`  // RP-MR
	At  time.Time `json:"at"`
}

// contentKey names what a subscriber sends, whatever the transaction: the
// TPDU with TP-RD cleared. Texts that are the same on purpose differ in TP-MR.
func contentKey(r *request) string {
	h := sha256.New()
	_, _ = h.Write([]byte(r.l.name + "\x00" + r.who.key + "\x00"))
	first := r.rp.UserData[0] &^ tpRejectDuplicates
	_, _ = h.Write([]byte{first})
	_, _ = h.Write(r.rp.UserData[1:])
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// tpRejectDuplicates is TP-RD (TS 23.040 §9.2.3.25).
const tpRejectDuplicates = 0x04

// store puts a message behind the door, once. A repeat gets the name of the
// first request, so that the store knows it and gives the first id; one that
// comes while the first is being decided waits for it.
func (i *ims) store(r *request, t *translate.TPDU, m *message.Message) error {
	key := contentKey(r)
	mark := asked{r.l.name, key}
	var mine *decision
	for mine == nil {
		first, d := i.repeats.enter(mark)
		if first {
			mine = d
			break
		}
		select {
		case <-d.done:
		case <-time.After(storeWait):
			return context.DeadlineExceeded
		}
	}
	defer i.repeats.leave(mark, mine, response{})
	ctx := i.clock.context()
	was, fresh := i.known(ctx, key, r, t, m.Origin.Ref)
	if !fresh {
		m.Origin.Ref = was
	}
	kept := make(chan struct{})
	if fresh {
		// Beside the message, so that both share a sync. Should we crash between
		// the two, nothing was answered yet.
		go func() {
			defer close(kept)
			i.remember(ctx, key, sent{Ref: m.Origin.Ref, MR: r.rp.Ref, At: r.began})
		}()
	} else {
		close(kept)
	}
	err := i.s.deps.Acceptor.Accept(ctx, m)[0]
	<-kept
	if err == nil {
		i.s.deps.Captured.Keep(capture.Hop{ID: m.ID, Step: capture.Accepted, Form: capture.SIP, Link: r.l.name}, "", r.octets)
	}
	return err
}

// known returns the name of the first request of which r, named own, is a
// repeat; fresh tells that it is none and is to be remembered.
func (i *ims) known(ctx context.Context, key string, r *request, t *translate.TPDU, own string) (ref string, fresh bool) {
	value, ok, err := i.shelf.Get(ctx, repeatKind, key)
	var was sent
	if err != nil || !ok || json.Unmarshal(value, &was) != nil || len(was.Ref) != len(own) {
		return "", true
	}
	age := r.began.Sub(was.At)
	switch {
	case was.Ref == own:
		i.meters.repeat(r.l.name, "sip")
	case t.RejectDuplicate && age < tpRepeat:
		i.meters.repeat(r.l.name, "tp")
	case was.MR == r.rp.Ref && age < rpRepeat:
		i.meters.repeat(r.l.name, "rp")
	default:
		return "", true
	}
	return was.Ref, false
}

// remember keeps a SUBMIT for an hour. What cannot be kept is no reason to
// refuse it: the repeats of SIP are known all the same.
func (i *ims) remember(ctx context.Context, key string, s sent) {
	b, err := json.Marshal(&s)
	if err == nil {
		err = i.shelf.Set(ctx, repeatKind, key, b, s.At.Add(tpRepeat))
	}
	if err != nil && ctx.Err() == nil {
		i.s.log.Warn().Err(err).Msg("a message of a phone is not remembered for its repeats")
	}
}
