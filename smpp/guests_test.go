package smpp

import (
	"context"
	"sync"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// doorkeeper has room for so many.
type doorkeeper struct {
	mu     sync.Mutex
	room   int
	inside int
	asked  int
	waited time.Duration // the last one that was told
}

func (k *doorkeeper) Enter(link string, s message.Source) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	if link != "esme1" || s != message.SourceSMPP || k.inside >= k.room {
		return false
	}
	k.inside++
	return true
}

func (k *doorkeeper) Leave(n int, waited time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.inside -= n
	k.waited = waited
}

func (k *doorkeeper) now() (inside, asked int, waited time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.inside, k.asked, k.waited
}

func TestWhoIsTurnedAwayIsNotReadAndTheRestIsAnswered(t *testing.T) {
	k := &doorkeeper{room: 10}
	h := open(t, oneESME, func(_ *Config, d *Deps) { d.Door = k })
	hold := make(chan struct{})
	h.accept = func(*message.Message) error { <-hold; return nil }
	r := h.bound(t, pdu.BindTransmitter)
	var burst []byte
	for seq := uint32(1); seq <= 13; seq++ {
		burst = hello().Append(burst, 0, seq)
	}
	r.write(burst...)
	for seq := uint32(11); seq <= 13; seq++ {
		r.want(pdu.SubmitSMResp, pdu.RThrottled, seq)
	}
	close(hold)
	for seq := uint32(1); seq <= 10; seq++ {
		r.want(pdu.SubmitSMResp, pdu.ROK, seq)
	}
	if inside, _, waited := k.now(); inside != 0 || waited <= 0 {
		t.Errorf("%d are inside, the first waited %s", inside, waited)
	}
	if n := len(h.messages()); n != 10 {
		t.Errorf("%d messages came to the door", n)
	}
}

func TestEverybodyWhoWasLetInLeaves(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pdu.SM)
		accept func(*message.Message) error
		want   pdu.Status
	}{
		{"taken", func(*pdu.SM) {}, nil, pdu.ROK},
		{"of bad form", func(p *pdu.SM) { p.Dest.Addr = nil }, nil, pdu.RInvDstAdr},
		{"refused by the door", func(*pdu.SM) {}, func(*message.Message) error { return message.Errorf(message.Barred, "no") }, pdu.RSubmitFail},
		{"to replace one that waits", func(p *pdu.SM) { p.ReplaceIfPresent = 1 }, nil, pdu.ROK},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &doorkeeper{room: 1}
			h := open(t, oneESME, func(_ *Config, d *Deps) { d.Door = k })
			h.accept = c.accept
			r := h.bound(t, pdu.BindTransmitter)
			sm := hello()
			c.change(sm)
			r.send(sm, 5)
			head, _ := pdu.ParseHeader(func() []byte { f, _ := r.frame(); return f }())
			if head.Status != c.want {
				t.Errorf("status %v, want %v", head.Status, c.want)
			}
			if inside, asked, _ := k.now(); inside != 0 || asked != 1 {
				t.Errorf("%d are inside after %d that asked", inside, asked)
			}
		})
	}
}

func TestWhatALimitDelaysIsNoWait(t *testing.T) {
	k := &doorkeeper{room: 1}
	h := open(t, oneESME, func(_ *Config, d *Deps) { d.Door = k })
	first := true
	h.accept = func(*message.Message) error {
		if inside, _, _ := k.now(); (inside == 1) != first {
			t.Errorf("%d are inside", inside)
		}
		if first {
			first = false
			return &message.Error{Cause: message.Throttled, After: 20 * time.Millisecond}
		}
		return nil
	}
	r := h.bound(t, pdu.BindTransmitter)
	r.send(hello(), 5)
	r.want(pdu.SubmitSMResp, pdu.ROK, 5)
	if _, _, waited := k.now(); waited != 0 {
		t.Errorf("waited %s", waited)
	}
}

func TestWhatIsReadBeforeABrokenLengthIsStillAnswered(t *testing.T) {
	k := &doorkeeper{room: 2}
	h := open(t, oneESME, func(_ *Config, d *Deps) { d.Door = k })
	r := h.bound(t, pdu.BindTransmitter)
	r.write(append(hello().Append(nil, 0, 5), 0, 0, 0, 3)...)
	soon(t, "the message is taken", func() bool { return len(h.messages()) == 1 })
	soon(t, "it has left", func() bool { inside, _, _ := k.now(); return inside == 0 })
}

func TestGuestsAreInsideForTheAcceptor(t *testing.T) {
	e, ms := &Edge{}, make([]*message.Message, 2)
	if ctx := e.inside(context.Background(), guests{n: 2}, ms); !message.IsInside(ctx) {
		t.Error("all have entered")
	}
	if ctx := e.inside(context.Background(), guests{n: 1}, ms); message.IsInside(ctx) {
		t.Error("one has not")
	}
}
