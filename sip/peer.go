package sip

import (
	"time"
)

// PeerConfig describes a [Peer].
type PeerConfig struct {
	// Listen is where the peer's own socket stands: "udp:127.0.0.1:0" or
	// "tcp:127.0.0.1:0". Its transport is that of what is sent.
	Listen string
	// Remote is where Send goes, "127.0.0.1:5060"; "" for a peer that only listens.
	Remote string
	// User and Password answer a challenge; "" if there is none to expect.
	User, Password string
	// Window is how many requests may be without an answer; 0 is 64.
	Window int
	// Handle answers MESSAGEs that come in, on any goroutine; nil answers 200.
	Handle func(PeerMessage) PeerAnswer
	// T1 as in Config; 0 is 500 ms.
	T1 time.Duration
}

// PeerMessage is a MESSAGE as a simulated handset sees it.
type PeerMessage struct {
	From, To    string // user parts: numbers or names
	ContentType string // "" is text/plain;charset=UTF-8
	Body        []byte
	Headers     []Field // others, in order; in what is sent: the X-headers
	CallID      string  // "" in what is sent: a new one
}

// Get returns the first header of that name, "" if there is none.
func (m PeerMessage) Get(name string) string { return fieldOf(m.Headers, name) }

// PeerAnswer is a final answer, or that none came.
type PeerAnswer struct {
	Status  int // 0: none came, Err says why
	Reason  string
	Headers []Field
	Err     error
	// Latency is from the first octet sent to the answer read.
	Latency time.Duration
	// Silent, from Handle: send no answer at all.
	Silent bool
}

// Get returns the first header of that name, "" if there is none.
func (a PeerAnswer) Get(name string) string { return fieldOf(a.Headers, name) }

// Field is one header field.
type Field struct{ Name, Value string }

func fieldOf(fields []Field, name string) string {
	for _, f := range fields {
		if sameName(f.Name, name) {
			return f.Value
		}
	}
	return ""
}
