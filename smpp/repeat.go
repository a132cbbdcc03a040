package smpp

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

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
	h := sha256.New()
	_, _ = h.Write([]byte{uint8(ref >> 8), uint8(ref), p.ESMClass & 0x40, p.DataCoding})
	for _, part := range [][]byte{p.Source.Addr, p.Dest.Addr, p.ServiceType, p.Text()} {
		_ = binary.Write(h, binary.BigEndian, uint32(len(part)))
		_, _ = h.Write(part)
	}
	sum := h.Sum(nil)
	j.mark = binary.BigEndian.Uint64(sum)
	in.mu.Lock()
	_, answered := in.seen[j.mark]
	in.mu.Unlock()
	if answered {
		return
	}
	j.msg.Origin.Ref = "umr:" + strconv.FormatUint(j.mark, 16)
	j.msg.Origin.RefLife = repeatLife
}

// remember notes an answer for guardRepeat.
func (in *inlet) remember(j *job, taken bool) {
	if j.mark == 0 || !taken {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.seen == nil || len(in.seen) >= maxMarks {
		in.seen = make(marks)
	}
	in.seen[j.mark] = struct{}{}
}
