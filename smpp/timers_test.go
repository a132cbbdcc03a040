package smpp

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"smsc/smpp/pdu"
)

// pair is a bound session of the server's side and the raw end of its pipe,
// in a bubble where time is the test's.
func pair(t *testing.T, o Options, h Handler) (*Session, *raw) {
	t.Helper()
	a, b := net.Pipe()
	s := serve(a, o, h, func(*Session, *pdu.Bind) (pdu.Status, string, func()) {
		return pdu.ROK, "us", func() {}
	})
	r := &raw{t, b}
	r.send(bindPDU(pdu.BindTransceiver, "x", "y", 0x34), 1)
	r.want(pdu.BindTransceiverResp, pdu.ROK, 1)
	synctest.Wait()
	return s, r
}

func TestSilentPeerIsAskedAndThenLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := pair(t, Options{EnquireLink: time.Minute, ResponseTimeout: 5 * time.Second}, Funcs{})
		defer s.Close()
		_ = r.conn.SetReadDeadline(time.Time{})
		started := time.Now()
		frame := make([]byte, 16)
		if _, err := r.conn.Read(frame); err != nil {
			t.Fatal(err)
		}
		if h, _ := pdu.ParseHeader(frame); h.Command != pdu.EnquireLink || time.Since(started) < time.Minute || time.Since(started) > 62*time.Second {
			t.Errorf("%s after %v", h.Command, time.Since(started))
		}
		<-s.Done()
		if !errors.Is(s.Err(), errSilent) || time.Since(started) > 70*time.Second {
			t.Errorf("%v after %v", s.Err(), time.Since(started))
		}
	})
}

func TestAnySignOfLifeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := pair(t, Options{EnquireLink: time.Minute, ResponseTimeout: 5 * time.Second}, Funcs{})
		defer s.Close()
		go func() { _, _ = drain(r.conn) }()
		for range 10 {
			time.Sleep(61 * time.Second)
			r.write(pdu.AppendHeader(nil, pdu.GenericNack, 0, 999)...) // no answer to it, but octets
		}
		if s.Err() != nil {
			t.Error(s.Err())
		}
	})
}

func drain(conn net.Conn) (n int, err error) {
	_ = conn.SetReadDeadline(time.Time{})
	b := make([]byte, 4096)
	for {
		k, err := conn.Read(b)
		n += k
		if err != nil {
			return n, err
		}
	}
}

func TestTimersOfASession(t *testing.T) {
	for _, c := range []struct {
		name  string
		bind  bool
		o     Options
		do    func(r *raw)
		after time.Duration
		want  error
	}{
		{"no bind", false, Options{}, func(*raw) {}, initTimeout, errInit},
		{"half a PDU", true, Options{}, func(r *raw) { r.write(0, 0, 0, 60, 0) }, stuckTimeout, errHalfPDU},
		{"no message", true, Options{Inactivity: time.Minute}, func(*raw) {}, time.Minute, errInactive},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *Session
				var r *raw
				if c.bind {
					s, r = pair(t, c.o, Funcs{})
				} else {
					a, b := net.Pipe()
					s, r = serve(a, c.o, Funcs{}, nil), &raw{t, b}
				}
				defer s.Close()
				started := time.Now()
				go func() { _, _ = drain(r.conn) }()
				c.do(r)
				<-s.Done()
				if d := time.Since(started); !errors.Is(s.Err(), c.want) || d < c.after || d > c.after+35*time.Second {
					t.Errorf("%v after %v", s.Err(), d)
				}
			})
		})
	}
}

func TestPeerThatDoesNotReadIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pair(t, Options{}, Funcs{})
		defer s.Close()
		if err := s.Submit(t.Context(), hello(), func(Reply) {}); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		<-s.Done()
		if d := time.Since(started); d < 29*time.Second || d > 31*time.Second {
			t.Errorf("left after %v: %v", d, s.Err())
		}
	})
}

func TestWindowQueueAndTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := pair(t, Options{Window: 2, Queue: 1, ResponseTimeout: 10 * time.Second}, Funcs{})
		defer s.Close()
		_ = r.conn.SetReadDeadline(time.Time{})
		replies := make(chan Reply, 10)
		for range 3 {
			if err := s.Submit(t.Context(), hello(), func(r Reply) { replies <- r }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Submit(t.Context(), hello(), nil); err != ErrWindow {
			t.Errorf("a fourth: %v", err)
		}
		if s.Load() != 3 {
			t.Errorf("load %d", s.Load())
		}
		answer := func(seq uint32, st pdu.Status) {
			r.write((&pdu.SMResp{Cmd: pdu.SubmitSMResp, MessageID: []byte("x")}).Append(nil, st, seq)...)
		}
		r.t = t
		readSubmit(t, r, 1)
		readSubmit(t, r, 2)
		answer(2, pdu.RThrottled)
		if got := <-replies; got.Status != pdu.RThrottled || got.Err != nil {
			t.Errorf("%+v", got)
		}
		readSubmit(t, r, 3)
		answer(2, pdu.ROK) // a second answer is nobody's
		for range 2 {
			if got := <-replies; got.Err != ErrTimeout || got.Took < 10*time.Second || got.Took > 12*time.Second {
				t.Errorf("%+v", got)
			}
		}
		if s.Load() != 0 || s.Err() != nil {
			t.Errorf("load %d, %v", s.Load(), s.Err())
		}
	})
}

