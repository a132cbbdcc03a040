package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"smsc/sip"
	"smsc/smpp"
	"smsc/smpp/pdu"
)

// smallDisk mounts a file system of 256 MiB, where that is allowed.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill writes a file until the disk has no room left.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 4096; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// doors are the three ways in, as one who checks what each says.
type doors struct {
	rest *api
	smpp *smpp.Session
	sip  *sip.Peer
}

// try sends a message through each door and returns what each said: "ok", or
// the number of the refusal.
func (d *doors) try(t *testing.T, text string) (said [3]string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
	defer stop()
	_, err := post(ctx, d.rest, map[string]any{"source_msisdn": "1555", "destination_msisdn": "4477001", "message_body": text, "source_smsc": "api"})
	var p *problem
	switch {
	case err == nil:
		said[0] = "ok"
	case asProblem(err, &p):
		said[0] = fmt.Sprint(p.Status)
	default:
		said[0] = err.Error()
	}
	got := make(chan string, 1)
	sm := pdu.SM{Cmd: pdu.SubmitSM, ShortMessage: []byte(text), Source: pdu.Address{Addr: []byte("1555")}, Dest: pdu.Address{Addr: []byte("4477002")}}
	if err := d.smpp.Submit(ctx, &sm, func(r smpp.Reply) {
		if r.Err != nil {
			got <- r.Err.Error()
			return
		}
		got <- fmt.Sprintf("%#x", uint32(r.Status))
	}); err != nil {
		got <- err.Error()
	}
	if said[1] = <-got; said[1] == "0x0" {
		said[1] = "ok"
	}
	if said[2] = fmt.Sprint(d.sip.Do(ctx, sip.PeerMessage{From: "1555", To: "4477003", Body: []byte(text)}).Status); said[2] == "202" {
		said[2] = "ok"
	}
	return said
}

func TestInteropAFullDiskRefusesAndRecoversByItself(t *testing.T) {
	disk := smallDisk(t)
	s := newServer(t, filepath.Join(disk, "data"), "")
	s.start(`links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
  - {name: peer, kind: sip, uri: "sip:127.0.0.1:9", from: ["127.0.0.1/32"], keepalive: 0s}
  - {name: app, kind: poll}
routes:
  - {dest_smsc: app}
`)
	peer, err := sip.NewPeer(sip.PeerConfig{Listen: "udp:127.0.0.1:0", Remote: loopback(s.sip)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	d := &doors{rest: s.api(), smpp: newNeighbour(t, s).session, sip: peer}
	taken := 0
	count := func(said [3]string) {
		for _, one := range said {
			if one == "ok" {
				taken++
			}
		}
	}
	said := d.try(t, "before")
	if count(said); said != [3]string{"ok", "ok", "ok"} {
		t.Fatalf("with room: %q", said)
	}
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	// What is refused must be refused in the way that is documented; what the
	// last free octets took must be there afterwards.
	refusals := [3]string{"503", "0x14", "503"}
	eventually(t, "every door refuses", func() bool {
		said = d.try(t, strings.Repeat("full ", 30))
		count(said)
		for i, one := range said {
			if one != "ok" && one != refusals[i] {
				t.Fatalf("without room: %q, want %q", said, refusals)
			}
		}
		return said == refusals
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "every door is open again", func() bool {
		said = d.try(t, "after")
		count(said)
		return said == [3]string{"ok", "ok", "ok"}
	})
	s.kill()
	s.run()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	body, err := s.api().do(ctx, call{method: http.MethodGet, path: "/api/messages", query: map[string][]string{"limit": {"10000"}, "view": {"full"}}})
	if err != nil {
		t.Fatal(err)
	}
	if rows := rowsOf(t, body); len(rows) < taken {
		t.Errorf("%d messages were acknowledged, %d are there", taken, len(rows))
	}
}
