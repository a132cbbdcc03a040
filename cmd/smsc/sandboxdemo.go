package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"smsc/sip"
	"smsc/smpp/pdu"
)

// demoHops are the hops that the first demonstration must show.
var demoHops = []string{"message", "accepted", "stored", "submit", "taken", "receipt", "receipt taken", "receipt home"}

// hop is a step that a message took.
type hop struct {
	at       time.Time
	from, to string
	what     string
}

// story gathers the hops of a demonstration, and prints what passes beside
// one at once.
type story struct {
	out io.Writer

	mu      sync.Mutex
	wanted  []string
	hops    map[string]hop // by name; nil: told line by line
	changed chan struct{}
}

func newStory(out io.Writer) *story {
	return &story{out: out, changed: make(chan struct{}, 1)}
}

// begin starts a demonstration that has these hops.
func (s *story) begin(wanted []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted, s.hops = wanted, map[string]hop{}
}

// note keeps a hop, the first of its name; beside a demonstration it is
// printed at once.
func (s *story) note(name string, h hop) {
	if h.at.IsZero() {
		h.at = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hops == nil {
		fmt.Fprintf(s.out, "%s  %-7s -> %-7s  %s\n", h.at.Format("15:04:05.000"), h.from, h.to, h.what)
		return
	}
	if _, again := s.hops[name]; !again {
		s.hops[name] = h
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// await returns when every hop was noted, or with the names of those missing.
func (s *story) await(ctx context.Context) (missing []string) {
	limit := time.NewTimer(demoTimeout)
	defer limit.Stop()
	for {
		s.mu.Lock()
		missing = slices.DeleteFunc(slices.Clone(s.wanted), func(name string) bool { _, ok := s.hops[name]; return ok })
		s.mu.Unlock()
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-s.changed:
		case <-limit.C:
			return missing
		case <-ctx.Done():
			return missing
		}
	}
}

// tell prints the hops in the order of their times, and turns to telling line
// by line.
func (s *story) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []hop
	for _, h := range s.hops {
		all = append(all, h)
	}
	slices.SortStableFunc(all, func(a, b hop) int { return a.at.Compare(b.at) })
	for _, h := range all {
		fmt.Fprintf(s.out, "%8.1f ms  %-7s -> %-7s  %s\n", float64(h.at.Sub(all[0].at).Microseconds())/1000, h.from, h.to, h.what)
	}
	s.hops = nil
}

// demonstrate sends one message and follows it.
func (s *sandbox) demonstrate(ctx context.Context) error {
	s.story.begin(demoHops)
	fmt.Fprintf(s.out, "\nA message from the handset %s to %s, and its receipt:\n\n", handsetNumber, demoNumber)
	m := sip.PeerMessage{
		From: handsetNumber, To: demoNumber, ContentType: "text/plain;charset=UTF-8", Body: []byte("Hello from the sandbox"),
		Headers: []sip.Field{{Name: "X-SMS-CODING", Value: "0"}, {Name: "X-REG-DELIVERY", Value: "1"}, {Name: "X-SMS-VALIDITY", Value: time.Now().UTC().Add(time.Hour).Format(time.DateTime)}},
	}
	var headers []string
	for _, h := range m.Headers {
		headers = append(headers, h.Name+": "+h.Value)
	}
	s.story.note("message", hop{from: "handset", to: "smsc", what: fmt.Sprintf("SIP MESSAGE %q to %s, %s", m.Body, m.To, strings.Join(headers, ", "))})
	a := s.handset.Do(ctx, m)
	if a.Status == 0 {
		return fmt.Errorf("the server did not answer the MESSAGE: %w", a.Err)
	}
	s.story.note("accepted", hop{from: "smsc", to: "handset", what: fmt.Sprintf("%d %s, X-SMS-ID: %s", a.Status, a.Reason, a.Get("X-SMS-ID"))})
	if a.Status != 202 {
		return fmt.Errorf("the server answered %d %s %s", a.Status, a.Reason, a.Get("Warning"))
	}
	s.lookUp(ctx, a.Get("X-SMS-ID"))
	missing := s.story.await(ctx)
	home := s.home()
	s.story.tell()
	switch {
	case len(missing) > 0:
		return fmt.Errorf("missing: %s", strings.Join(missing, ", "))
	case home != a.Get("X-SMS-ID"):
		return fmt.Errorf("the receipt is about %s, the message is %s", home, a.Get("X-SMS-ID"))
	}
	return nil
}

// lookUp reads the message back over REST: the store has it.
func (s *sandbox) lookUp(ctx context.Context, id string) {
	server, err := (&serverFlags{Server: s.url(), Key: s.key}).open()
	if err != nil {
		return
	}
	var m messageView
	if _, err := server.get(ctx, "/api/messages/"+id, nil, &m); err == nil {
		s.story.note("stored", hop{from: "smsc", to: "disk", what: fmt.Sprintf("stored as %d, in parts: %d, read back over REST: %s", m.ID, m.Parts, m.Status)})
	}
}

// heard hears the carrier.
func (s *sandbox) heard(e centreEvent) {
	name, h := "", hop{at: e.at, from: "carrier", to: "smsc"}
	switch e.what {
	case "submit":
		name, h.from, h.to, h.what = "submit", "smsc", "carrier", fmt.Sprintf("submit_sm %s to %s", e.from, e.to)
	case "answer":
		name, h.what = "taken", fmt.Sprintf("submit_sm_resp %s, message_id %s", e.status, e.id)
		if e.status != pdu.ROK {
			name, h.what = "refused", fmt.Sprintf("submit_sm_resp %s for %s", e.status, e.to)
		}
	case "no answer":
		name, h.what = e.what, "(no answer for "+e.to+")"
	case "receipt":
		name, h.what = "receipt", fmt.Sprintf("deliver_sm receipt of %s: %s", e.id, e.detail)
	case "receipt answered":
		name, h.from, h.to, h.what = "receipt taken", "smsc", "carrier", fmt.Sprintf("deliver_sm_resp %s", e.status)
	default:
		return
	}
	s.story.note(name, h)
}

// message is what the handset does with a MESSAGE.
func (s *sandbox) message(m sip.PeerMessage) sip.PeerAnswer {
	h := hop{from: "smsc", to: "handset", what: fmt.Sprintf("SIP MESSAGE %q from %s", m.Body, m.From)}
	name := "delivered"
	if state := m.Get("X-SMS-RECEIPT"); state != "" {
		name, h.what = "receipt home", fmt.Sprintf("SIP MESSAGE, X-SMS-RECEIPT: %s, X-SMS-ID: %s", state, m.Get("X-SMS-ID"))
		s.mu.Lock()
		s.homeID = m.Get("X-SMS-ID")
		s.mu.Unlock()
	}
	s.story.note(name, h)
	return sip.PeerAnswer{Status: 200, Reason: "OK"}
}

func (s *sandbox) home() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homeID
}
