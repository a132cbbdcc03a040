package restapi

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

const provision = `
accounts:
  - {name: acme, token: "s3cret", keys: [{name: app, key: "acme-key-0123456789", role: send}, {name: eye, key: "acme-eye-0123456789", role: read}]}
  - {name: shop, parent: acme, token: "shop-t0ken", senders: ["Shop", "4917*"]}
  - {name: other, token: "other-t0ken", keys: [{name: app, key: "other-key-0123456789", role: send}]}
  - {name: frozen, token: "frozen-t0ken", status: suspended}
  - {name: gone, token: "gone-t0ken", status: closed}
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, password: "pw-carrier"}
  - {name: app, kind: poll, account: acme}
  - {name: box, kind: poll, account: other}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "46", dest_smsc: app, account: acme}
`

const operatorKey = "operator-key-0123456789"

// house is the rooms behind the edge, in memory: enough of their contracts
// to tell whether the edge keeps its own.
type house struct {
	mu      sync.Mutex
	dir     func() *tenant.Directory
	mint    *message.Mint
	records map[message.ID]message.Record
	refs    map[string]message.ID
	shelf   map[string][]byte
	changed chan struct{}
	refusal error
	took    func(*message.Message) // sees what was accepted
}

func newHouse() *house {
	return &house{mint: message.NewMint(0), records: map[message.ID]message.Record{}, refs: map[string]message.ID{},
		shelf: map[string][]byte{}, changed: make(chan struct{})}
}

// signal wakes those who wait. The lock is held.
func (h *house) signal() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *house) put(r message.Record) {
	h.records[r.Message.ID] = r
	h.signal()
}

func (h *house) Accept(_ context.Context, ms ...*message.Message) []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	errs := make([]error, len(ms))
	for i, m := range ms {
		errs[i] = h.accept(m)
	}
	return errs
}

func (h *house) accept(m *message.Message) error {
	if h.refusal != nil {
		return h.refusal
	}
	var err error
	if m.From, err = translate.Normalise(m.From.Shown(), m.From.TON, m.From.NPI, m.From.Typed, translate.NumberPlan{}); err != nil {
		return message.Errorf(message.Barred, "no such sender")
	}
	if m.To, err = translate.Normalise(m.To.Shown(), m.To.TON, m.To.NPI, m.To.Typed, translate.NumberPlan{}); err != nil {
		return err
	}
	if !h.dir().MaySend(m.Account, m.From.Value) {
		return message.Errorf(message.Barred, "not your number")
	}
	n, err := translate.CountParts(m.Body)
	if err != nil {
		return message.Errorf(message.TooLarge, "more than 255 parts")
	}
	m.Parts = uint8(n)
	if m.Origin.Ref != "" {
		key := m.Account + "\x00" + m.Origin.Link + "\x00" + m.Origin.Ref
		if id, ok := h.refs[key]; ok {
			m.ID = id
			return nil
		}
		defer func() { h.refs[key] = m.ID }()
	}
	now := time.Now()
	m.Accepted = now
	if m.Expires.IsZero() {
		m.Expires = now.Add(24 * time.Hour)
	}
	m.ID = h.mint.Next(now)
	s := message.State{ID: m.ID, Due: m.Expires}
	s.Note(message.Step{At: now, Kind: "accepted", Link: m.Origin.Link, Text: "HTTP"})
	if h.park(m, &s); m.Extra[message.ExtraParked] != "" {
		s.Phase, s.Ended, s.WakeOn = message.Failed, now, ""
	}
	h.put(message.Record{Message: m.Clone(), State: s})
	if h.took != nil {
		h.took(m)
	}
	return nil
}

func (h *house) park(m *message.Message, s *message.State) {
	dest := m.Dest
	if dest == "" {
		if p := h.dir().Table().Plan(m); p.Verdict == routing.Forward {
			dest = p.Hops[0].Link
		}
	}
	s.WakeOn = queuePrefix + dest
	if l := h.dir().Link(dest); l != nil && l.Kind != tenant.KindPoll {
		s.WakeOn = "link:" + dest
	}
}

func (h *house) Find(_ context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.records[id]
	if !ok || !reach.Sees(r.Message.Account) {
		return message.Record{}, message.ErrNotFound
	}
	return r, nil
}

func (h *house) sorted() []message.Record {
	var all []message.Record
	for _, r := range h.records {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b message.Record) int { return cmp.Compare(a.Message.ID, b.Message.ID) })
	return all
}

