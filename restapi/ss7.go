package restapi

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"smsc/message"
	"smsc/tenant"
)

// ss7Kind names the rows of SS7 events on the shelf.
const ss7Kind = "rest.ss7"

// messageOf is the message that an SS7 event speaks of, 0 if it names none.
func messageOf(r *row) uint64 {
	switch n := r.Fields["message_id"].(type) {
	case json.Number: // as it was read
		id, _ := n.Int64()
		return uint64(max(id, 0))
	case int64: // as it was posted
		return uint64(n)
	}
	return 0
}

// noteAbout remembers which message a row speaks of. The lock is held.
func (s *sheet) noteAbout(r *row) {
	if s.kind != ss7Kind {
		return
	}
	if id := messageOf(r); id != 0 {
		s.about[r.ID] = id
	} else {
		delete(s.about, r.ID)
	}
}

// speakingOf returns the rows about a message, oldest first.
func (s *sheet) speakingOf(ctx context.Context, shelf Shelf, id message.ID) (rows []*row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load(ctx, shelf, keyOf) != nil {
		return nil
	}
	for at, about := range s.about {
		if about != uint64(id) {
			continue
		}
		if r, err := s.get(ctx, shelf, at); err == nil && r != nil {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *row) int { return cmp.Compare(a.ID, b.ID) })
	return rows
}

// ss7Steps are the SS7 events about r as steps of its trace: those in reach of
// the caller, of accounts that may see the message. A stranger who guesses an
// id writes nothing into it.
func (c *call) ss7Steps(r message.Record) (steps []message.Step) {
	for _, e := range c.s.sheets["ss7_events"].speakingOf(c.r.Context(), c.s.deps.Shelf, r.Message.ID) {
		as := call{s: c.s, dir: c.dir, id: tenant.Identity{Account: e.Account}}
		if !c.dir.Within(e.Account, c.id.Account) || !as.sees(r) {
			continue
		}
		words := []string{e.text("event_name")}
		for _, name := range [...]string{"result", "error_code", "otid", "dtid", "calling_gt", "called_gt"} {
			if v := e.text(name); v != "" {
				words = append(words, name+" "+v)
			}
		}
		steps = append(steps, message.Step{At: e.Inserted, Kind: "ss7", Text: strings.Join(words, ", "), Result: e.text("direction")})
	}
	return steps
}
