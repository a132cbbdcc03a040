package sip

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

// TestAReportComesByAnotherConnection: the core has a connection of its own,
// or another server of it speaks; neither has to be the one that took the
// message.
func TestAReportComesByAnotherConnection(t *testing.T) {
	h, c := openCoreOver(t, "tcp", "", &drawer{})
	if a := c.enrol("sip:+447700900555@ims.example", "", ""); a.Status != 200 {
		t.Fatalf("%d %v", a.Status, a.Err)
	}
	told := h.try(h.toPhone("by its own connection"), 1)
	came := c.next()
	c.reports(came, ack(c.parsed(came).Ref))
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	for _, by := range []string{"tcp:127.0.0.1:0", "udp:127.0.0.1:0"} {
		remote := h.tcp()
		if strings.HasPrefix(by, "udp") {
			remote = h.udp()
		}
		other, err := NewPeer(PeerConfig{Listen: by, Remote: remote})
		if err != nil {
			t.Fatal(err)
		}
		told := h.try(h.toPhone(by), 1)
		came := c.next()
		report := fromPhone(ack(c.parsed(came).Ref), Field{"In-Reply-To", came.CallID})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if a := other.Do(ctx, report); a.Status != 202 {
			t.Errorf("%s: %d %v", by, a.Status, a.Err)
		}
		cancel()
		if o := h.told(told); o.Result != message.Delivered {
			t.Errorf("%s: %+v", by, o)
		}
		_ = other.Close()
	}
}

// TestAConnectionLostBeforeTheAnswer leaves the message unsure, and the report
// that comes by the next connection ends it: the phone has it.
func TestAConnectionLostBeforeTheAnswer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := openWith(t, quick(), fmt.Sprintf(`
links:
  - {name: ims, kind: ims, uri: "sip:%s;transport=tcp", from: ["127.0.0.1/32"], smsc_address: "+447785016005", domain: ims.example}
`, ln.Addr()), &drawer{})
	seen := make(chan string, 10)
	go func() { // takes what comes and hangs up
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			w := &wire{Conn: conn, t: t}
			for text := w.hear(patience); text != nil; text = w.hear(patience) {
				if bytes.HasPrefix(text, []byte("MESSAGE ")) {
					seen <- string(text)
					break
				}
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close() })
	m := h.toPhone("x")
	told := h.try(m, 1)
	var request string
	select {
	case request = <-seen:
	case <-time.After(patience):
		t.Fatal("nothing came to the core")
	}
	if o := h.told(told); o.Result != message.Unsure {
		t.Fatalf("%+v", o)
	}
	h.desk.set(func(d *desk) {
		d.records[m.ID] = message.Record{Message: m, State: message.State{ID: m.ID, Link: "ims", Phase: message.Waiting}}
	})
	_, rest, _ := strings.Cut(request, "Call-ID: ")
	callID, _, _ := strings.Cut(rest, "\r\n")
	_, body, _ := strings.Cut(request, "\r\n\r\n")
	next, err := NewPeer(PeerConfig{Listen: "tcp:127.0.0.1:0", Remote: h.tcp()})
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if a := next.Do(ctx, fromPhone(ack(body[1]), Field{"In-Reply-To", callID})); a.Status != 202 {
		t.Fatalf("%d %v", a.Status, a.Err)
	}
	select {
	case o := <-h.desk.concluded:
		if o.Result != message.Delivered {
			t.Errorf("%+v", o)
		}
	case <-time.After(patience):
		t.Fatal("the report ended nothing")
	}
}

// overTCP writes a SUBMIT of a phone into a connection of its own, as a server
// whose Via says sentBy does.
func (h *house) overTCP(sentBy, callID string, rpdu []byte) net.Conn {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.tcp())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "MESSAGE sip:+447785016005@ims.example SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"+
		"P-Asserted-Identity: %s\r\nFrom: <sip:anonymous@anonymous.invalid>;tag=1\r\nTo: <sip:+447785016005@ims.example>\r\nCall-ID: %s\r\nCSeq: 1 MESSAGE\r\n"+
		"Content-Type: application/vnd.3gpp.sms\r\nContent-Length: %d\r\n\r\n%s", sentBy, time.Now().UnixNano(), alice, callID, len(rpdu), rpdu)
	if err != nil {
		h.t.Fatal(err)
	}
	return conn
}

// TestAPhoneRepeatsByAnotherConnection: the connection that carried its message
// closes before the answer; what the core sends again by a new one is the same
// message, and its report comes once more.
func TestAPhoneRepeatsByAnotherConnection(t *testing.T) {
	h, c := openCoreOver(t, "tcp", "", &drawer{})
	var reports []PeerMessage
	for range 2 {
		_ = h.overTCP("127.0.0.1:1", "one-and-the-same@ue", submit(t, 9, "447700900123", "Hello", nil)).Close()
		reports = append(reports, c.next())
	}
	if string(reports[0].Body) != string(reports[1].Body) || len(h.door.all()) != 1 {
		t.Errorf("%x, %x, %d messages", reports[0].Body, reports[1].Body, len(h.door.all()))
	}
}

// TestAServerThatGivesItsNameIsCalledAtItsPort: a report goes by the connection
// that the message came by, and what comes later to the port of the Via, never
// to the port that the connection came from.
func TestAServerThatGivesItsNameIsCalledAtItsPort(t *testing.T) {
	h, c := openCoreOver(t, "tcp", "", &drawer{})
	port := netip.MustParseAddrPort(c.Addr()).Port()
	conn := h.overTCP(fmt.Sprintf("scscf.ims.example:%d", port), "named@ue", submit(t, 9, "447700900123", "Hello", nil))
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	var heard strings.Builder
	for b := make([]byte, 4096); !strings.Contains(heard.String(), "In-Reply-To: named@ue"); {
		n, err := conn.Read(b)
		if heard.Write(b[:n]); err != nil {
			t.Fatalf("%v after %q", err, heard.String())
		}
	}
	_ = conn.Close()
	eventually(t, "the row of the phone", func() bool { return len(h.Subscribers("ims")) == 1 })
	if row := h.Subscribers("ims")[0]; row.Place != "tcp "+c.Addr() {
		t.Errorf("the phone is at %q, want the port of the Via, %s", row.Place, c.Addr())
	}
	told := h.try(h.toPhone("back"), 1)
	came := c.next()
	c.reports(came, ack(c.parsed(came).Ref))
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
}
