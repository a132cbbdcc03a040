package sip

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestDrainWaitsForWhatIsToBeWritten(t *testing.T) {
	h := open(t, quick(), connect)
	near, far := net.Pipe() // whoever writes waits for its reader
	s := newStream(near, transportTCP, false)
	if !h.end.register(s) || !h.end.spawn(func() { h.end.attend(s) }) {
		t.Fatal("no room")
	}
	if _, err := s.write([]byte("the last answer")); err != nil {
		t.Fatal(err)
	}
	drained := make(chan error, 1)
	go func() { drained <- h.Drain(t.Context()) }()
	select {
	case err := <-drained:
		t.Fatalf("drained with an answer in hand: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if got, err := io.ReadFull(far, make([]byte, len("the last answer"))); err != nil {
		t.Fatal(got, err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	_ = far.Close()
}