func readSubmit(t *testing.T, r *raw, seq uint32) {
	t.Helper()
	frame := make([]byte, len(hello().Append(nil, 0, 1)))
	if _, err := r.conn.Read(frame); err != nil {
		t.Fatal(err)
	}
	if h, _ := pdu.ParseHeader(frame); h.Command != pdu.SubmitSM || h.Sequence != seq {
		t.Fatalf("%+v", h)
	}
}

func TestThreeTimeoutsInARowEndTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := pair(t, Options{ResponseTimeout: 10 * time.Second}, Funcs{})
		defer s.Close()
		go func() { _, _ = drain(r.conn) }()
		for range maxTimeouts {
			done := make(chan Reply, 1)
			if err := s.Submit(t.Context(), hello(), func(r Reply) { done <- r }); err != nil {
				t.Fatal(err)
			}
			if got := <-done; got.Err != ErrTimeout {
				t.Error(got.Err)
			}
		}
		<-s.Done()
		if !errors.Is(s.Err(), errTimeouts) {
			t.Error(s.Err())
		}
	})
}

func TestLostAndUnsentAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := pair(t, Options{Window: 3, Queue: 1}, Funcs{})
		defer s.Close()
		got := make(chan error, 4)
		submit := func() {
			if err := s.Submit(t.Context(), hello(), func(r Reply) { got <- r.Err }); err != nil {
				t.Error(err)
			}
		}
		submit()
		synctest.Wait() // the writer hangs with the first in its hands
		submit()
		submit()
		submit() // behind the window
		_ = r.conn.Close()
		<-s.Done()
		for i, want := range []error{ErrLost, ErrUnsent, ErrUnsent, ErrUnsent} {
			if err := <-got; err != want {
				t.Errorf("%d: %v, want %v", i, err, want)
			}
		}
	})
}

func TestPeersUnbindWaitsForOpenRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var held pdu.Header
		s, r := pair(t, Options{}, Funcs{OnRequest: func(_ *Session, h pdu.Header, _ []byte) { held = h }})
		defer s.Close()
		r.send(hello(), 5)
		r.send(&pdu.Plain{Cmd: pdu.Unbind}, 6)
		r.send(hello(), 7)
		r.want(pdu.SubmitSMResp, pdu.RMsgQFul, 7)
		if err := s.Submit(t.Context(), hello(), nil); err != ErrClosed {
			t.Errorf("submitted while unbinding: %v", err)
		}
		time.Sleep(time.Second)
		s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp}, pdu.ROK, held.Sequence)
		r.want(pdu.SubmitSMResp, pdu.ROK, 5)
		r.want(pdu.UnbindResp, pdu.ROK, 6)
		r.wantEnd()
	})
}

// Whoever looks whether all is answered must not find it so before the last
// answer has its place: what comes behind unbind_resp is not sent.
func TestAnAnswerCountsWhenItHasItsPlace(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _ = b.Close() }()
	s := newSession(a, Options{}, Funcs{})
	head := pdu.Header{Command: pdu.SubmitSM, Sequence: 5}
	for name, answer := range map[string]func(){
		"an answer": func() { s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp}, pdu.ROK, 5) },
		"a refusal": func() { s.Refuse(head, pdu.RThrottled) },
	} {
		s.inbound.Store(1)
		s.mu.Lock() // nothing gets its place now
		said := make(chan struct{})
		go func() { answer(); close(said) }()
		for range 20 {
			if time.Sleep(time.Millisecond); s.inbound.Load() != 1 {
				t.Errorf("%s counts before it is to be written", name)
				break
			}
		}
		s.mu.Unlock()
		if <-said; s.inbound.Load() != 0 {
			t.Errorf("%s does not count", name)
		}
	}
}

func TestOurUnbindIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := pair(t, Options{}, Funcs{})
		done := make(chan struct{})
		go func() { s.Unbind(time.Second); close(done) }()
		head, _ := r.want(pdu.Unbind, pdu.ROK, 1)
		r.write(pdu.AppendHeader(nil, pdu.UnbindResp, 0, head.Sequence)...)
		<-done
	})
}

func TestOurSequenceNumbersWrap(t *testing.T) {
	w := newWindow(3)
	w.next = 0x7FFFFFFE
	var seqs []uint32
	for range 6 {
		slot := w.add(request{cmd: pdu.SubmitSM, done: func(Reply) {}})
		seqs = append(seqs, slot.seq)
		if _, ok := w.take(slot.seq, pdu.SubmitSMResp); !ok {
			t.Fatal("lost")
		}
	}
	for i, want := range []uint32{0x7FFFFFFE, 0x7FFFFFFF, 1, 2, 3, 4} {
		if seqs[i] != want {
			t.Errorf("%x", seqs)
		}
	}
}
