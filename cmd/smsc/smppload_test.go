package main

import (
	"context"
	"fmt"
	"net"
	"slices"

	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// reportingCarrier takes every submit_sm and reports it as delivered. A
// receipt that is not taken is sent again, over whichever session lives, as
// a real centre does.
type reportingCarrier struct {
	next, again atomic.Uint64

	mu       sync.Mutex
	sessions []*smpp.Session
}

func startReportingCarrier(t *testing.T) (port int) {
	t.Helper()
	c := &reportingCarrier{}
	host := &smpp.Host{SystemID: "carrier", Options: smpp.Options{Window: 1000, Queue: 100_000},
		Bound: c.bound, Handler: smpp.Funcs{OnRequest: c.take}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = host.Serve(ln) }()
	t.Cleanup(func() {
		_ = ln.Close()
		host.Close()
		if n := c.again.Load(); n > 0 {
			t.Logf("the carrier sent %d receipts again", n)
		}
	})
	return ln.Addr().(*net.TCPAddr).Port
}

func (c *reportingCarrier) bound(s *smpp.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = append(c.sessions, s)
}

// live returns s if it lives, else another session that does, nil if none.
func (c *reportingCarrier) live(s *smpp.Session) *smpp.Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = slices.DeleteFunc(c.sessions, func(s *smpp.Session) bool { return s.Err() != nil })
	if len(c.sessions) == 0 || slices.Contains(c.sessions, s) {
		return s
	}
	return c.sessions[0]
}

func (c *reportingCarrier) take(s *smpp.Session, h pdu.Header, frame []byte) {
	var sm pdu.SM
	if h.Command != pdu.SubmitSM || sm.Decode(frame) != nil {
		s.Refuse(h, pdu.RInvCmdID)
		return
	}
	id := strconv.FormatUint(c.next.Add(1), 10)
	s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp, MessageID: []byte(id)}, pdu.ROK, h.Sequence)
	receipt := pdu.SM{Cmd: pdu.DeliverSM, Source: sm.Dest, Dest: sm.Source, ESMClass: 4,
		ShortMessage: fmt.Appendf(nil, "id:%s sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:", id)}
	c.report(s, &receipt)
}

func (c *reportingCarrier) report(s *smpp.Session, receipt *pdu.SM) {
	later := func() {
		c.again.Add(1)
		time.AfterFunc(time.Second, func() { c.report(c.live(s), receipt) })
	}
	err := s.Submit(context.Background(), receipt, func(r smpp.Reply) {
		if r.Err != nil || r.Status != pdu.ROK {
			later()
		}
	})
	if err != nil {
		later()
	}
}