func (h *house) List(_ context.Context, q message.Query) ([]message.Record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.sorted()
	if q.Desc {
		slices.Reverse(all)
	}
	var out []message.Record
	for _, r := range all {
		id := r.Message.ID
		past := q.After == 0 || !q.Desc && id > q.After || q.Desc && id < q.After
		if past && q.Matches(r) && len(out) < cmp.Or(q.Limit, 100) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (h *house) Wait(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	for {
		h.mu.Lock()
		changed := h.changed
		h.mu.Unlock()
		r, err := h.Find(ctx, reach, id)
		if err != nil || r.State.Phase.Ended() {
			return r, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

func (h *house) Take(_ context.Context, queue string, most int, lease time.Duration, match func(message.Record) bool) ([]message.Record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []message.Record
	now := time.Now()
	for _, r := range h.sorted() {
		free := r.State.Phase == message.Waiting || r.State.Phase == message.Trying && r.State.Due.Before(now)
		if r.State.WakeOn != queuePrefix+queue || !free || len(out) == most || !match(r) {
			continue
		}
		if lease > 0 {
			r.State.Phase, r.State.Due = message.Trying, now.Add(lease)
			r.State.Version++
			h.records[r.Message.ID] = r
		}
		out = append(out, r)
	}
	return out, nil
}

func (h *house) Changed(string) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

// edit changes one record under the rules of message.Editor.
func (h *house) edit(reach message.Reach, id message.ID, change func(*message.Record) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.records[id]
	if !ok || !reach.Sees(r.Message.Account) {
		return message.ErrNotFound
	}
	r.Message = r.Message.Clone()
	if err := change(&r); err != nil {
		return err
	}
	r.State.Version++
	h.put(r)
	return nil
}

func (h *house) waits(r *message.Record) error {
	switch {
	case r.State.Phase.Ended():
		return message.ErrFinished
	case r.State.Phase != message.Waiting:
		return message.ErrInFlight
	}
	return nil
}

func (h *house) Cancel(_ context.Context, reach message.Reach, id message.ID, who string) error {
	return h.edit(reach, id, func(r *message.Record) error {
		if err := h.waits(r); err != nil {
			return err
		}
		h.end(r, message.Cancelled)
		return nil
	})
}

// end ends r, with the receipt that was asked for.
func (h *house) end(r *message.Record, phase message.Phase) {
	m := r.Message
	r.State.Phase, r.State.Ended, r.State.WakeOn = phase, time.Now(), ""
	if m.Wants&message.WantFinal == 0 || m.Kind == message.KindReceipt {
		return
	}
	r.State.Note(message.Step{At: r.State.Ended, Kind: "receipt"})
	now := time.Now()
	id := h.mint.Next(now)
	h.records[id] = message.Record{
		Message: &message.Message{ID: id, Kind: message.KindReceipt, Account: m.Account, From: m.To, To: m.From, Dest: m.Origin.Link,
			Accepted: now, Expires: now.Add(24 * time.Hour),
			About: &message.About{ID: m.ID, Phase: phase, Cause: r.State.Failure, Submitted: m.Accepted, Done: r.State.Ended,
				Parts: m.Parts, Handle: m.Origin.Handle}},
		State: message.State{ID: id, WakeOn: queuePrefix + m.Origin.Link, Due: now.Add(24 * time.Hour)},
	}
}

func (h *house) Retry(_ context.Context, reach message.Reach, id message.ID, who string) error {
	return h.edit(reach, id, func(r *message.Record) error {
		if r.State.Phase == message.Done {
			return message.ErrFinished
		}
		r.State.Phase, r.State.Ended, r.State.Rounds = message.Waiting, time.Time{}, 0
		h.park(r.Message, &r.State)
		return nil
	})
}

func (h *house) Edit(_ context.Context, reach message.Reach, id message.ID, who string, change func(*message.Message) error) error {
	return h.edit(reach, id, func(r *message.Record) error {
		if err := h.waits(r); err != nil {
			return err
		}
		if err := change(r.Message); err != nil {
			return err
		}
		h.park(r.Message, &r.State)
		return nil
	})
}

func (h *house) Conclude(_ context.Context, reach message.Reach, id message.ID, who string, o message.Outcome) error {
	return h.edit(reach, id, func(r *message.Record) error {
		if r.State.Phase.Ended() {
			return message.ErrFinished
		}
		if r.State.Phase == message.Trying && !leased(*r) || strings.HasPrefix(r.State.WakeOn, "link:") {
			return message.ErrInFlight
		}
		r.State.Link, r.State.Last = queueOf(*r), o
		switch o.Result {
		case message.Delivered:
			h.end(r, message.Done)
		case message.Relayed:
			r.State.Phase, r.State.WakeOn = message.Sent, ""
			for _, id := range o.Remote {
				r.State.Segments = append(r.State.Segments, message.Segment{Remote: id, Result: message.Relayed})
			}
		case message.Refused:
			r.State.Failure = o.Cause
			h.end(r, message.Failed)
		default:
			r.State.Failure = o.Cause
			r.State.Rounds++
			r.State.Phase, r.State.WakeOn = message.Waiting, ""
			r.State.Due = time.Now().Add(2 * time.Minute)
		}
		return nil
	})
}

// Replay keeps the contract of delivery's: each receipt becomes a record of
// its own, and the trace tells of it.
func (h *house) Replay(_ context.Context, reach message.Reach, id message.ID, _ string, again func(message.Record) []*message.Message) error {
	return h.edit(reach, id, func(r *message.Record) error {
		for _, m := range again(*r) {
			now := time.Now()
			m.ID, m.Accepted, m.Expires = h.mint.Next(now), now, now.Add(24*time.Hour)
			h.records[m.ID] = message.Record{Message: m, State: message.State{ID: m.ID, Due: now}}
			r.State.Note(message.Made(now, m))
		}
		return nil
	})
}

func (h *house) Set(_ context.Context, kind, key string, v []byte, _ time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shelf[kind+"\x00"+key] = slices.Clone(v)
	return nil
}

func (h *house) Get(_ context.Context, kind, key string) ([]byte, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.shelf[kind+"\x00"+key]
	return v, ok, nil
}

func (h *house) Delete(_ context.Context, kind, key string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.shelf, kind+"\x00"+key)
	return nil
}

func (h *house) Each(_ context.Context, kind string, f func(string, []byte) bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(h.shelf)) {
		if key, ok := strings.CutPrefix(k, kind+"\x00"); ok && !f(key, h.shelf[k]) {
			return nil
		}
	}
	return nil
}

// ref returns the one Ref that is known.
func (h *house) ref() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key := range h.refs {
		if _, ref, ok := strings.Cut(key, "\x00idem:"); ok && strings.HasPrefix(key, "acme") {
			return "idem:" + ref
		}
	}
	return ""
}
