package sip

import (
	"context"
	"encoding/hex"
	"testing"
	"time"

	"smsc/message"
	"smsc/translate"
)

func TestAStatusReportGoesHome(t *testing.T) {
	h, c := openCore(t, "")
	c.do(fromPhone(submit(t, 0x55, "447700900123", "x", func(p *translate.TPDU) { p.Report = true })))
	report := c.parsed(c.next())
	sent := h.door.all()[0]
	sr, _ := translate.ParseTPDU(report.UserData, report.Type)
	done := time.Now().Add(time.Minute)
	for _, x := range []struct {
		name  string
		phase message.Phase
		cause message.Cause
		word  string
		st    uint8
	}{
		{"delivered", message.Done, 0, "", 0x00},
		{"accepted", message.Done, 0, "ACCEPTD", 0x01},
		{"unknown number", message.Failed, message.UnknownNumber, "", 0x43},
		{"expired", message.Expired, message.Absent, "", 0x46},
		{"absent", message.Failed, message.Absent, "", 0x62},
		{"cancelled", message.Cancelled, 0, "", 0x47},
		{"dropped", message.Dropped, message.Barred, "", 0x42},
	} {
		m := h.toPhone("")
		m.Kind, m.Body = message.KindReceipt, message.Body{}
		m.About = &message.About{ID: sent.ID, Phase: x.phase, Cause: x.cause, Word: x.word, Submitted: sent.Accepted, Done: done,
			Handle: sent.Origin.Handle, Extra: sent.Extra, Parts: 1}
		told := h.try(m, 1)
		came := c.next()
		p, tp := c.deliver(came)
		if tp.Type != translate.TPStatusReport || tp.MR != 0x55 || tp.ST != x.st || tp.SCTS != sr.SCTS || tp.More || tp.HasPI ||
			hex.EncodeToString([]byte(tp.Address)) != "0c91447700091032" || tp.DT != translate.TimestampOf(done.Local()) {
			t.Errorf("%s: %+v", x.name, tp)
		}
		c.reports(came, ack(p.Ref))
		if o := h.told(told); o.Result != message.Delivered {
			t.Errorf("%s: %+v", x.name, o)
		}
	}
	m := h.toPhone("")
	m.Kind, m.About = message.KindReceipt, &message.About{ID: sent.ID, Phase: message.Waiting, Handle: sent.Origin.Handle, Extra: sent.Extra}
	if o := h.told(h.try(m, 1)); o.Result != message.Delivered {
		t.Errorf("a state that is no end: %+v", o)
	}
	c.quiet(50 * time.Millisecond)
}

func TestAPhoneThatIsAwayIsNotTriedBeforeItsTime(t *testing.T) {
	h, c := openCore(t, "")
	c.register("sip:+447700900555@ims.example", 600)
	c.register("sip:+447700900555@ims.example", 0)
	if o := h.told(h.try(h.toPhone("x"), 1)); o.Result != message.Deferred || o.Cause != message.Absent {
		t.Errorf("%+v", o)
	}
	c.quiet(30 * time.Millisecond)
	told := h.try(h.toPhone("x"), 2) // the clock: news may be lost
	came := c.next()
	c.reports(came, ack(c.parsed(came).Ref))
	h.told(told)
}

func TestOurOwnMessageThatComesBackIsALoop(t *testing.T) {
	h, c := openCore(t, "")
	told := h.try(h.toPhone("x"), 1)
	came := c.next()
	back := fromPhone(came.Body)
	back.CallID = came.CallID
	if a := c.do(back); a.Status != 482 {
		t.Errorf("answer %d", a.Status)
	}
	c.reports(came, ack(c.parsed(came).Ref))
	h.told(told)
}

func TestTheClosingHouseStillHearsReports(t *testing.T) {
	h, c := openCore(t, "")
	told := h.try(h.toPhone("x"), 1)
	came := c.next()
	drained := make(chan error, 1)
	go func() { drained <- h.Drain(context.Background()) }()
	eventually(t, "draining", func() bool { return h.draining.Load() })
	if a := c.do(fromPhone(submit(t, 1, "447700900123", "x", nil))); a.Status != 503 {
		t.Errorf("a new message is answered %d", a.Status)
	}
	c.reports(came, ack(c.parsed(came).Ref))
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestAReportToAPhoneGoesByTheOtherWayOnce(t *testing.T) {
	for name, answer := range map[string]PeerAnswer{"480": {Status: 480}, "500": {Status: 500}, "408": {Status: 408}, "silence": {Silent: true}} {
		cfg := quick()
		if answer.Silent {
			cfg = hasty(time.Second)
		}
		h, c := openCoreAs(t, cfg, "udp", "", &drawer{})
		other := &cscf{t: t, came: make(chan PeerMessage, 100)}
		peer, err := NewPeer(PeerConfig{Listen: "udp:127.0.0.1:0", Remote: h.udp(), Handle: other.handle})
		if err != nil {
			t.Fatal(err)
		}
		other.Peer = peer
		other.says(func(PeerMessage) PeerAnswer { return answer })
		c.says(func(PeerMessage) PeerAnswer { return answer })
		if a := other.do(fromPhone(submit(t, 7, "447700900123", "Hello", nil))); a.Status != 202 {
			t.Fatalf("%s: %d", name, a.Status)
		}
		first, second := other.next(), c.next()
		if string(first.Body) != string(second.Body) || first.CallID != second.CallID || second.Get("Route") != "" {
			t.Errorf("%s: by the other way %x, %s", name, second.Body, second.Get("Route"))
		}
		if answer.Status != 0 { // in silence SIP repeats itself
			other.quiet(30 * time.Millisecond)
			c.quiet(30 * time.Millisecond)
		}
		_ = peer.Close()
	}
}
