package smpp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// A 3.3 peer takes ids of at most 8 characters (SMPP 3.4 §3.4): what it
// submits is known to its link by a number of 8 hexadecimal digits as well,
// counted for each link and never used twice.

// Shelf keeps small records durably.  [store.Store]
type Shelf interface {
	Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error
	Get(ctx context.Context, kind, key string) ([]byte, bool, error)
	Delete(ctx context.Context, kind, key string) error
	Each(ctx context.Context, kind string, f func(key string, value []byte) bool) error
}

const (
	shelfAlias = "smpp.alias" // link: the highest number that may have been given
	aliasBlock = 1024         // numbers taken from the shelf at once
	aliasLen   = 8
)

// aliases counts the short ids of one link.
type aliases struct {
	mu          sync.Mutex
	next, limit uint32
	known       bool
}

// take returns n numbers in a row, none of them 0. After 2^32 of them it
// begins anew: those of then are long forgotten.
func (a *aliases) take(ctx context.Context, shelf Shelf, link string, n uint32) (first uint32, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.known {
		v, ok, err := shelf.Get(ctx, shelfAlias, link)
		if err != nil {
			return 0, err
		}
		if ok && len(v) == 4 {
			a.next = binary.BigEndian.Uint32(v)
		}
		a.next, a.known = max(a.next, 1), true
		a.limit = a.next
	}
	if a.next > ^uint32(0)-n-aliasBlock {
		a.next, a.limit = 1, 1
	}
	if a.next+n > a.limit {
		limit := a.next + n + aliasBlock
		if err := shelf.Set(ctx, shelfAlias, link, binary.BigEndian.AppendUint32(nil, limit), time.Time{}); err != nil {
			return 0, err
		}
		a.limit = limit
	}
	first = a.next
	a.next += n
	return first, nil
}

// nickname gives messages of a 3.3 session their short ids. Those of one
// submit_multi share theirs, as they share the id of the group.
func (in *inlet) nickname(ctx context.Context, s *Session, ms []*message.Message) error {
	if !s.server.Load() || s.TakesTLVs() || len(ms) == 0 {
		return nil
	}
	l := in.line.Load()
	n, err := l.aliases.take(ctx, in.edge.deps.Shelf, l.name, uint32(len(ms)))
	if err != nil {
		return err
	}
	for i, m := range ms {
		k := n + uint32(i)
		if m.Extra[keyGroup] != "" {
			k = n
		}
		m.Aliases = append(m.Aliases, message.Alias{ID: message.ID(k)})
		set(m, keyAlias, fmt.Sprintf("%08X", k))
	}
	return nil
}

// name is the id that the sender of m is told: the short one of a 3.3
// session, else id.
func (in *inlet) name(m *message.Message, id message.ID) []byte {
	if short := m.Extra[keyAlias]; short != "" {
		return []byte(short)
	}
	return appendID(nil, id)
}

// named returns what the id in a request stands for: one message, or those of
// a submit_multi. Foreign and unknown ids are answered alike.
func (in *inlet) named(ctx context.Context, text string) ([]message.Record, pdu.Status) {
	if n, err := strconv.ParseUint(text, 16, 32); err == nil && n > 0 && len(text) <= aliasLen {
		rs, status := in.aliased(ctx, message.Query{Source: in.who(), Alias: message.ID(n)})
		if status != pdu.RInvMsgID {
			return rs, status
		}
	}
	id, ok := message.ParseID(text)
	if !ok {
		return nil, pdu.RInvMsgID
	}
	switch r, err := in.edge.deps.Ledger.Find(ctx, in.reach(), id); {
	case err == nil && r.Message.Kind == message.KindMessage:
		return []message.Record{r}, pdu.ROK
	case err != nil && !errors.Is(err, message.ErrNotFound):
		return nil, pdu.RSysErr
	}
	return in.aliased(ctx, message.Query{Alias: id})
}

// aliased returns the messages that q finds, all of a submit_multi.
func (in *inlet) aliased(ctx context.Context, q message.Query) ([]message.Record, pdu.Status) {
	kind := message.KindMessage
	q.Reach, q.Kind, q.Limit = in.reach(), &kind, pdu.MaxDests
	rs, err := in.edge.deps.Ledger.List(ctx, q)
	switch {
	case err != nil:
		return nil, pdu.RSysErr
	case len(rs) == 0:
		return nil, pdu.RInvMsgID
	}
	return rs, pdu.ROK
}
