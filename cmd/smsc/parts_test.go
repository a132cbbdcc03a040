package main

import (
	"context"
	"testing"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/store"
)

// leaveUnjoined does to a closed folder what a crash does between the batch
// of the last part and its join: it adds part 2 to the group that waits.
func leaveUnjoined(t *testing.T, h *house) {
	t.Helper()
	s, err := store.Open(h.storeConfig(), zerolog.Nop(), newRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	keys, err := s.Waits(t.Context(), "part:")
	if err != nil || len(keys) != 1 {
		t.Fatalf("groups that wait: %v, %v", keys, err)
	}
	rs, err := s.Parked(t.Context(), keys[0], 0, 2)
	if err != nil || len(rs) != 1 {
		t.Fatalf("%d parts wait: %v", len(rs), err)
	}
	last := message.Record{Message: rs[0].Message.Clone(), State: rs[0].State}
	last.Message.ID++
	last.Message.Origin.Ref = ""
	last.Message.Body.Text = "and the end"
	last.Message.Body.Part = &message.Part{Kind: message.PartSAR, Ref: 9, Total: 2, Seq: 2}
	last.State.ID = last.Message.ID
	if _, err := s.Put(t.Context(), last); err != nil {
		t.Fatal(err)
	}
}

func TestPartsThatACrashKeptFromBeingJoinedAreJoinedAtTheStart(t *testing.T) {
	dir, doc := t.TempDir(), `
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw}
  - {name: app, kind: poll}
routes:
  - {called_prefix: "", dest_smsc: app}
`
	h := testHouse(t, dir, doc)
	first := textTo("447700900123", "the beginning ")
	first.TLVs = first.TLVs.AddUint16(pdu.TagSarMsgRefNum, 9).AddUint8(pdu.TagSarTotalSegments, 2).AddUint8(pdu.TagSarSegmentSeqnum, 1)
	if status, _ := asked(t, bindTo(t, h, pdu.BindTransceiver, "esme1", nil), first); status != pdu.ROK {
		t.Fatal(status)
	}
	h.drain(context.Background())
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	leaveUnjoined(t, h)
	h = testHouse(t, dir, doc)
	eventually(t, "the whole waits for its poller", func() bool {
		rs, err := h.store.Parked(t.Context(), "queue:app", 0, 10)
		return err == nil && len(rs) == 1 && rs[0].Message.Body.Text == "the beginning and the end"
	})
}
