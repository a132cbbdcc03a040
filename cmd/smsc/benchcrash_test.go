package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"
)

// stubborn is a loadConn that dials anew when the server has died.
type stubborn struct {
	dial dialer
	i    int

	mu   sync.Mutex
	conn loadConn
}

// outlive makes the connections of d outlive the server.
func outlive(d dialer) dialer {
	return func(ctx context.Context, i int) (loadConn, error) {
		c, err := d(ctx, i)
		return &stubborn{dial: d, i: i, conn: c}, err
	}
}

func (s *stubborn) send(m loadMessage, answered func(string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.conn.(*smppConn); ok {
		select {
		case <-c.session.Done():
			c.close()
			for {
				ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
				next, err := s.dial(ctx, s.i)
				stop()
				if err == nil {
					s.conn = next
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
		default:
		}
	}
	s.conn.send(m, answered)
}

func (s *stubborn) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn.close()
}

// TestCrashUnderFullLoadLosesNothing kills the server while the drivers of the
// bench send as fast as they are answered. With SMSC_LONG everything goes on to a
// carrier; else to a queue, which is read when the server has died: what was
// on its way to a carrier would come back only when its lease ends.
func TestCrashUnderFullLoadLosesNothing(t *testing.T) {
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []benchRow{{name: "smpp", load: bySMPP}, {name: "sip", load: bySIP("udp")}, {name: "rest", load: byREST}} {
		t.Run(row.name, func(t *testing.T) {
			row.route, row.settings = "app", "delivery: {retry: {base: 1s}}\n"
			kills, rate := 1, 1000.0
			if long() {
				row.route, kills, rate = "carrier1", 5, 0
			}
			crashUnderLoad(t, self, &row, kills, rate)
		})
	}
}

func crashUnderLoad(t *testing.T, self string, row *benchRow, kills int, rate float64) {
	s, err := startBenchServer(t.Context(), self, row)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	flags, dial, err := row.load(s)
	if err != nil {
		t.Fatal(err)
	}
	(&benchTable{span: time.Duration(kills) * 3 * time.Second / 2}).fill(flags, s.row, rate)
	flags.Patience = patience
	l := newLoad(flags, outlive(dial))
	if l.sink = s.sink; l.sink != nil {
		if err := flags.awaitBind(t.Context(), l.sink); err != nil {
			t.Fatal(err)
		}
	}
	killed := make(chan error, 1)
	go func() { killed <- killWhile(t.Context(), s, self, l, kills) }()
	r, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := <-killed; err != nil {
		t.Fatal(err)
	}
	if r.Arrived == nil {
		r.Arrived = pollAll(t, s, l)
	}
	t.Logf("%d kills: %d sent, %d acknowledged (%.0f/s), %d without an answer, %d refused; %d arrived, %d lost, %d twice",
		kills, r.Sent, r.Acknowledged, r.Rate, r.Unanswered, r.Refused, r.Arrived.Received, r.Arrived.Lost, r.Arrived.Duplicates)
	if err := r.verdict(); err != nil {
		t.Error(err)
	}
	most := int64(0) // a queue has nothing in flight
	if l.sink != nil {
		most = int64(kills) * 4 * 100 // binds of the carrier's link, and the window of each
	}
	if r.Arrived.Duplicates > most {
		t.Errorf("%d came twice; at %d kills %d at most were in flight", r.Arrived.Duplicates, kills, most)
	}
}

// pollAll takes everything out of the queue app.
func pollAll(t *testing.T, s *benchServer, l *load) *arrival {
	t.Helper()
	a, seen := new(arrival), newNumbers()
	for {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http+"/api/messages?lease=600", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-Key", s.key)
		req.Header.Set("SMSc", "app")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct {
			Text string `json:"message_body"`
		}
		err = json.NewDecoder(resp.Body).Decode(&rows)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			m, ok := readMark([]byte(row.Text))
			if !ok || m.run != l.id {
				t.Fatalf("a message of nobody: %q", row.Text)
			}
			if a.Received++; !seen.add(m.seq) {
				a.Duplicates++
			}
		}
		if len(rows) == 0 {
			a.Lost = l.taken.missing(seen)
			return a
		}
	}
}

// killWhile kills s that often while l is under way, each time when more has been
// acknowledged, and starts it again.
func killWhile(ctx context.Context, s *benchServer, program string, l *load, kills int) error {
	for range kills {
		for before := l.acked.Load(); l.acked.Load() < before+300; time.Sleep(5 * time.Millisecond) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		time.Sleep(300 * time.Millisecond)
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		if err := s.start(ctx, program); err != nil {
			return err
		}
	}
	return nil
}
