package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
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
	// It may go out again when the frame is long gone.
	sm.Source.Addr, sm.Dest.Addr = bytes.Clone(sm.Source.Addr), bytes.Clone(sm.Dest.Addr)
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
		Options: smpp.Options{Window: 50, Queue: 100_000, ResponseTimeout: patience},
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

// flowRate is how many messages a second flow by.
const flowRate = 500

// flowBy sends flowRate messages a second until stop is called; that returns
// how many, and fails unless all were taken. With two seconds of them
// unanswered it waits: a machine that is slow or shared would be buried. With
// SMSC_LOAD that is a fault: they are to be taken as fast as they come.
func flowBy(t *testing.T, s *smpp.Session) (stop func() int) {
	end, ended := make(chan struct{}), make(chan int)
	var open, most, refused atomic.Int64
	go func() {
		began, behind, sent := time.Now(), time.Duration(0), 0
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				ended <- sent
				return
			case <-tick.C:
			}
			most.Store(max(most.Load(), open.Load()))
			if open.Load() > 2*flowRate {
				behind = time.Since(began) - time.Duration(sent)*time.Second/flowRate
				continue
			}
			for due := int((time.Since(began) - behind).Seconds() * flowRate); sent < due; sent++ {
				open.Add(1)
				err := s.Submit(context.Background(), textTo("447700900123", "by the way"), func(r smpp.Reply) {
					if r.Err != nil || r.Status != pdu.ROK {
						refused.Add(1)
					}
					open.Add(-1)
				})
				if err != nil {
					open.Add(-1)
					refused.Add(1)
				}
			}
		}
	}()
	return func() int {
		close(end)
		sent := <-ended
		eventually(t, "what flows by is answered", func() bool { return open.Load() == 0 })
		if n := refused.Load(); n > 0 {
			t.Errorf("%d of %d that flowed by were refused", n, sent)
		}
		if n := most.Load(); n > 2*flowRate && os.Getenv("SMSC_LOAD") != "" {
			t.Errorf("%d of what flowed by were unanswered at once", n)
		}
		t.Logf("%d of what flowed by were unanswered at most", most.Load())
		return sent
	}
}

// thousand are queued messages of one owner, and what became of them.
type thousand struct {
	t     *testing.T
	owner *smpp.Session
	ids   []string
	done  []string // "cancelled", "replaced" or ""

	mu      sync.Mutex
	arrived map[string][]string // texts by recipient
}

var loadSource = pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")}

func (m *thousand) to(i int) string { return fmt.Sprintf("99%06d", i) }

// queue submits n messages.
func (m *thousand) queue(n int) {
	m.t.Helper()
	m.ids, m.done, m.arrived = make([]string, n), make([]string, n), map[string][]string{}
	for i := range m.ids {
		status, p := asked(m.t, m.owner, textTo(m.to(i), fmt.Sprintf("old %d", i)))
		if status != pdu.ROK {
			m.t.Fatal(status)
		}
		m.ids[i] = string(p.(*pdu.SMResp).MessageID)
	}
}

// take is called for each message that arrives; it takes its time, so that
// the race lasts.
func (m *thousand) take(sm *pdu.SM) {
	time.Sleep(2 * time.Millisecond)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrived[string(sm.Dest.Addr)] = append(m.arrived[string(sm.Dest.Addr)], string(sm.ShortMessage))
}

func (m *thousand) state(i int) uint8 {
	m.t.Helper()
	status, p := asked(m.t, m.owner, &pdu.Query{MessageID: []byte(m.ids[i]), Source: loadSource})
	q := p.(*pdu.QueryResp)
	if status != pdu.ROK || string(q.MessageID) != m.ids[i] {
		m.t.Fatalf("query %d: %s %+v", i, status, q)
	}
	return q.State
}

// change queries message i and cancels it, replaces it or leaves it alone.
// While nobody is there to take it, no answer but success is right.
func (m *thousand) change(i int, race bool) {
	m.t.Helper()
	if state := m.state(i); state != 1 && (state != 2 || !race) {
		m.t.Fatalf("message %d stands at %d", i, state)
	}
	id := []byte(m.ids[i])
	var p pdu.PDU
	var word string
	var late pdu.Status
	switch i % 3 {
	case 0:
		p, word, late = &pdu.Cancel{MessageID: id, Source: loadSource}, "cancelled", pdu.RCancelFail
	case 1:
		p, word, late = &pdu.Replace{MessageID: id, Source: loadSource, ShortMessage: fmt.Appendf(nil, "new %d", i)}, "replaced", pdu.RReplaceFail
	default:
		return
	}
	switch status, _ := asked(m.t, m.owner, p); {
	case status == pdu.ROK:
		m.done[i] = word
	case status != late || !race:
		m.t.Errorf("%s %d: %s", p.Command(), i, status)
	}
}

// check compares what arrived, and each end, with what was answered.
func (m *thousand) check() map[string]int {
	m.t.Helper()
	for i := range m.ids {
		eventually(m.t, fmt.Sprintf("message %d has an end", i), func() bool { return m.state(i) != 1 })
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	count := map[string]int{}
	for i := range m.ids {
		want, end := []string{fmt.Sprintf("old %d", i)}, uint8(2)
		switch m.done[i] {
		case "cancelled":
			want, end = nil, 4
		case "replaced":
			want = []string{fmt.Sprintf("new %d", i)}
		}
		count[m.done[i]]++
		if got := m.arrived[m.to(i)]; !slices.Equal(got, want) || m.state(i) != end {
			m.t.Errorf("message %d was %q, stands at %d, and %q arrived", i, m.done[i], m.state(i), got)
		}
	}
	return count
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
	m := &thousand{t: t, owner: bindTo(t, h, pdu.BindTransceiver, "esme1", nil)}
	m.queue(n)
	began, stop := time.Now(), flowBy(t, bindTo(t, h, pdu.BindTransceiver, "esme1", nil))
	for k, i := range rand.Perm(n) {
		if k == n/3 { // from here on the recipient is there, and it is a race
			bindTo(t, h, pdu.BindReceiver, "esme2", m.take)
		}
		m.change(i, k >= n/3)
	}
	count := m.check()
	took := time.Since(began)
	flowed := stop()
	t.Logf("%d cancelled, %d replaced, %d left alone or too late; %d flowed by, %.0f a second",
		count["cancelled"], count["replaced"], count[""], flowed, float64(flowed)/took.Seconds())
	if count["cancelled"] < n/9 || count["replaced"] < n/9 {
		t.Errorf("too few could be changed: %v", count)
	}
}
