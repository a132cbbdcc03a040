package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"smsc/smpp/pdu"
)

// misbehaviour is a number of the sandbox whose carrier does not simply
// deliver.
type misbehaviour struct {
	number, word, what string
	tries              int  // how many times refuse counts; 0 is always
	refuse             fate // what these tries get
	then               fate // what others get
}

// reported is the fate of a message that arrives, or does not, after a moment.
func reported(state, err string) fate {
	return fate{receipt: state, err: err, after: receiptDelay}
}

// receiptDelay is how long the sandbox's carrier takes to deliver.
const receiptDelay = 150 * time.Millisecond

// misbehaviours lists the numbers that misbehave on demand.
var misbehaviours = []misbehaviour{
	{number: "15550000001", word: "absent", what: "absent (0xFE) at the first two tries, then delivered",
		tries: 2, refuse: fate{status: pdu.RDeliveryFailure}, then: reported("DELIVRD", "000")},
	{number: "15550000002", word: "memory full", what: "memory full (0x64) at the first two tries, then delivered",
		tries: 2, refuse: fate{status: pdu.RxTAppn}, then: reported("DELIVRD", "000")},
	{number: "15550000003", word: "throttled", what: "throttled (0x58) at the first two tries, then delivered",
		tries: 2, refuse: fate{status: pdu.RThrottled}, then: reported("DELIVRD", "000")},
	{number: "15550000004", word: "silent", what: "no answer at the first try, then delivered",
		tries: 1, refuse: fate{silent: true}, then: reported("DELIVRD", "000")},
	{number: "15550000005", word: "refused", what: "refused for good (0x0B)",
		refuse: fate{status: pdu.RInvDstAdr}},
	{number: "15550000006", word: "undelivered", what: "taken, then reported UNDELIV err:001",
		refuse: reported("UNDELIV", "001")},
	{number: "15550000007", word: "unreported", what: "taken, and never heard of again",
		refuse: fate{}},
}

// listMisbehaviours is the part of the help about them.
func listMisbehaviours() string {
	var b strings.Builder
	for _, m := range misbehaviours {
		fmt.Fprintf(&b, "  %s  %s\n", m.number, m.what)
	}
	return b.String()
}

// temper decides over each message of the sandbox's carrier.
type temper struct {
	mu    sync.Mutex
	tries map[string]int // of numbers that misbehave
}

func (t *temper) fate(sm *pdu.SM) fate {
	number := string(sm.Dest.Addr)
	for _, m := range misbehaviours {
		if m.number != number {
			continue
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.tries[number]++
		if m.tries == 0 || t.tries[number] <= m.tries {
			return m.refuse
		}
		delete(t.tries, number) // the next message meets the same
		return m.then
	}
	return reported("DELIVRD", "000")
}
