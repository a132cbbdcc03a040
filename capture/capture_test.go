package capture

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

func nothing(string, []string) bool { return false }

func texts(ps []Packet) (all []string) {
	for _, p := range ps {
		all = append(all, p.Step.String()+" "+string(p.Octets))
	}
	return all
}

func TestWhatIsKeptOfAMessageIsToldInTheOrderOfTime(t *testing.T) {
	r := New(100)
	in := r.Keep(Hop{Step: Accepted, Form: SMPP, Link: "shop"}, "", []byte("came in"))
	r.Keep(Hop{ID: 8, Step: Accepted, Form: SMPP, Link: "shop"}, "", []byte("another"))
	r.Bind(in, 7)
	tap := r.Tap(SMPP, &message.Attempt{Message: &message.Message{ID: 7}, Link: "carrier", Number: 2})
	tap.Sent("", []byte("left"))
	tap.Heard("", []byte("answer"))
	r.Keep(Hop{Step: Report, Form: SMPP, Link: "carrier", Remote: []string{"ab", "171"}}, "", []byte("report"))
	r.Keep(Hop{Step: Report, Form: SMPP, Link: "other", Remote: []string{"ab"}}, "", []byte("not ours"))
	got := r.Of([]message.ID{7}, func(link string, remote []string) bool { return link == "carrier" && remote[1] == "171" })
	if want := "[accepted came in attempt left outcome answer report report]"; fmt.Sprint(texts(got)) != want {
		t.Errorf("%v, want %s", texts(got), want)
	}
	if got[2].Try != 2 || got[2].Link != "carrier" || got[0].Link != "shop" {
		t.Errorf("%+v", got)
	}
	if got := r.Of([]message.ID{9}, nothing); got != nil {
		t.Errorf("of a message that nobody knows: %v", texts(got))
	}
}

func TestOldOctetsGiveWayToNewOnes(t *testing.T) {
	r := New(100)
	var first Ticket
	for i := range 1000 {
		k := r.Keep(Hop{Step: Accepted, Form: SMPP}, "", fmt.Appendf(nil, "%d", i))
		if first == 0 {
			first = k
		}
		r.Bind(k, message.ID(i+1))
	}
	kept := 0
	for i := range 1000 {
		kept += len(r.Of([]message.ID{message.ID(i + 1)}, nothing))
	}
	if kept != 80 || len(r.Of([]message.ID{920}, nothing)) != 0 || len(r.Of([]message.ID{921}, nothing)) != 1 {
		t.Errorf("%d are kept", kept)
	}
	r.Keep(Hop{Step: Accepted, Form: SMPP}, "", []byte("unbound"))
	r.Bind(first, 5000)
	if got := r.Of([]message.ID{5000}, nothing); got != nil {
		t.Errorf("an old ticket took the slot of another: %v", texts(got))
	}
}

func TestWhatFailedStaysLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(100)
		a := message.Attempt{Message: &message.Message{ID: 7}, Link: "carrier", Number: 1}
		r.Keep(Hop{ID: 7, Step: Accepted, Form: SMPP}, "", []byte("in"))
		tap := r.Tap(SMPP, &a)
		tap.Sent("", []byte("out"))
		tap.Heard("", []byte("no"))
		tap.Ended(&message.Outcome{Result: message.Refused})
		good := r.Tap(SMPP, &message.Attempt{Message: &message.Message{ID: 8}})
		good.Sent("", []byte("out"))
		good.Ended(&message.Outcome{Result: message.Relayed})
		r.Keep(Hop{Step: Report, Form: SMPP, Remote: []string{"x"}, Failed: true}, "", []byte("report"))
		for range 500 {
			r.Keep(Hop{ID: 9, Step: Accepted, Form: SMPP}, "", []byte("busy"))
		}
		if got := fmt.Sprint(texts(r.Of([]message.ID{7}, func(_ string, ids []string) bool { return ids[0] == "x" }))); got != "[accepted in attempt out outcome no report report]" {
			t.Error(got)
		}
		if got := r.Of([]message.ID{8}, nothing); got != nil {
			t.Errorf("what went well is still there: %v", texts(got))
		}
		time.Sleep(time.Second)
		for id := range message.ID(1000) { // a storm: its first are held, no more
			r.Keep(Hop{ID: 1000 + id, Step: Attempt, Form: SMPP}, "", nil)
			r.Hold(1000 + id)
		}
		if len(r.Of([]message.ID{1049}, nothing)) != 1 || r.failed.next != 4+holdsPerSec {
			t.Errorf("%d went to the shelf of what failed", r.failed.next)
		}
	})
}

