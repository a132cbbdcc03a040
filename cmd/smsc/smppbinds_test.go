package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// fortune is what is known of one message of a load: one octet each, so that the
// book of a million does not hide what the house needs.
type fortune struct{ link, taken, receipts, wrong uint8 }

// loadBook is the book of a load, by message id. It has its size from the
// beginning.
type loadBook struct {
	sent, answered, refused, home atomic.Int64

	mu       sync.Mutex
	fortunes map[uint64]fortune
}

// answer notes how a submit_sm over link was answered.
func (b *loadBook) answer(link uint8, r smpp.Reply) {
	defer b.answered.Add(1)
	var resp pdu.SMResp
	if r.Err != nil || r.Status != pdu.ROK || resp.Decode(r.Frame) != nil {
		b.refused.Add(1)
		return
	}
	id, _ := strconv.ParseUint(string(resp.MessageID), 10, 64)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.fortunes[id]
	if f.receipts > 0 && f.link != link {
		f.wrong++
	}
	f.link, f.taken = link, f.taken+1
	b.fortunes[id] = f
}

// receipt notes a receipt that came by link.
func (b *loadBook) receipt(link uint8, sm *pdu.SM) {
	text, _ := sm.TLVs.Text(pdu.TagReceiptedMessageID)
	id, _ := strconv.ParseUint(string(text), 10, 64)
	b.home.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.fortunes[id]
	if f.taken > 0 && f.link != link {
		f.wrong++
	}
	if f.taken == 0 {
		f.link = link
	}
	f.receipts++
	b.fortunes[id] = f
}

// check fails unless each of total messages was taken once and has one
// receipt, at its own link.
func (b *loadBook) check(t *testing.T, total int64) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var taken, lost, twice, wrong, unknown int64
	for _, f := range b.fortunes {
		switch {
		case f.taken != 1:
			unknown++
		case f.receipts == 0:
			lost++
		case f.receipts > 1:
			twice++
		}
		taken += int64(f.taken)
		wrong += int64(f.wrong)
	}
	if b.refused.Load() > 0 || lost > 0 || twice > 0 || wrong > 0 || unknown > 0 || taken != total {
		t.Errorf("taken %d of %d, refused %d, receipts lost %d, twice %d, at a wrong link %d, unknown %d",
			taken, total, b.refused.Load(), lost, twice, wrong, unknown)
	}
}

// submitLoad sends n messages over s, with at most open of all unanswered.
func (b *loadBook) submitLoad(s *smpp.Session, link uint8, prefix string, n int, open int64) {
	for k := range n {
		p := textTo(fmt.Sprintf("%s%05d", prefix, k), "load")
		p.RegisteredDelivery = 1
		for b.sent.Load()-b.answered.Load() > open {
			time.Sleep(time.Millisecond)
		}
		b.sent.Add(1)
		if s.Submit(context.Background(), p, func(r smpp.Reply) { b.answer(link, r) }) != nil {
			b.answer(link, smpp.Reply{Err: smpp.ErrClosed})
		}
	}
}

// TestTwoHundredBindsOverFiftyLinksEachGetTheirReceipts loads the house from
// many sides at once: every message is taken, none of its receipts is lost,
// none comes twice, each goes to the link that submitted, and memory does not
// grow with what has passed. SMSC_LOAD is how many messages; more than a few
// thousand are for a quiet machine.
func TestTwoHundredBindsOverFiftyLinksEachGetTheirReceipts(t *testing.T) {
	const links, binds, large = 50, 4, 100_000
	n := 4000
	if s := os.Getenv("SMSC_LOAD"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	var doc strings.Builder
	doc.WriteString("links:\n")
	for i := range links {
		fmt.Fprintf(&doc, "  - {name: esme%d, kind: esme, system_id: esme%[1]d, password: pw, binds: 4}\n", i)
	}
	fmt.Fprintf(&doc, "  - {name: carrier1, kind: carrier, address: \"127.0.0.1:%d\", system_id: us, password: pw, window: 500, binds: 2}\n", startReportingCarrier(t))
	doc.WriteString("routes:\n  - {called_prefix: \"\", dest_smsc: carrier1}\n")
	h := testHouse(t, t.TempDir(), doc.String())
	book := &loadBook{fortunes: make(map[uint64]fortune, n)}
	each := n / (links * binds)
	var sessions []*smpp.Session
	for i := range links * binds {
		link := uint8(i % links)
		sessions = append(sessions, bindTo(t, h, pdu.BindTransceiver, fmt.Sprintf("esme%d", link), func(sm *pdu.SM) { book.receipt(link, sm) }))
	}
	began, before := time.Now(), heap()
	for i, s := range sessions {
		go book.submitLoad(s, uint8(i%links), fmt.Sprintf("4477%03d", i), each, 800) // not a crowd that the door sheds
	}
	total := int64(each * links * binds)
	heaps := watchLoad(t, h, book, total)
	took := time.Since(began)
	time.Sleep(time.Second) // for what comes twice
	book.check(t, total)
	t.Logf("%d messages in %s: %.0f/s with receipts; heap before %d MiB, at each tenth %v MiB; resident %d MiB", total,
		took.Round(time.Millisecond), float64(total)/took.Seconds(), before>>20, heaps, resident()>>20)
	if first, last := heaps[2], heaps[len(heaps)-1]; n >= large && last > first+first/2 {
		t.Errorf("the heap grew from %d MiB at three tenths to %d MiB at the end", first, last)
	}
}

// watchLoad waits until everything is answered and has its receipt, and
// returns the heap in MiB at each tenth of the way.
func watchLoad(t *testing.T, h *house, book *loadBook, total int64) (heaps []uint64) {
	t.Helper()
	for last, at := int64(-1), time.Now(); book.answered.Load() < total || book.home.Load() < total; time.Sleep(50 * time.Millisecond) {
		home := book.home.Load()
		if now := home + book.answered.Load(); now != last {
			last, at = now, time.Now()
		} else if time.Since(at) > patience {
			own, _ := h.store.Backlog("operator")
			lane, _ := h.engine.LaneStatus("carrier1")
			t.Fatalf("stuck: %d answers, %d refused, %d receipts of %d; backlog %d, carrier %+v",
				book.answered.Load(), book.refused.Load(), home, total, own, lane)
		}
		for int64(len(heaps)) < home*10/total {
			heaps = append(heaps, heap()>>20)
		}
	}
	for len(heaps) < 10 {
		heaps = append(heaps, heap()>>20)
	}
	return heaps
}

// heap returns the octets of what is reachable.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// resident returns the octets that the whole process holds, 0 where nobody
// can tell.
func resident() uint64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib uint64
	_, _ = fmt.Sscanf(rest, "%d", &kib)
	return kib << 10
}
