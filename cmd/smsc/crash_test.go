package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// crashWindow is the window of the carrier's link: so many deliveries can be
// without an answer at a kill. Beside them stand those that were answered while
// earlier answers were written to the disk: at the thousand a second of a
// stress, and a tenth of a second for a write, crashUnwritten.
const (
	crashWindow    = 20
	crashUnwritten = 100
)

// receiptsInFlight is the window of deliver_sm towards the ESME: the default
// of its link.
const receiptsInFlight = 100

// stress sends marked messages through the server, across its deaths, and
// keeps what was acknowledged and what was reported.
type stress struct {
	address string
	run     uint32
	next    atomic.Int64
	taken   *numbers

	mu       sync.Mutex
	ids      map[string]bool // of acknowledged messages
	reported map[string]int  // receipts by id
}

// dial binds; it returns nil while the server is dead.
func (s *stress) dial() *smpp.Session {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	session, err := smpp.Dial(ctx, smpp.Peer{
		Address: s.address, SystemID: "esme1", Password: "pw1",
		Options: smpp.Options{Window: 50, ResponseTimeout: 30 * time.Second}, Handler: smpp.Funcs{OnRequest: s.receipt},
	})
	if err != nil {
		time.Sleep(20 * time.Millisecond)
		return nil
	}
	return session
}

// receipt notes a receipt before it is answered: what we answer, we have.
func (s *stress) receipt(session *smpp.Session, h pdu.Header, frame []byte) {
	var sm pdu.SM
	if h.Command == pdu.DeliverSM && sm.Decode(frame) == nil {
		if id, ok := sm.TLVs.Text(pdu.TagReceiptedMessageID); ok {
			s.mu.Lock()
			s.reported[id]++
			s.mu.Unlock()
		}
	}
	takeDeliver(session, h, frame)
}

// unreported returns how many acknowledged messages have no receipt, and how
// many have more than one.
func (s *stress) unreported() (none, several int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.ids {
		switch n := s.reported[id]; {
		case n == 0:
			none++
		case n > 1:
			several++
		}
	}
	return none, several
}

// drive binds, sends until stop is closed, and binds again when the session
// is lost.
func (s *stress) drive(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		session := s.dial()
		if session == nil {
			continue
		}
		s.feed(session, stop)
		session.Close()
	}
}

// feed sends at about 1,000 messages a second as long as the session lives.
func (s *stress) feed(session *smpp.Session, stop <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-session.Done():
			return
		case <-tick.C:
		}
		for range 2 {
			n := s.next.Add(1) - 1
			sm := pdu.SM{
				Cmd: pdu.SubmitSM, ShortMessage: mark{run: s.run, seq: n, at: time.Now()}.append(nil, 0),
				RegisteredDelivery: 1,
				Source:             pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")},
				Dest:               pdu.Address{TON: 1, NPI: 1, Addr: fmt.Appendf(nil, "447%07d", n%1000)},
			}
			_ = session.Submit(context.Background(), &sm, func(r smpp.Reply) {
				var resp pdu.SMResp
				if r.Err == nil && r.Status == pdu.ROK && resp.Decode(r.Frame) == nil {
					s.taken.add(n)
					s.mu.Lock()
					s.ids[string(resp.MessageID)] = true
					s.mu.Unlock()
				}
			})
		}
	}
}

func TestCrashTenKillsLoseNothingThatWasAcknowledged(t *testing.T) {
	// What was in flight at a kill comes back when its lease ends, which the
	// link's response_timeout decides. The carrier's answers take a
	// while, so that there is something in flight; an answer that came later
	// than that time, on a machine that has no turn for it, would be one more
	// that comes twice.
	far, err := newSink("127.0.0.1:0", "hex", 0, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.centre.close)
	s := newServer(t, "", "delivery: {retry: {base: 1s}}\n")
	s.start(fmt.Sprintf(`links:%s
  - name: carrier1
    kind: carrier
    address: %q
    system_id: us
    password: pw2
    window: %d
    response_timeout: 5s
routes:
  - {called_prefix: "447", dest_smsc: carrier1}
`, esmeLink, far.centre.address(), crashWindow))
	load := &stress{address: loopback(s.smpp), run: rand.Uint32(), taken: newNumbers(), ids: map[string]bool{}, reported: map[string]int{}}
	stop := make(chan struct{})
	var driver sync.WaitGroup
	driver.Go(func() { load.drive(stop) })

	const kills = 10
	for i := range kills {
		before, _ := load.taken.count()
		eventually(t, "messages are acknowledged", func() bool { n, _ := load.taken.count(); return n > before })
		time.Sleep(time.Duration(rand.Int64N(int64(700 * time.Millisecond))))
		s.kill()
		n, _ := load.taken.count()
		t.Logf("kill %d after %d acknowledged", i+1, n)
		s.run()
	}
	close(stop)
	driver.Wait()
	seen := far.run(load.run)
	eventually(t, "every acknowledged message is delivered", func() bool { return load.taken.missing(seen) == 0 })
	session := load.dial() // hears the receipts that are still to come
	for session == nil {
		session = load.dial()
	}
	defer session.Close()
	eventually(t, "every acknowledged message is reported", func() bool { none, _ := load.unreported(); return none == 0 })
	time.Sleep(6 * time.Second) // for what comes twice
	n, _ := load.taken.count()
	arrived, _ := seen.count()
	_, several := load.unreported()
	t.Logf("%d acknowledged, %d delivered, %d twice; %d receipts twice", n, arrived, far.duplicates.Load(), several)
	if twice := far.duplicates.Load(); twice > kills*(crashWindow+crashUnwritten) {
		t.Errorf("%d came twice; at %d kills at most %d deliveries each were in flight, and some %d not written down", twice, kills, crashWindow, crashUnwritten)
	}
	if several > kills*receiptsInFlight {
		t.Errorf("%d messages have several receipts", several)
	}
}
