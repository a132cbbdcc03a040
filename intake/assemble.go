package intake

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

// Parts of a long message are joined where the first hop wants the whole, or
// the sender one receipt for it (spec smpp §13). Each part is a message of
// its own, durable before its answer, that waits on the key of its group; the
// last one, by whichever connection it comes, makes one message of them.
// Nobody has to look after a group that stays incomplete: its parts come due
// and leave alone.

const (
	joinWait  = time.Minute // from the first part
	joinTries = 3
	// maxGroups bounds what is remembered of groups: a part of a forgotten
	// one waits for a minute from its own arrival.
	maxGroups = 1 << 14
)

// assembly remembers when the first part of each open group came.
type assembly struct {
	mu     sync.Mutex
	groups map[string]time.Time
}

// until returns when the parts of a group go on alone.
func (a *assembly) until(key string, now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	first, ok := a.groups[key]
	if !ok || now.Sub(first) >= joinWait {
		if len(a.groups) >= maxGroups {
			a.forget(now)
		}
		if a.groups == nil {
			a.groups = make(map[string]time.Time)
		}
		first = now
		a.groups[key] = first
	}
	return first.Add(joinWait)
}

// forget drops groups that are over, else those that come first. mu is held.
func (a *assembly) forget(now time.Time) {
	for key, first := range a.groups {
		if now.Sub(first) >= joinWait || len(a.groups) > maxGroups/2 {
			delete(a.groups, key)
		}
	}
}

func (a *assembly) done(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.groups, key)
}

// group returns the key of the group that m waits in, false if m is no part
// or its parts are not joined.
func (v *visit) group(m *message.Message, plan routing.Plan) (string, bool) {
	p := m.Body.Part
	if p == nil || p.Total < 2 || m.Mode != message.ModeStore || !v.joins(m, plan) {
		return "", false
	}
	h := sha256.New()
	for _, s := range []string{m.Account, m.Origin.Link, m.From.Value, m.To.Value, m.Dest} {
		_ = binary.Write(h, binary.BigEndian, uint32(len(s)))
		_, _ = h.Write([]byte(s))
	}
	_ = binary.Write(h, binary.BigEndian, [4]uint16{p.Ref, uint16(p.Kind), uint16(p.Total)})
	key := message.PartsKey + hex.EncodeToString(h.Sum(nil)[:16])
	v.onceEach(m, key)
	return key, true
}

// wait has a part wait for the others of its group: for a minute from the
// first, or as long as it is scheduled for.
func (v *visit) wait(m *message.Message, s *message.State, key string) {
	s.WakeOn, s.Due = key, v.in.parts.until(key, v.now)
	if m.NotBefore.After(s.Due) {
		s.Due = m.NotBefore
	}
	if s.Due.After(m.Expires) {
		s.Due = m.Expires
	}
	if v.groups == nil {
		v.groups = make(map[string]struct{})
	}
	v.groups[key] = struct{}{}
}

// onceEach names a part so that the same one again gets the first answer.
func (v *visit) onceEach(m *message.Message, key string) {
	if m.Origin.Ref != "" {
		return // its protocol knows repeats better
	}
	h := sha256.New()
	_, _ = h.Write([]byte{m.Body.Part.Seq, byte(m.Body.Coding)})
	for _, s := range [][]byte{m.Body.UDH, m.Body.Data, []byte(m.Body.Text)} {
		_ = binary.Write(h, binary.BigEndian, uint32(len(s)))
		_, _ = h.Write(s)
	}
	m.Origin.Ref, m.Origin.RefLife = key+"/"+hex.EncodeToString(h.Sum(nil)[:12]), joinWait
}

// joins tells whether the parts of m become one message: its sender wants one
// receipt for all, or its first hop takes whole texts (spec sip §8.1).
func (v *visit) joins(m *message.Message, plan routing.Plan) bool {
	switch plan.Verdict {
	case routing.Hold: // open to any poller
		return true
	case routing.Forward:
	default:
		return false
	}
	if wantsOne(v.dir.Link(m.Origin.Link)) {
		return true
	}
	name := plan.Hops[0].Link
	l := v.dir.Link(name)
	if l == nil {
		return name == m.Dest // the queue of a poller
	}
	switch l.Kind {
	case tenant.KindPoll, tenant.KindWebhook, tenant.KindSIPUsers:
		return true
	case tenant.KindSIP:
		return l.SIP.Long == "join"
	}
	return false
}

// wantsOne tells whether l asks for one receipt for all parts.
func wantsOne(l *tenant.Link) bool {
	return l != nil && l.ESME != nil && l.ESME.MultipartReceipt == "one"
}

