package store

import (
	"bytes"
	"context"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// Bounds of a search.
const (
	defaultLimit = 100
	// maxSeen is how many records of the kind asked for one List looks at,
	// and maxPassed how many of all kinds it passes. A search that would need
	// more is refused: it has to name an account or a time.
	maxSeen   = 1_000_000
	maxPassed = 4 * maxSeen
	// clockSlack is how far an ID may run ahead of, or behind, Accepted.
	clockSlack = time.Hour
)

// search reads the records that a query matches. Values hold their strings as
// they are, so most of what does not match is told from the octets alone: a
// record is decoded only where all that the query names stands somewhere in
// it.
type search struct {
	q      *message.Query
	db     pebble.Reader
	walk   *walk
	inMsg  [][]byte // every one of them is in the m value
	inMove [][]byte // every one of them is in the latest state
	either [][]byte // one of them is in the m value or in the latest state
	phases uint64   // a bit for each phase that the query admits
	others int      // records passed that are of another kind
}

func newSearch(db pebble.Reader, q *message.Query) *search {
	f := &search{q: q, db: db, walk: newWalk(db), phases: phasesOf(q)}
	f.walk.descend(q.Desc)
	for _, s := range [...]string{q.Text, plain(q.From), plain(q.To), q.Dest, q.Source, q.Handle, q.Account} {
		if s != "" {
			f.inMsg = append(f.inMsg, []byte(s))
		}
	}
	for _, s := range [...]string{q.Link, q.Remote} {
		if s != "" {
			f.inMove = append(f.inMove, []byte(s))
		}
	}
	for _, s := range q.Mentions {
		f.either = append(f.either, []byte(s))
	}
	return f
}

// phasesOf returns the phases of the records that q may match, a bit for each.
func phasesOf(q *message.Query) (bits uint64) {
	if len(q.Statuses) == 0 {
		return math.MaxUint64
	}
	for _, word := range q.Statuses {
		if p, ok := message.PhaseOf(word); ok {
			bits |= 1 << p
		}
	}
	return bits
}

// plain is the pattern of an address without its star.
func plain(address string) string {
	if n := len(address); n > 0 && address[n-1] == '*' {
		return address[:n-1]
	}
	return address
}

func (f *search) close() error { return f.walk.close() }

// page returns the records up to the limit of the query.
func (f *search) page(ctx context.Context) ([]message.Record, error) {
	limit := f.q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	it, err := f.db.NewIter(bounds(f.prefix(), f.q))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	step, ok := it.Next, it.First()
	if f.q.Desc {
		step, ok = it.Prev, it.Last()
	}
	var out []message.Record
	for seen := 0; ok && len(out) < limit; ok = step() {
		if seen++; seen-f.others > maxSeen || seen > maxPassed {
			return out, message.Errorf(message.Congested, "the search is too wide: name an account or a time")
		}
		if seen%256 == 0 && ctx.Err() != nil {
			return out, ctx.Err()
		}
		r, err := f.look(it)
		if err != nil {
			return out, err
		}
		if r.Message != nil && f.q.Matches(r) {
			out = append(out, r)
		}
	}
	return out, it.Error()
}

// prefix is the index to read.
func (f *search) prefix() []byte {
	switch {
	case f.q.Alias != 0:
		return aliasPrefix(nil, f.q.Alias)
	case f.q.Account != "":
		return accountPrefix(nil, f.q.Account)
	}
	return []byte{keyMessage}
}

// look returns the record that it stands at; an empty one if it cannot match.
func (f *search) look(it *pebble.Iterator) (message.Record, error) {
	id, v, found := tailID(it.Key()), it.Value(), true
	if it.Key()[0] != keyMessage {
		var err error
		if v, found, err = f.walk.messages.find(f.db, keyMessage, id); err != nil || !found {
			return message.Record{}, err
		}
	}
	if f.q.Kind != nil && kindOf(v) != *f.q.Kind {
		f.others++
		return message.Record{}, nil
	}
	if !containsAll(v, f.inMsg) {
		return message.Record{}, nil
	}
	state, changed, err := f.walk.states.find(f.db, keyState, id)
	if err != nil {
		return message.Record{}, err
	}
	latest := v
	if changed {
		latest = state
	}
	phase, ok := phaseOf(latest, !changed)
	if ok && f.phases>>phase&1 == 0 || !containsAll(latest, f.inMove) || !containsOne(f.either, v, state) {
		return message.Record{}, nil
	}
	_, r, err := decodeRecord(id, v)
	if err == nil && changed {
		_, r.State, err = decodeState(id, state)
	}
	return r, err
}

func containsAll(value []byte, parts [][]byte) bool {
	for _, p := range parts {
		if !bytes.Contains(value, p) {
			return false
		}
	}
	return true
}

// containsOne tells whether one of the parts is in the record or in a state
// that changed since; it is where there are no parts.
func containsOne(parts [][]byte, record, state []byte) bool {
	for _, p := range parts {
		if bytes.Contains(record, p) || bytes.Contains(state, p) {
			return true
		}
	}
	return len(parts) == 0
}

// bounds returns the part of an index that q has to read.
func bounds(prefix []byte, q *message.Query) *pebble.IterOptions {
	low, high := message.ID(1), message.MaxID
	if q.After > 0 && q.Desc {
		high = q.After - 1
	} else if q.After > 0 {
		low = q.After + 1
	}
	if !q.Since.IsZero() {
		low = max(low, message.IDAt(q.Since.Add(-clockSlack)))
	}
	if !q.Until.IsZero() {
		high = min(high, message.IDAt(q.Until.Add(clockSlack)))
	}
	at := func(id message.ID) []byte { return appendID(append([]byte(nil), prefix...), id) }
	return &pebble.IterOptions{LowerBound: at(low), UpperBound: at(high + 1)}
}