// bindTo binds to the house; every deliver_sm is taken, and told to got.
func bindTo(t *testing.T, h *house, bind pdu.Command, user string, got func(*pdu.SM)) *smpp.Session {
	t.Helper()
	s, err := smpp.Dial(context.Background(), smpp.Peer{
		Address: h.smpp.Addrs()[0].String(), Bind: bind, SystemID: user, Password: "pw",
		Options: smpp.Options{Window: 50, Queue: 100_000},
		Handler: smpp.Funcs{OnRequest: func(s *smpp.Session, hd pdu.Header, frame []byte) {
			var sm pdu.SM
			if hd.Command == pdu.DeliverSM && sm.Decode(frame) == nil && got != nil {
				got(&sm)
			}
			s.Respond(&pdu.SMResp{Cmd: hd.Command.Answer()}, pdu.ROK, hd.Sequence)
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// asked sends one request and returns its answer.
func asked(t *testing.T, s *smpp.Session, p pdu.PDU) (pdu.Status, pdu.PDU) {
	t.Helper()
	type answer struct {
		status pdu.Status
		p      pdu.PDU
		err    error
	}
	done := make(chan answer, 1)
	err := s.Submit(context.Background(), p, func(r smpp.Reply) {
		a := answer{status: r.Status, err: r.Err}
		if r.Err == nil {
			_, a.p, _ = pdu.Parse(append([]byte(nil), r.Frame...))
		}
		done <- a
	})
	if err != nil {
		t.Fatal(err)
	}
	a := <-done
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.status, a.p
}

func textTo(to, text string) *pdu.SM {
	return &pdu.SM{Cmd: pdu.SubmitSM, Source: pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")},
		Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte(to)}, ShortMessage: []byte(text)}
}

// TestQueryCancelAndReplaceOnAThousandQueuedWhileTrafficFlows races the
// owner's hands with delivery: what was cancelled never arrives, what was
// replaced arrives as it was replaced, and every answer is right.
func TestQueryCancelAndReplaceOnAThousandQueuedWhileTrafficFlows(t *testing.T) {
	const n = 1000
	h := testHouse(t, t.TempDir(), fmt.Sprintf(`
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw}
  - {name: esme2, kind: esme, system_id: esme2, password: pw, window: 20}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "99", dest_smsc: esme2}
`, startReportingCarrier(t)))
	owner := bindTo(t, h, pdu.BindTransceiver, "esme1", nil)
	ids := make([]string, n)
	for i := range ids {
		status, p := asked(t, owner, textTo(fmt.Sprintf("99%06d", i), fmt.Sprintf("old %d", i)))
		if status != pdu.ROK {
			t.Fatal(status)
		}
		ids[i] = string(p.(*pdu.SMResp).MessageID)
	}
	// 500 messages a second flow by, until the end.
	stop, flowed := make(chan struct{}), make(chan int)
	go func() {
		other, sent := bindTo(t, h, pdu.BindTransceiver, "esme1", nil), 0
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				flowed <- sent
				return
			case <-tick.C:
			}
			for range 5 {
				if other.Submit(context.Background(), textTo("447700900123", "by the way"), func(smpp.Reply) {}) == nil {
					sent++
				}
			}
		}
	}()
	var mu sync.Mutex
	arrived := map[string][]string{} // texts by recipient
	source := pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")}
	cancelled, replaced := make([]bool, n), make([]bool, n)
	for i, id := range ids {
		if i == n/3 { // from here on the recipient is there, and it is a race
			bindTo(t, h, pdu.BindReceiver, "esme2", func(sm *pdu.SM) {
				mu.Lock()
				defer mu.Unlock()
				arrived[string(sm.Dest.Addr)] = append(arrived[string(sm.Dest.Addr)], string(sm.ShortMessage))
			})
		}
		status, p := asked(t, owner, &pdu.Query{MessageID: []byte(id), Source: source})
		if q := p.(*pdu.QueryResp); status != pdu.ROK || string(q.MessageID) != id || q.State != 1 && (q.State != 2 || i < n/3) {
			t.Fatalf("query %d: %s %+v", i, status, q)
		}
		switch i % 3 {
		case 0:
			status, _ := asked(t, owner, &pdu.Cancel{MessageID: []byte(id), Source: source})
			cancelled[i] = status == pdu.ROK
			if status != pdu.ROK && (status != pdu.RCancelFail || i < n/3) {
				t.Errorf("cancel %d: %s", i, status)
			}
		case 1:
			status, _ := asked(t, owner, &pdu.Replace{MessageID: []byte(id), Source: source, ShortMessage: fmt.Appendf(nil, "new %d", i)})
			replaced[i] = status == pdu.ROK
			if status != pdu.ROK && (status != pdu.RReplaceFail || i < n/3) {
				t.Errorf("replace %d: %s", i, status)
			}
		}
	}
	state := func(i int) uint8 {
		_, p := asked(t, owner, &pdu.Query{MessageID: []byte(ids[i]), Source: source})
		return p.(*pdu.QueryResp).State
	}
	for i := range ids {
		eventually(t, fmt.Sprintf("message %d has an end", i), func() bool { return state(i) != 1 })
	}
	close(stop)
	t.Logf("%d messages flowed by", <-flowed)
	mu.Lock()
	defer mu.Unlock()
	count := map[string]int{}
	for i := range ids {
		texts, want, end := arrived[fmt.Sprintf("99%06d", i)], []string{fmt.Sprintf("old %d", i)}, uint8(2)
		switch {
		case cancelled[i]:
			want, end = nil, 4
			count["cancelled"]++
		case replaced[i]:
			want = []string{fmt.Sprintf("new %d", i)}
			count["replaced"]++
		}
		if strings.Join(texts, "|") != strings.Join(want, "|") || state(i) != end {
			t.Errorf("message %d: cancelled %v, replaced %v, state %d, arrived %q", i, cancelled[i], replaced[i], state(i), texts)
		}
	}
	t.Log(count)
	if count["cancelled"] < n/9 || count["replaced"] < n/9 {
		t.Errorf("too few could be changed: %v", count)
	}
}
