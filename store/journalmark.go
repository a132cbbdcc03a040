package store

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// mark is one line that is not written yet. What is known of it in memory
// spares a look at the disk.
type mark struct {
	id     message.ID
	n      uint16 // number of the end, or refusal
	try    uint16 // of an attempt, else 0
	entry  *entry // nil: on the disk
	minute int64  // that it is counted under, 0: none
}

func (m *mark) line() Line {
	if m.n == refusal {
		return Line{Refused: true}
	}
	return Line{End: int(m.n), Try: int(m.try)}
}

// tried marks an attempt that came to its outcome with the change to e. The
// mark holds the record: the message goes on.
func (b *batch) tried(e *entry, r *message.Record) {
	if b.s.journal == nil || !b.s.journal.cfg.Attempts || e.kind != message.KindMessage {
		return
	}
	m := mark{id: e.state.ID, n: r.State.Opened, try: r.State.Attempts,
		entry: &entry{head: head{kind: e.kind, account: e.account}, state: r.State, msg: r.Message}}
	b.mark(m)
}

// mark sets a mark that holds its record.
func (b *batch) mark(m mark) {
	e := m.entry
	b.k = m.key(b.k[:0])
	b.v = appendRecord(b.v[:0], e.head, appendState(nil, &e.state, e.state.Version), appendMessage(nil, e.msg))
	b.set(b.k, b.v)
	b.ticket.marks = append(b.ticket.marks, m)
}

// refusedWork marks what was refused at the door.
type refusedWork struct {
	ticket
	ids    []message.ID
	values [][]byte
}

func (w *refusedWork) stage(b *batch) error {
	for i, id := range w.ids {
		b.s.saw(id)
		m := mark{id: id, n: refusal}
		b.k = m.key(b.k[:0])
		b.set(b.k, w.values[i])
		b.ticket.marks = append(b.ticket.marks, m)
	}
	return nil
}

// Refused keeps the records of messages that were refused at the door, for
// the CDR files. Each has an ID of its own that names no message. It does not
// wait: the refusal promised nothing. The records are not kept.
func (s *Store) Refused(rs ...message.Record) {
	if s.journal == nil || !s.journal.cfg.Refusals || len(rs) == 0 {
		return
	}
	w := &refusedWork{ticket: newTicket(false)}
	for i := range rs {
		m, st := rs[i].Message, &rs[i].State
		w.ids = append(w.ids, m.ID)
		w.values = append(w.values, appendRecord(nil, head{account: m.Account}, appendState(nil, st, 0), appendMessage(nil, m)))
	}
	_ = s.submit(w)
}

// count counts the lines that were written, by their type.
func (j *journal) count(marks []mark, records []message.Record) {
	for i := range marks {
		if records[i].Message == nil {
			continue
		}
		word := "final"
		switch {
		case marks[i].n == refusal:
			word = "reject"
		case marks[i].try > 0:
			word = "attempt"
		case records[i].Message.Kind == message.KindReceipt:
			word = "dlr"
		}
		j.s.met.cdr.WithLabelValues(word).Inc()
		j.written.Add(1)
	}
}

// records returns the record of each mark as it was at that end; an empty one
// where the line was written before.
func (j *journal) records(marks []mark) ([]message.Record, error) {
	b, db, err := j.s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	snap := db.NewSnapshot()
	records := make([]message.Record, len(marks))
	for i, m := range marks {
		e := m.entry
		if e == nil || e.msg == nil {
			if e, err = m.read(snap); err != nil {
				break
			}
		}
		if e != nil {
			records[i] = e.record()
		}
	}
	return records, errors.Join(err, snap.Close())
}

// read finds what a mark stands for: the record kept in it when the message
// was opened again, else the message as it is.
func (m mark) read(db pebble.Reader) (*entry, error) {
	v, err := read(db, m.key(nil))
	if err != nil || v == nil {
		return nil, err
	}
	if len(v) > 0 {
		h, r, err := decodeRecord(m.id, v)
		return &entry{head: h, state: r.State, msg: r.Message}, err
	}
	return readEntry(db, m.id, true)
}

// dropWork removes marks.
type dropWork struct {
	ticket
	marks []mark
}

func (w *dropWork) stage(b *batch) error {
	for _, m := range w.marks {
		b.k = m.key(b.k[:0])
		b.del(b.k)
	}
	return nil
}