// assemble joins the groups that are complete now. What fails here is no
// fault of the sender's: its parts are kept, and leave alone.
func (in *Intake) assemble(ctx context.Context, dir *tenant.Directory, keys map[string]struct{}) {
	for key := range keys {
		for try := 0; ; try++ {
			err := in.join(ctx, dir, key)
			if err == nil {
				break
			}
			changed := errors.Is(err, message.ErrStale) || errors.Is(err, message.ErrNotFound)
			if changed && try+1 < joinTries {
				continue
			}
			if !changed {
				in.log.Warn().Err(err).Msg("parts are not joined and go alone")
			}
			break
		}
	}
}

// Resume joins the groups whose last part came just before the house fell. It
// is called before the engine runs, which would send due parts alone.
func (in *Intake) Resume(ctx context.Context) error {
	keys, err := in.queue.Waits(ctx, message.PartsKey)
	if err != nil {
		return err
	}
	groups := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		groups[key] = struct{}{}
	}
	in.assemble(ctx, in.directory(), groups)
	return nil
}

// join makes one message of the parts that wait on key, if all are there.
func (in *Intake) join(ctx context.Context, dir *tenant.Directory, key string) error {
	waiting, err := in.queue.Parked(ctx, key, 0, 2*message.MaxParts)
	if err != nil || len(waiting) == 0 {
		return err
	}
	parts := inOrder(waiting)
	if parts == nil {
		return nil
	}
	bodies := make([]message.Body, len(parts))
	for i, r := range parts {
		bodies[i] = r.Message.Body
	}
	body, err := translate.Join(bodies)
	if err != nil {
		return err
	}
	now := time.Now()
	whole := message.End{State: parts[0].State, Message: wholeOf(parts, body, wantsOne(dir.Link(parts[0].Message.Origin.Link)))}
	s := &whole.State
	s.WakeOn, s.Due = "", now
	if at := whole.Message.NotBefore; at.After(now) {
		s.Due = at
	}
	for _, r := range parts[1:] {
		if !s.Charge.Join(r.State.Charge) {
			return errCharges
		}
	}
	s.Note(message.Step{At: now, Kind: "edit", Text: joined(parts)})
	(&visit{in: in, dir: dir, now: now, facts: in.facts(now)}).whole(&whole)
	rest := make([]message.State, len(parts)-1)
	for i := range rest {
		rest[i] = parts[i+1].State
	}
	if err := in.queue.Join(ctx, whole, rest...); err != nil {
		return err
	}
	in.parts.done(key)
	return nil
}

var errCharges = errors.New("parts of one message are charged differently")

// inOrder returns the oldest of each part by its number, nil if one is missing.
func inOrder(waiting []message.Record) []message.Record {
	parts := make([]message.Record, waiting[0].Message.Body.Part.Total)
	for _, r := range waiting {
		p := r.Message.Body.Part
		if p == nil || p.Seq == 0 || int(p.Seq) > len(parts) {
			return nil // edited meanwhile
		}
		if parts[p.Seq-1].Message == nil {
			parts[p.Seq-1] = r
		}
	}
	for _, r := range parts {
		if r.Message == nil {
			return nil
		}
	}
	return parts
}

// wholeOf is part 1 with the text of all. The other ids stay good for it, and
// each sender that asked has a receipt: one for all, or one each.
func wholeOf(parts []message.Record, body message.Body, one bool) *message.Message {
	m := parts[0].Message.Clone()
	m.Body = body
	n, wants := 0, message.WantNone
	m.Aliases = append([]message.Alias(nil), m.Aliases...)
	for i, r := range parts {
		n += int(r.Message.Parts)
		wants |= r.Message.Wants
		if i == 0 {
			continue
		}
		a := message.Alias{ID: r.Message.ID, Wants: r.Message.Wants, Handle: r.Message.Origin.Handle}
		if one {
			a.Wants = message.WantNone
		}
		m.Aliases = append(m.Aliases, a)
		for _, older := range r.Message.Aliases {
			m.Aliases = append(m.Aliases, message.Alias{ID: older.ID})
		}
	}
	m.Parts = uint8(min(n, message.MaxParts))
	if one {
		m.Wants = wants
	}
	return m
}

// joined is the line of the trace.
func joined(parts []message.Record) string {
	ids := make([]string, 0, 8)
	for _, r := range parts[1:] {
		if len(ids) == cap(ids) {
			ids = append(ids, "...")
			break
		}
		ids = append(ids, r.Message.ID.String())
	}
	return fmt.Sprintf("joined from %d parts, with %s", len(parts), strings.Join(ids, " "))
}
