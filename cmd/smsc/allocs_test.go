package main

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"smsc/smpp/pdu"
)

// TestAllocationsOfOneMessageAndItsReceipt counts, without a clock, what a
// message costs on its whole way: submit_sm, the door, storage, the carrier's
// submit_sm and receipt, and that receipt's way home. The client and the
// carrier of the test are in the figure.
func TestAllocationsOfOneMessageAndItsReceipt(t *testing.T) {
	if raced() {
		t.Skip("the race detector empties the pools")
	}
	const warm, counted, most = 1000, 4000, 175
	h := testHouse(t, t.TempDir(), `
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:`+strconv.Itoa(startReportingCarrier(t))+`", system_id: us, password: pw, binds: 2}
routes:
  - {called_prefix: "", dest_smsc: carrier1}
`)
	book := &loadBook{fortunes: make(map[uint64]fortune, warm+counted)}
	s := bindTo(t, h, pdu.BindTransceiver, "esme1", func(sm *pdu.SM) { book.receipt(0, sm) })
	run := func(prefix string, n int) float64 {
		var before, after runtime.MemStats
		total := book.home.Load() + int64(n)
		runtime.ReadMemStats(&before)
		book.submitLoad(s, 0, prefix, n, 400)
		for end := time.Now().Add(patience); book.home.Load() < total || book.answered.Load() < total; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d receipts of %d", book.home.Load(), total)
			}
		}
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs-before.Mallocs) / float64(n)
	}
	run("4477001", warm)
	each := run("4477002", counted)
	book.check(t, warm+counted)
	t.Logf("%.0f allocations for each message", each)
	if each > most {
		t.Errorf("%.0f allocations for each message, more than %d", each, most)
	}
}
