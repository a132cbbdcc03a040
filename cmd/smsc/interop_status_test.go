package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// statusCauses are the statuses of a carrier with the cause that a message
// ends with, or with a "~" waits with.
var statusCauses = map[int]string{
	0x01: "too_large", 0x02: "bad_content", 0x03: "bad_content", 0x06: "bad_content", 0x07: "bad_content", 0x0a: "barred",
	0x0b: "unknown_number", 0x0c: "bad_content", 0x11: "bad_content", 0x13: "bad_content", 0x15: "bad_content",
	0x33: "unknown_number", 0x34: "unknown_number", 0x40: "unknown_number", 0x42: "bad_content", 0x43: "bad_content",
	0x44: "unknown_number", 0x45: "barred", 0x48: "barred", 0x49: "barred", 0x50: "unknown_number", 0x51: "unknown_number",
	0x54: "bad_content", 0x55: "bad_content", 0x61: "bad_content", 0x62: "bad_content", 0x63: "bad_content", 0x65: "barred",
	0x66: "barred", 0x67: "bad_content", 0xc0: "bad_content", 0xc1: "bad_content", 0xc2: "bad_content", 0xc3: "bad_content",
	0xc4: "bad_content", 0x100: "barred", 0x101: "barred", 0x103: "barred", 0x104: "bad_content", 0x112: "bad_content", 0x410: "barred",
	0x08: "~internal", 0x14: "~congested", 0x64: "~memory_full", 0xfe: "~absent", 0xff: "~internal", 0x102: "~congested", 0x2345: "~internal",
}

// endingCauses end the session, so they come when the others are done.
var endingCauses = map[int]string{0x04: "~congested"}

// TestInteropEveryStatusOfACarrierHasItsCause asks foreign carriers for each
// status of the table.
func TestInteropEveryStatusOfACarrierHasItsCause(t *testing.T) {
	for name, start := range strangeCarriers {
		t.Run(name, func(t *testing.T) {
			carrier, port := start(t, nil)
			s := newServer(t, "", "")
			s.start(fmt.Sprintf(perlLinks, esmeLink, port))
			s.linkUp("carrier1")
			for _, table := range []map[int]string{statusCauses, endingCauses} {
				askStatuses(t, s.api(), "4477", table)
			}
			throttled(t, s, carrier)
		})
	}
}

// askStatuses sends a message for each status, to numbers that begin with
// prefix, and waits until it stands as the table says.
func askStatuses(t *testing.T, a *api, prefix string, table map[int]string) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	ids := map[int]int64{}
	for status := range table {
		id, err := post(ctx, a, map[string]any{"source_smsc": "api", "source_msisdn": "15551230001", "destination_msisdn": fmt.Sprintf("%s%05d", prefix, status), "message_body": "x"})
		if err != nil {
			t.Fatal(err)
		}
		ids[status] = id
	}
	for status, want := range table {
		cause, waits := strings.CutPrefix(want, "~")
		var m messageView
		ok := func() bool {
			_, err := a.get(ctx, fmt.Sprintf("/api/messages/%d", ids[status]), url.Values{}, &m)
			return err == nil && m.Cause != nil && *m.Cause == cause && (m.Status == "failed") != waits
		}
		for end := time.Now().Add(20 * time.Second); !ok() && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		}
		if !ok() {
			t.Errorf("status %#x: %s %v, want %s", status, m.Status, m.Cause, want)
		}
	}
}

// throttled: 0x58 is no fault of the message, which is tried again after a
// pause of the whole link.
func throttled(t *testing.T, s *realServer, carrier *nodePeer) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	const to = "447700088"
	id, err := post(ctx, s.api(), map[string]any{"source_smsc": "api", "source_msisdn": "15551230001", "destination_msisdn": to, "message_body": "x"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a throttled message is tried again", func() bool {
		n := 0
		for _, e := range carrier.all("submit") {
			if e.Destination == to {
				n++
			}
		}
		return n > 1
	})
	var m messageView
	if _, err := s.api().get(ctx, fmt.Sprintf("/api/messages/%d", id), url.Values{}, &m); err != nil || m.Status == "failed" || m.Cause != nil {
		t.Errorf("a throttled message: %v, %s %v", err, m.Status, m.Cause)
	}
}
