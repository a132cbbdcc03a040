package store

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// entry is what memory knows of one message. It never changes once it is
// shared: a new State is a new entry.
type entry struct {
	head
	state message.State
	msg   *message.Message // nil: not read
}

func (e *entry) ended() bool { return e.state.Phase.Ended() }

// closed tells whether the line of an end can be written: nothing about its
// charge is open.
func (e *entry) closed() bool {
	return e.ended() && e.state.Charge.Todo == message.NoStep
}

func (e *entry) record() message.Record { return message.Record{Message: e.msg, State: e.state} }

// weight is about how much memory the content takes, in octets.
func (e *entry) weight() int {
	if e.msg == nil {
		return 0
	}
	return len(e.msg.Body.Text) + len(e.msg.Body.Data) + 64*len(e.msg.Extra) + 64*len(e.state.Trace)
}

// classOf counts s as message.Record.Status names it. Where the message is
// not at hand, old tells what it was counted as before.
func classOf(s *message.State, m *message.Message, old class) class {
	switch {
	case s.Phase.Ended():
		return classEnded
	case s.Phase == message.Trying:
		return classSending
	case s.Phase == message.Sent:
		return classSent
	case s.Rounds > 0:
		return classRetrying
	case s.Attempts > 0 || s.WakeOn != "":
		return classQueued
	case m != nil && m.NotBefore.After(m.Accepted), m == nil && old == classScheduled:
		return classScheduled
	}
	return classQueued
}

// readEntry reads what the disk says of a message; nil if there is none. The
// message itself is read only where that costs nothing more, or if whole.
func readEntry(db pebble.Reader, id message.ID, whole bool) (*entry, error) {
	var e *entry
	var key [9]byte
	changed, err := view(db, stateKey(key[:0], id), func(v []byte) error {
		h, s, err := decodeState(id, v)
		e = &entry{head: h, state: s}
		return err
	})
	if err != nil || changed && !whole {
		return e, err
	}
	found, err := view(db, messageKey(key[:0], id), func(v []byte) error {
		h, r, err := decodeRecord(id, v)
		if e == nil {
			e = &entry{head: h, state: r.State}
		}
		e.msg = r.Message
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found && whole {
		return nil, nil
	}
	return e, nil
}

// load fills in the message of e.
func (e *entry) load(db pebble.Reader) (*entry, error) {
	if e.msg != nil {
		return e, nil
	}
	var key [9]byte
	full := *e
	found, err := view(db, messageKey(key[:0], e.state.ID), func(v []byte) error {
		_, r, err := decodeRecord(e.state.ID, v)
		full.msg = r.Message
		return err
	})
	if err == nil && !found {
		err = errors.Join(message.ErrNotFound, errFormat)
	}
	return &full, err
}
