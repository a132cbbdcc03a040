package smpp

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"sync"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// Limits of the repeat guard (spec smpp §14).
const (
	repeatLife = time.Hour
	maxMarks   = 4096 // answered requests a session remembers
)

// marks are the requests that a session sent and saw answered: the same one
// again on the same session is meant as a new message.
type marks map[uint64]struct{}

// guardRepeat names a request after its reference, addresses and body, so
// that the store knows it when it comes again over another session, or
// before the first was answered. The 16-bit reference alone is not enough.
func (in *inlet) guardRepeat(j *job, p *pdu.SM, ref uint16) {
	j.msg.Origin.Handle = strconv.Itoa(int(ref))
	if ref == 0 {
		return
	}
	j.mark = markOf(ref, p.ESMClass, p.DataCoding, p.Source.Addr, p.Dest.Addr, p.ServiceType, p.Text())
	if !in.answered(j.mark) {
		j.msg.Origin.Ref, j.msg.Origin.RefLife = refOf(j.mark), repeatLife
	}
}

// markOf is the digest of a request.
func markOf(ref uint16, class, coding uint8, fields ...[]byte) uint64 {
	h := sha256.New()
	_, _ = h.Write([]byte{uint8(ref >> 8), uint8(ref), class & esmUDHI, coding})
	for _, f := range fields {
		_ = binary.Write(h, binary.BigEndian, uint32(len(f)))
		_, _ = h.Write(f)
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func refOf(mark uint64) string { return "umr:" + strconv.FormatUint(mark, 16) }

// answered tells whether this session has sent the same and seen its answer.
func (in *inlet) answered(mark uint64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, ok := in.seen[mark]
	return ok
}

// guardRepeat names each message of a submit_multi, as that of a submit_sm.
// Another list of destinations is another request.
func (p *multi) guardRepeat(in *inlet, r *pdu.Multi) {
	ref, ok := r.TLVs.Uint16(pdu.TagUserMessageReference)
	if !ok {
		return
	}
	fields := [][]byte{r.Source.Addr, nil, r.ServiceType, r.ShortMessage, r.TLVs}
	for i, m := range p.msgs {
		m.Origin.Handle = strconv.Itoa(int(ref))
		fields = append(fields, p.dests[i].Addr)
	}
	if ref == 0 {
		return
	}
	mark := markOf(ref, r.ESMClass, r.DataCoding, fields...)
	if p.mark = mark; in.answered(mark) {
		return
	}
	p.again = refOf(mark)
	for i, m := range p.msgs {
		m.Origin.Ref, m.Origin.RefLife = p.again+"/"+strconv.Itoa(i), repeatLife
	}
}

const shelfGroup = "smpp.group" // link and request: the id of its submit_multi

// groups keeps the ids of the submit_multi of one link that may come again:
// the messages of a repeat answer to the id of the first.
type groups struct{ mu sync.Mutex }

// take returns the id of a request, which is fresh unless it was here before.
func (g *groups) take(ctx context.Context, shelf Shelf, link, again string, fresh message.ID) (message.ID, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := link + "/" + again
	if v, ok, err := shelf.Get(ctx, shelfGroup, key); err != nil {
		return 0, err
	} else if ok && len(v) == 8 {
		return message.ID(binary.BigEndian.Uint64(v)), nil
	}
	return fresh, shelf.Set(ctx, shelfGroup, key, binary.BigEndian.AppendUint64(nil, uint64(fresh)), time.Now().Add(repeatLife))
}

// remember notes an answer for guardRepeat.
func (in *inlet) remember(mark uint64, taken bool) {
	if mark == 0 || !taken {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.seen == nil || len(in.seen) >= maxMarks {
		in.seen = make(marks)
	}
	in.seen[mark] = struct{}{}
}
