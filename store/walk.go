package store

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// walk reads many entries in the order of their ids, or against it: iterators
// that go side by side cost a fraction of a look-up for each. All of them are
// read as of the moment that walk first looked.
type walk struct {
	db               pebble.Reader
	states, messages track
}

// track is one of the iterators.
type track struct {
	it   *pebble.Iterator
	desc bool       // it goes from high ids to low ones
	last message.ID // that was asked for
	key  [10]byte   // scratch
}

// newWalk returns a walk through db. It is to be closed.
func newWalk(db pebble.Reader) *walk { return &walk{db: db} }

// descend has the walk go from high ids to low ones.
func (w *walk) descend(desc bool) { w.states.desc, w.messages.desc = desc, desc }

func (w *walk) close() error {
	var errs error
	for _, t := range [...]*track{&w.states, &w.messages} {
		if t.it != nil {
			errs = errors.Join(errs, t.it.Close())
		}
	}
	return errs
}

// entry is readEntry.
func (w *walk) entry(id message.ID, whole bool) (*entry, error) {
	v, changed, err := w.states.find(w.db, keyState, id)
	if err != nil {
		return nil, err
	}
	var e *entry
	if changed {
		h, s, err := decodeState(id, v)
		if e = (&entry{head: h, state: s}); err != nil || !whole {
			return e, err
		}
	}
	v, found, err := w.messages.find(w.db, keyMessage, id)
	if err != nil || !found {
		return nil, err
	}
	h, r, err := decodeRecord(id, v)
	if e == nil {
		e = &entry{head: h, state: r.State}
	}
	e.msg = r.Message
	return e, err
}

// find returns the value of the key of id, which is Pebble's until the next
// call.
func (t *track) find(db pebble.Reader, kind byte, id message.ID) (value []byte, found bool, err error) {
	key := appendID(append(t.key[:0], kind), id)
	switch {
	case t.it == nil:
		if t.it, err = db.NewIter(&pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}}); err != nil {
			return nil, false, err
		}
		t.jump(key)
	case t.behind(id):
		t.jump(key)
	case t.short(key):
		// Mostly the very next one; where it lies farther, a jump.
		if t.step(); t.short(key) {
			t.jump(key)
		}
	}
	t.last = id
	if !t.it.Valid() || !bytes.Equal(t.it.Key(), key) {
		return nil, false, t.it.Error()
	}
	return t.it.Value(), true, t.it.Error()
}

// behind tells that id lies where the track has been.
func (t *track) behind(id message.ID) bool {
	if t.desc {
		return id > t.last
	}
	return id < t.last
}

// short tells that the track has not come to key yet.
func (t *track) short(key []byte) bool {
	if !t.it.Valid() {
		return false
	}
	way := bytes.Compare(t.it.Key(), key)
	return t.desc && way > 0 || !t.desc && way < 0
}

func (t *track) step() {
	if t.desc {
		t.it.Prev()
	} else {
		t.it.Next()
	}
}

// jump goes to key, or to the first one after it in the direction of t.
func (t *track) jump(key []byte) {
	if t.desc {
		t.it.SeekLT(append(key, 0)) // the next key there could be
	} else {
		t.it.SeekGE(key)
	}
}
