package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

// notifier is an S-CSCF that knows of registrations.
type notifier struct {
	t    *testing.T
	end  *endpoint
	addr string
	to   netip.AddrPort
	came chan *exchange
	say  func(*exchange) response
	n    int
}

func newNotifier(t *testing.T) *notifier {
	t.Helper()
	n := &notifier{t: t, came: make(chan *exchange, 100)}
	n.end = newEndpoint(Config{Node: "scscf"}.defaults(), zerolog.Nop())
	n.end.handle = func(x *exchange) {
		r := response{status: 200}
		if x.method == "SUBSCRIBE" {
			r = response{status: 200, tag: "theirs"}.with("Contact", "<sip:reg@"+n.addr+">").with("Expires", "3600").with("Record-Route", "<sip:"+n.addr+";lr>")
		}
		if n.say != nil {
			r = n.say(x)
		}
		x.answer(r)
		n.came <- x
	}
	if err := n.end.listen([]string{"udp:127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	n.end.start()
	t.Cleanup(n.end.drop)
	_, n.addr, _ = strings.Cut(n.end.addrs()[0], ":")
	return n
}

func (n *notifier) next(method string) *exchange {
	n.t.Helper()
	for {
		select {
		case x := <-n.came:
			if x.method == method {
				return x
			}
		case <-time.After(patience):
			n.t.Fatal("no " + method + " came")
		}
	}
}

// notify sends a NOTIFY of the dialog that sub began, and returns the status.
func (n *notifier) notify(sub *exchange, state, body string) int {
	n.t.Helper()
	n.n++
	branch := n.end.clients.newBranch()
	octets := fmt.Sprintf("NOTIFY %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: 70\r\nFrom: %s;tag=theirs\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d NOTIFY\r\nEvent: Reg\r\nSubscription-State: %s\r\nContact: <sip:reg@%s>\r\nContent-Type: application/RegInfo+xml\r\nContent-Length: %d\r\n\r\n%s",
		strings.Trim(sub.get("Contact"), "<>"), n.addr, branch, cutTag(sub.get("To")), sub.get("From"), sub.get("Call-ID"), n.n, state, n.addr, len(body), body)
	told := make(chan int, 1)
	n.end.clients.start(&transaction{branch: branch, octets: []byte(octets),
		flow: flow{transport: transportUDP, peer: n.to, socket: n.end.socketFor(n.to.Addr())},
		done: func(p *packet, err error) {
			if err != nil {
				told <- 0
				return
			}
			told <- p.status
		}})
	return <-told
}

func cutTag(to string) string {
	before, _, _ := strings.Cut(to, ";tag=")
	return before
}

// enrol sends a third-party REGISTER.
func (n *notifier) enrol() {
	n.t.Helper()
	branch := n.end.clients.newBranch()
	octets := fmt.Sprintf("REGISTER sip:smsc SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nFrom: <sip:scscf@ims.example>;tag=1\r\nTo: <sip:+447700900555@ims.example>\r\nCall-ID: %s\r\nCSeq: 1 REGISTER\r\nContact: <sip:%s>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n", n.addr, branch, branch, n.addr)
	told := make(chan int, 1)
	n.end.clients.start(&transaction{branch: branch, octets: []byte(octets),
		flow: flow{transport: transportUDP, peer: n.to, socket: n.end.socketFor(n.to.Addr())},
		done: func(p *packet, err error) {
			if err != nil {
				told <- 0
				return
			}
			told <- p.status
		}})
	if s := <-told; s != 200 {
		n.t.Fatalf("REGISTER: %d", s)
	}
}

func reginfo(version int, state, contacts string) string {
	return fmt.Sprintf(`<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="%d" state="%s"><registration aor="sip:+447700900555@ims.example" id="r" state="active">%s</registration></reginfo>`, version, state, contacts)
}

const (
	smsipContact = `<contact id="a" state="active" event="registered"><uri>sip:ue@10.0.0.9</uri><unknown-param name="+g.3gpp.smsip"/></contact>`
	plainContact = `<contact id="b" state="active" event="registered"><uri>sip:old@10.0.0.8</uri></contact>`
	goneContact  = `<contact id="a" state="terminated" event="expired"><uri>sip:ue@10.0.0.9</uri></contact>`
)

func watchedHouse(t *testing.T, keep *drawer, n *notifier) *house {
	t.Helper()
	h := openWith(t, quick(), fmt.Sprintf(`
links:
  - {name: ims, kind: ims, uri: "sip:%s;transport=udp", from: ["127.0.0.1/32"], smsc_address: "+447785016005", identity: "sip:smsc.ims.example", domain: ims.example, reg_event: true}
`, n.addr), keep)
	n.to = netip.MustParseAddrPort(h.udp())
	return h
}

func TestRegistrationsAreWatched(t *testing.T) {
	n := newNotifier(t)
	h := watchedHouse(t, &drawer{}, n)
	n.enrol()
	sub := n.next("SUBSCRIBE")
	for name, want := range map[string]string{
		"Event": "reg", "Accept": "application/reginfo+xml", "P-Asserted-Identity": "<sip:smsc.ims.example>",
		"To": "<sip:+447700900555@ims.example>", "Route": "<sip:" + n.addr + ";lr>", "Contact": "<sip:" + h.udp() + ">",
	} {
		if got := sub.get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	row := func() *tenant.Subscriber { return h.Subscribers("ims")[0] }
	if s := n.notify(sub, "active", reginfo(0, "Full", smsipContact)); s != 200 {
		t.Fatalf("NOTIFY: %d", s)
	}
	if r := row(); r.SMSIP != tenant.Yes || r.State != tenant.Registered {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(h.desk.keys(), "number:+447700900555") {
		t.Errorf("woken %q", h.desk.keys())
	}
	n.notify(sub, "active", reginfo(1, "partial", plainContact))
	if r := row(); r.SMSIP != tenant.Yes || r.Text != "" {
		t.Errorf("two contacts: %+v", r)
	}
	n.notify(sub, "active", reginfo(2, "partial", goneContact))
	if r := row(); r.SMSIP != tenant.No || r.Text != "sip:old@10.0.0.8" {
		t.Errorf("the one that takes texts only: %+v", r)
	}

	// It gets a text, and the final answer is the outcome.
	told := h.try(h.toPhone("Hello"), 1)
	x := n.next("MESSAGE")
	if string(x.body) != "Hello" || x.get("Accept-Contact") != "" || x.target != "sip:old@10.0.0.8" || !strings.Contains(x.get("From"), "+15551230001") {
		t.Errorf("%s %q", x.target, x.body)
	}
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}

	// A document is missed: subscribe anew, within the dialog.
	n.notify(sub, "active", reginfo(5, "partial", smsipContact))
	again := n.next("SUBSCRIBE")
	if tagOf(again.get("To")) != "theirs" || again.get("Call-ID") != sub.get("Call-ID") || again.target != "sip:reg@"+n.addr {
		t.Errorf("%s To %s", again.target, again.get("To"))
	}
	n.notify(sub, "active", reginfo(6, "full", ""))
	if r := row(); r.State != tenant.Deregistered {
		t.Errorf("no contact is left: %+v", r)
	}
	n.n -= 2
	if s := n.notify(sub, "active", ""); s != 500 {
		t.Errorf("a NOTIFY out of order is answered %d", s)
	}
	n.n += 2
	if s := n.notify(sub, "terminated;reason=noresource", ""); s != 200 {
		t.Errorf("the last NOTIFY is answered %d", s)
	}
	if s := n.notify(sub, "active", ""); s != 481 {
		t.Errorf("a NOTIFY of nothing is answered %d", s)
	}
}

func TestASubscriptionSurvivesARestart(t *testing.T) {
	n, keep := newNotifier(t), &drawer{}
	h := watchedHouse(t, keep, n)
	n.enrol()
	sub := n.next("SUBSCRIBE")
	n.notify(sub, "active", reginfo(0, "full", smsipContact))
	eventually(t, "the dialog to be kept", func() bool {
		found := false
		_ = keep.Each(t.Context(), watchKind, func(_ string, v []byte) bool {
			found = strings.Contains(string(v), `"Remote":"theirs"`) && strings.Contains(string(v), `"Known":true`)
			return true
		})
		return found
	})
	_ = h.Close()
	h = watchedHouse(t, keep, n)
	if s := n.notify(sub, "active", reginfo(1, "partial", goneContact)); s != 200 {
		t.Fatalf("NOTIFY after the restart: %d", s)
	}
	if r := h.Subscribers("ims")[0]; r.State != tenant.Deregistered {
		t.Errorf("%+v", r)
	}
}

func TestAnOlderStateOfASubscriptionIsNeverWrittenLast(t *testing.T) {
	held, goOn := make(chan struct{}), make(chan struct{})
	var first sync.Once
	keep := &drawer{before: func(kind string) {
		if kind == watchKind {
			first.Do(func() { close(held); <-goOn })
		}
	}}
	i := &ims{s: &Server{cfg: Config{}.defaults()}, shelf: keep}
	w := &watch{Link: "ims", Key: "number:+447700900555", CallID: "1@smsc", Expires: time.Now().Add(time.Hour)}
	i.watches.add(w)
	k := personKey{w.Link, w.Key}
	var both sync.WaitGroup
	both.Go(func() { i.keepWatch(k) })
	<-held
	i.watches.mu.Lock()
	w.Version = 7
	i.watches.mu.Unlock()
	both.Go(func() { i.keepWatch(k) })
	close(goOn)
	both.Wait()
	value, _, _ := keep.Get(t.Context(), watchKind, k.link+"\x00"+k.key)
	if !strings.Contains(string(value), `"Version":7`) {
		t.Errorf("%s", value)
	}
}

func TestASubscriptionThatIsRefusedIsGivenUp(t *testing.T) {
	n := newNotifier(t)
	n.say = func(x *exchange) response { return response{status: 403} }
	h := watchedHouse(t, &drawer{}, n)
	n.enrol()
	n.next("SUBSCRIBE")
	eventually(t, "the refusal", func() bool {
		h.ims.watches.mu.Lock()
		defer h.ims.watches.mu.Unlock()
		for _, w := range h.ims.watches.byCall {
			return w.Refused == 1
		}
		return false
	})
	for range 2 { // the next tries come by the clock
		h.ims.watches.mu.Lock()
		var w *watch
		for _, w = range h.ims.watches.byCall {
		}
		h.ims.watches.mu.Unlock()
		h.ims.subscribe(w)
		n.next("SUBSCRIBE")
	}
	eventually(t, "it to be given up", func() bool {
		h.ims.watches.mu.Lock()
		defer h.ims.watches.mu.Unlock()
		return len(h.ims.watches.byCall) == 0
	})
}
