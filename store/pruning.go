package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// pruning makes out, as of one snapshot, what a sweep removes.
type pruning struct {
	*batch  // what goes key by key, and in the end all of it
	w       *removeWork
	snap    pebble.Reader
	entries *walk
	limit   []byte // no e key from here on goes

	gone []gone
	run  [][]byte // e keys side by side, all of which go
}

// gone is a message that is removed.
type gone struct {
	id      message.ID
	account string
}

func newPruning(s *Store, db *pebble.DB, snap pebble.Reader, w *removeWork, limit []byte) *pruning {
	b := s.newBatch(db)
	b.db, w.prune = snap, b.w
	return &pruning{batch: b, w: w, snap: snap, entries: newWalk(snap), limit: limit}
}

// read takes up to a chunk of e keys from low on.
func (p *pruning) read(low []byte) error {
	it, err := p.snap.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: p.limit})
	if err != nil {
		return err
	}
	ok := it.First()
	for ; ok && p.w.ends < removeChunk; ok = it.Next() {
		p.w.ends++
		stays, err := p.one(it.Key(), it.Value())
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if stays {
			p.w.stayed = min(p.w.stayed, int64(binary.BigEndian.Uint64(it.Key()[1:])))
			p.cut(it.Key())
		} else {
			p.run = append(p.run, bytes.Clone(it.Key()))
		}
	}
	if ok {
		p.w.more = bytes.Clone(it.Key())
		p.cut(p.w.more)
	} else {
		p.cut(p.limit)
	}
	return errors.Join(it.Error(), it.Close())
}

// cut ends a run of e keys before next.
func (p *pruning) cut(next []byte) {
	if len(p.run) >= rangeFrom {
		must(p.batch.w.DeleteRange(p.run[0], next, nil))
	} else {
		for _, key := range p.run {
			p.del(key)
		}
	}
	p.run = p.run[:0]
}

// one takes the message of an e key, or the u key that it holds, unless it has
// to stay.
func (p *pruning) one(key, ref []byte) (stays bool, err error) {
	id := tailID(key)
	if len(ref) > 0 {
		p.w.refs[p.s.vigil.digest(ref)] = struct{}{}
		p.dropRef(ref, id)
		return false, nil
	}
	e, err := p.entries.entry(id, true)
	switch {
	case err != nil:
		return false, err
	case e == nil:
		p.del(stateKey(nil, id))
		return false, nil
	case !e.ended():
		return false, nil
	case !e.closed():
		return true, nil // a charging server is still to be asked
	}
	if stays, err = p.s.marked(p.snap, e); err != nil || stays {
		return stays, err
	}
	if o := e.msg.Origin; o.Ref != "" {
		p.w.refs[p.s.vigil.digest(refKey(nil, e.account, o.Link, o.Ref))] = struct{}{}
	}
	p.eraseNames(e)
	p.gone = append(p.gone, gone{id, e.account})
	return false, nil
}

// ranges finds what of all messages lies side by side, and removes it.
func (p *pruning) ranges() error {
	if len(p.gone) == 0 {
		return nil
	}
	slices.SortFunc(p.gone, func(a, b gone) int { return cmp.Compare(a.id, b.id) })
	p.w.low = p.gone[0].id
	it, err := p.snap.NewIter(&pebble.IterOptions{LowerBound: messageKey(nil, p.w.low), UpperBound: []byte{keyMessage + 1}})
	if err != nil {
		return err
	}
	for i := 0; i < len(p.gone); {
		// Mostly it stands there, or at the one before.
		if it.Valid() && tailID(it.Key()) < p.gone[i].id {
			it.Next()
		}
		if !it.Valid() || tailID(it.Key()) != p.gone[i].id {
			it.SeekGE(messageKey(nil, p.gone[i].id))
		}
		first := i
		for i < len(p.gone) && it.Valid() && tailID(it.Key()) == p.gone[i].id {
			it.Next()
			i++
		}
		if i == first {
			return errors.Join(errFormat, it.Error(), it.Close())
		}
		end := p.gone[i-1].id + 1
		if it.Valid() {
			end = tailID(it.Key()) // ranges that touch count as one
		}
		p.remove(p.gone[first:i], end)
	}
	return errors.Join(it.Error(), it.Close())
}

// remove removes messages before end between which there is no other.
func (p *pruning) remove(some []gone, end message.ID) {
	p.w.high = end - 1
	span := func(prefix []byte) {
		p.k, p.v = appendID(append(p.k[:0], prefix...), some[0].id), appendID(append(p.v[:0], prefix...), end)
		must(p.batch.w.DeleteRange(p.k, p.v, nil))
	}
	accounts := map[string]int{}
	for _, g := range some {
		accounts[g.account]++
	}
	for account, n := range accounts {
		if n >= rangeFrom {
			span(accountPrefix(nil, account))
		}
	}
	whole := len(some) >= rangeFrom
	if whole {
		span([]byte{keyMessage})
		span([]byte{keyState})
	}
	for _, g := range some {
		if !whole {
			p.k = messageKey(p.k[:0], g.id)
			p.del(p.k)
			p.k = stateKey(p.k[:0], g.id)
			p.del(p.k)
		}
		if accounts[g.account] < rangeFrom {
			p.k = appendID(accountPrefix(p.k[:0], g.account), g.id)
			p.del(p.k)
		}
	}
}