func TestOnlyTheFirstOctetsAreKept(t *testing.T) {
	r := New(5)
	r.Keep(Hop{ID: 1, Form: HTTP}, strings.Repeat("a", 4000), bytes.Repeat([]byte("b"), 70_000))
	r.Keep(Hop{ID: 2, Form: HTTP}, strings.Repeat("a", 5000), []byte("b"))
	for id, size := range map[message.ID]int{1: 74_000, 2: 5001} {
		if p := r.Of([]message.ID{id}, nothing); len(p) != 1 || len(p[0].Octets) != MaxOctets || p[0].Size != size {
			t.Errorf("%d: %d octets of %d", id, len(p[0].Octets), p[0].Size)
		}
	}
}

func TestNoRingKeepsNothing(t *testing.T) {
	var r *Ring
	tap := r.Tap(SIP, &message.Attempt{Message: &message.Message{}})
	tap.Sent("", nil)
	tap.Ended(&message.Outcome{})
	r.Bind(r.Keep(Hop{}, "", nil), 1)
	r.Hold(1)
	if r.Of([]message.ID{1}, nothing) != nil {
		t.Error("it does")
	}
}

func TestManyKeepAndLookAtOnce(t *testing.T) {
	r := New(500)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				id := message.ID(n*10_000 + i + 1)
				r.Bind(r.Keep(Hop{Step: Accepted, Form: SMPP}, "", []byte("x")), id)
				if i%10 == 0 {
					r.Hold(id)
				}
				for _, p := range r.Of([]message.ID{id}, nothing) {
					if p.ID != id || string(p.Octets) != "x" {
						t.Errorf("%+v", p)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestNothingIsAllocatedOnceTheRingHasGoneRound(t *testing.T) {
	r, octets := New(50), make([]byte, 300)
	for range 100 {
		r.Keep(Hop{ID: 1}, "", octets)
	}
	tap := r.Tap(SIP, &message.Attempt{Message: &message.Message{ID: 3}})
	if n := testing.AllocsPerRun(100, func() {
		r.Bind(r.Keep(Hop{Step: Accepted, Form: SMPP}, "", octets), 2)
		tap.Sent("", octets)
		tap.Ended(&message.Outcome{})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

const aRequest = "MESSAGE sip:+15551230001@smsc.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n" +
	"Max-Forwards: 70\r\nFrom: <sip:+15557654321@example.com>;tag=1\r\nTo: <sip:+15551230001@smsc.example>\r\nCall-ID: abc@192.0.2.1\r\n" +
	"CSeq: 1 MESSAGE\r\nAuthorization: Digest username=\"a\", response=\"0123456789abcdef\"\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

func BenchmarkKeep(b *testing.B) {
	for name, c := range map[string]struct {
		form Form
		in   []byte
	}{"SMPP": {SMPP, make([]byte, 160)}, "SIP": {SIP, []byte(aRequest)}} {
		b.Run(name, func(b *testing.B) {
			r := New(MaxHops)
			for range 2 * MaxHops {
				r.Keep(Hop{ID: 1, Form: c.form}, "", c.in)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r.Keep(Hop{ID: message.ID(i), Form: c.form}, "", c.in)
			}
		})
	}
}

func BenchmarkHold(b *testing.B) {
	r := New(MaxHops)
	for range b.N {
		r.second = 0
		r.Hold(1)
	}
}

func BenchmarkOf(b *testing.B) {
	r := New(MaxHops)
	for i := range MaxHops {
		r.Keep(Hop{ID: message.ID(i + 1), Form: SMPP}, "", make([]byte, 160))
	}
	for b.Loop() {
		r.Of([]message.ID{9999}, nothing)
	}
}
