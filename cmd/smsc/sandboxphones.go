package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"smsc/message"
	"smsc/translate"
)

const (
	// phoneRange begins the numbers of the phones behind the sandbox's IMS
	// core; four digits follow.
	phoneRange = "1555124"
	// imsCentre is the number of the service centre, which SIM cards hold.
	imsCentre = "+15550000000"
	// backAgain is how long a phone of the sandbox is absent or full.
	backAgain = 3 * time.Second
)

// phoneNumberOf returns the number of a phone of the sandbox.
func phoneNumberOf(n int) string { return fmt.Sprintf("%s%04d", phoneRange, n) }

// phoneMood is a phone of the sandbox that does not simply take what comes.
type phoneMood struct {
	number, what string
	tries        int // how many times it misbehaves, 0 is always
	reaction     reaction
	then         func(s *sandbox, phone string) // a moment after the first of them
}

// phoneMisbehaviours lists them.
var phoneMisbehaviours = []phoneMood{
	{number: phoneNumberOf(2), what: "memory full (RP-ERROR 22), after 3 s RP-SMMA, then delivered", tries: 1,
		reaction: reaction{cause: translate.RPMemoryExceeded, fcs: translate.FCSMemoryExceeded},
		then: func(s *sandbox, phone string) {
			_, _ = s.core.memory(context.Background(), phone)
		}},
	{number: phoneNumberOf(3), what: "not registered (480), after 3 s registers, then delivered", tries: 1,
		reaction: reaction{status: 480},
		then: func(s *sandbox, phone string) {
			s.core.register(context.Background(), phone, 3600)
		}},
	{number: phoneNumberOf(4), what: "200, but no RP report at the first try, then delivered", tries: 1,
		reaction: reaction{silent: true}},
	{number: phoneNumberOf(5), what: "refused for good (RP-ERROR 111)",
		reaction: reaction{cause: translate.RPProtocolError, fcs: translate.FCSUnspecified}},
	{number: phoneNumberOf(6), what: "takes it and sends its RP-ACK twice",
		reaction: reaction{times: 2}},
}

// listPhones is the part of the help about them.
func listPhones() string {
	var b strings.Builder
	for _, m := range phoneMisbehaviours {
		fmt.Fprintf(&b, "  %s  %s\n", m.number, m.what)
	}
	return b.String()
}

// phoneMoods counts how often the phones misbehaved.
type phoneMoods struct {
	mu    sync.Mutex
	tries map[string]int
}

// react decides over an RP-DATA.
func (s *sandbox) react(a *phoneArrival) reaction {
	number := strings.TrimPrefix(a.to, "+")
	for i := range phoneMisbehaviours {
		m := &phoneMisbehaviours[i]
		if m.number != number {
			continue
		}
		s.phones.mu.Lock()
		defer s.phones.mu.Unlock()
		s.phones.tries[number]++
		if m.tries != 0 && s.phones.tries[number] > m.tries {
			delete(s.phones.tries, number) // the next message meets the same
			return reaction{}
		}
		if m.then != nil {
			time.AfterFunc(backAgain, func() { m.then(s, a.to) })
		}
		return m.reaction
	}
	return reaction{}
}

// startCore opens the IMS core.
func (s *sandbox) startCore() (err error) {
	s.phones = &phoneMoods{tries: map[string]int{}}
	s.core, err = newIMSCore(imsCoreConfig{listen: "udp:" + loopback(s.flags.IMSPort), remote: loopback(s.flags.SIPPort),
		centre: imsCentre, react: s.react, heard: s.phoneHeard})
	if err != nil {
		return usage(fmt.Errorf("the simulated IMS core cannot listen: %w (another port: --ims-port)", err))
	}
	return nil
}

// phoneHops are the hops that the second demonstration must show.
var phoneHops = []string{"phone submit", "phone answer", "phone report", "submit", "taken", "receipt", "receipt taken", "phone status report", "phone report sent"}

// phoneHeard hears the IMS core.
func (s *sandbox) phoneHeard(e phoneEvent) {
	h := hop{at: e.at, from: "smsc", to: "phone", what: e.text}
	switch e.what {
	case "submit":
		h.from, h.to, h.what = "phone", "smsc", "SIP MESSAGE from "+e.phone+", "+e.text
	case "report sent":
		h.from, h.to, h.what = "phone", "smsc", "SIP MESSAGE, "+e.text
	case "deliver", "status report", "report":
		h.what = "SIP MESSAGE to " + e.phone + ", " + e.text
	}
	s.story.note("phone "+e.what, h)
}

// demonstratePhone sends one message from a phone and follows it until its
// status report.
func (s *sandbox) demonstratePhone(ctx context.Context) error {
	from := "+" + phoneNumberOf(1)
	s.story.begin(phoneHops)
	fmt.Fprintf(s.out, "\nA message from the phone %s behind an IMS core to %s, and its status report:\n\n", from, demoNumber)
	ctx, stop := context.WithTimeout(ctx, demoTimeout)
	defer stop()
	r, err := s.core.submit(ctx, submission{from: from, to: "+" + demoNumber, report: true,
		body: message.Body{Text: "Hello from a phone"}, validity: translate.RelativeValidity(time.Hour)})
	if err != nil {
		return fmt.Errorf("the message of the phone: %w", err)
	}
	if r.cause != 0 {
		return fmt.Errorf("the message of the phone was refused: RP-ERROR %d, TP-FCS %02X", r.cause, r.fcs)
	}
	missing := s.story.await(ctx)
	s.story.tell()
	if len(missing) > 0 {
		return fmt.Errorf("missing: %s", strings.Join(missing, ", "))
	}
	switch report, err := s.core.receipt(ctx, from, r.tp); {
	case err != nil:
		return err
	case report.st != 0 || report.scts != r.scts:
		return errors.New("the status report does not fit the message")
	}
	return nil
}
