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
// in flight at a kill.
const crashWindow = 20

// stress sends marked messages through the server, across its deaths, and
// keeps what was acknowledged.
type stress struct {
	address string
	run     uint32
	next    atomic.Int64
	taken   *numbers
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
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		session, err := smpp.Dial(ctx, smpp.Peer{
			Address: s.address, SystemID: "esme1", Password: "pw1",
			Options: smpp.Options{Window: 50, ResponseTimeout: 30 * time.Second}, Handler: smpp.Funcs{OnRequest: takeDeliver},
		})
		cancel()
		if err != nil {
			time.Sleep(20 * time.Millisecond) // the server is dead just now
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
				Source: pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")},
				Dest:   pdu.Address{TON: 1, NPI: 1, Addr: fmt.Appendf(nil, "447%07d", n%1000)},
			}
			_ = session.Submit(context.Background(), &sm, func(r smpp.Reply) {
				if r.Err == nil && r.Status == pdu.ROK {
					s.taken.add(n)
				}
			})
		}
	}
}

func TestCrashTenKillsLoseNothingThatWasAcknowledged(t *testing.T) {
	// Its answers take a while, so that deliveries are in flight at each kill.
	far, err := newSink("127.0.0.1:0", "none", 0, 10*time.Millisecond)
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
    reports: false
routes:
  - {called_prefix: "447", dest_smsc: carrier1}
`, esmeLink, far.centre.address(), crashWindow))
	load := &stress{address: loopback(s.smpp), run: rand.Uint32(), taken: newNumbers()}
	stop := make(chan struct{})
	var driver sync.WaitGroup
	driver.Add(1)
	go func() { defer driver.Done(); load.drive(stop) }()

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
	time.Sleep(3 * time.Second) // for what comes twice
	n, _ := load.taken.count()
	arrived, _ := seen.count()
	t.Logf("%d acknowledged, %d delivered, %d twice", n, arrived, far.duplicates.Load())
	if twice := far.duplicates.Load(); twice > kills*crashWindow {
		t.Errorf("%d came twice; at %d kills at most %d deliveries each were in flight", twice, kills, crashWindow)
	}
}
