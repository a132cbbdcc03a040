package main

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestInteropKannelReceivesEverything has a foreign carrier deliver every
// content to Kannel: coding 0 is text, 1 octets, 2 UCS-2. It joins parts by itself.
func TestInteropKannelReceivesEverything(t *testing.T) {
	needKannel(t)
	needPerl(t)
	carrier, port := startPerlCarrier(t, everyDelivery()[:9])
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(kannelLinks, esmeLink, port))
	s.linkUp("carrier1")
	k := startKannel(t, record(t, s.smpp, true))
	s.linkUp("esme1")
	k.send(t, "begin", url.Values{"to": {"15550000000"}, "text": {"begin"}})
	eventually(t, "the carrier's script is through", func() bool { return carrier.count("finished") == 1 })
	eventually(t, "Kannel's service has them all", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return len(k.from) >= 7
	})
	for to, want := range map[string][]string{
		"99000000000": {"0::" + hex.EncodeToString([]byte("plain text"))},
		"99000000001": {"2::043a043bd83dde00"},
		"99000000002": {"1:0605040b8423f0:80ff"},
		"99000000003": {"0::" + hex.EncodeToString([]byte("one two"))},
		"99000000004": {"0::" + hex.EncodeToString([]byte("three four"))},
		"99000000005": {"0::" + strings.Repeat("78", 400)},
		"99000000006": {"0::" + hex.EncodeToString([]byte("by data"))},
	} {
		k.mu.Lock()
		got := slices.Clone(k.came[to])
		k.mu.Unlock()
		if !slices.Equal(got, want) {
			t.Errorf("%s: Kannel's service got %q, want %q", to, got, want)
		}
	}
	for _, e := range carrier.all("answer") {
		if e.Status != 0 {
			t.Errorf("delivery %d was answered %#x", e.Index, e.Status)
		}
	}
}
