package ro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"
	"github.com/fiorix/go-diameter/v4/diam/sm"

	"smsc/message"
)

// ocs is a charging system in memory: it counts units, and knows a repeat by
// its Session-Id and End-to-End Identifier.
type ocs struct {
	t       *testing.T
	address string
	close   func()

	mu      sync.Mutex
	balance int64
	answers map[string]answerOf
	seen    []*diam.Message
	silent  int           // so many requests get no answer
	drop    bool          // instead the connection is closed
	code    uint32        // answered in place of all thinking, 0: none
	mscc    bool          // the code stands in the service
	slow    time.Duration // before an answer
}

type answerOf struct {
	code    uint32
	granted uint64
	balance int32
}

func newOCS(t *testing.T, address string, balance int64) *ocs {
	t.Helper()
	o := &ocs{t: t, balance: balance, answers: make(map[string]answerOf)}
	machine := sm.New(&sm.Settings{OriginHost: "ocs.example", OriginRealm: "example", VendorID: 0, ProductName: "ocs"})
	machine.HandleFunc("CCR", o.asked)
	go func() { // the library reports on errors of strangers
		for range machine.ErrorReports() {
		}
	}()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	o.address = l.Addr().String()
	server := &diam.Server{Handler: machine, Dict: dict.Default}
	go func() { _ = server.Serve(l) }()
	o.close = func() { _ = l.Close() }
	t.Cleanup(o.close)
	return o
}

func (o *ocs) asked(conn diam.Conn, m *diam.Message) {
	o.mu.Lock()
	o.seen = append(o.seen, m)
	var q struct {
		Session string `avp:"Session-Id"`
		Action  int32  `avp:"Requested-Action"`
		MSCC    struct {
			Requested struct {
				Units uint64 `avp:"CC-Service-Specific-Units"`
			} `avp:"Requested-Service-Unit"`
		} `avp:"Multiple-Services-Credit-Control"`
	}
	if err := m.Unmarshal(&q); err != nil {
		o.t.Error(err)
	}
	a, known := o.answers[q.Session]
	if !known {
		a = o.decide(action(q.Action), q.MSCC.Requested.Units)
		o.answers[q.Session] = a
	}
	if o.silent > 0 {
		o.silent--
		drop := o.drop
		o.mu.Unlock()
		if drop {
			conn.Close()
		}
		return
	}
	slow, mscc := o.slow, o.mscc
	o.mu.Unlock()
	time.Sleep(slow)
	o.say(conn, m, q.Session, a, mscc)
}

func (o *ocs) decide(a action, units uint64) answerOf {
	if o.code != 0 {
		return answerOf{o.code, 0, -1}
	}
	switch a {
	case checkBalance:
		if o.balance < int64(units) {
			return answerOf{success, 0, noCreditResult}
		}
		return answerOf{success, 0, 0}
	case refundAccount:
		o.balance += int64(units)
		return answerOf{success, units, -1}
	}
	got := min(int64(units), o.balance)
	if got == 0 {
		return answerOf{limitReached, 0, -1}
	}
	o.balance -= got
	return answerOf{success, uint64(got), -1}
}

func (o *ocs) say(conn diam.Conn, m *diam.Message, session string, a answerOf, inService bool) {
	whole := a.code
	if inService {
		whole = success
	}
	r := m.Answer(whole)
	add := func(code uint32, data datatype.Type) { r.AddAVP(diam.NewAVP(code, avp.Mbit, 0, data)) }
	r.InsertAVP(diam.NewAVP(avp.SessionID, avp.Mbit, 0, datatype.UTF8String(session)))
	add(avp.OriginHost, datatype.DiameterIdentity("ocs.example"))
	add(avp.OriginRealm, datatype.DiameterIdentity("example"))
	add(avp.AuthApplicationID, datatype.Unsigned32(creditAppID))
	add(avp.CCRequestType, datatype.Enumerated(eventRequest))
	add(avp.CCRequestNumber, datatype.Unsigned32(0))
	if a.balance >= 0 {
		add(avp.CheckBalanceResult, datatype.Enumerated(a.balance))
	}
	if a.granted > 0 || inService {
		r.AddAVP(group(avp.MultipleServicesCreditControl, 0,
			diam.NewAVP(avp.ResultCode, avp.Mbit, 0, datatype.Unsigned32(a.code)),
			group(avp.GrantedServiceUnit, 0, diam.NewAVP(avp.CCServiceSpecificUnits, avp.Mbit, 0, datatype.Unsigned64(a.granted)))))
	}
	_, _ = r.WriteTo(conn)
}

// aPort is an address that stays ours while nobody listens at it: bound by a
// socket that never does. Listen takes it along.
func aPort(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
}

func (o *ocs) has() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.balance
}

// connectTo returns a client that is connected.
func connectTo(t *testing.T, address string, timeout time.Duration) *Client {
	t.Helper()
	c, err := New(Config{Address: address, OriginHost: "smsc1.example", OriginRealm: "example", DestinationRealm: "example",
		ServiceContext: "32274@3gpp.org", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	waitReady(t, c)
	return c
}

func waitReady(t *testing.T, c *Client) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); c.Ready() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not connected:", c.Ready())
		}
	}
}

func bill(id message.ID, units uint8) message.Bill {
	return message.Bill{ID: id, Units: units, Taken: units, Payer: "+4912345", From: message.Address{Value: "+4912345"},
		To: message.Address{Value: "+447700900123"}, Source: "esme1", At: time.Now()}
}

func TestMoneyIsTakenOnceAndGivenBack(t *testing.T) {
	o := newOCS(t, "127.0.0.1:0", 10)
	c := connectTo(t, o.address, 5*time.Second)
	for _, step := range []struct {
		name    string
		ask     func() message.ChargeReply
		verdict message.Verdict
		cause   message.Cause
		balance int64
	}{
		{"authorise", func() message.ChargeReply { return c.Authorise(t.Context(), bill(1, 3)) }, message.Granted, 0, 10},
		{"debit of three", func() message.ChargeReply { return c.Debit(t.Context(), bill(1, 3)) }, message.Granted, 0, 7},
		{"followed up", func() message.ChargeReply { return c.Trace(t.Context(), message.DebitStep, bill(1, 3)) }, message.Granted, 0, 7},
		{"refund of two", func() message.ChargeReply { return c.Refund(t.Context(), bill(1, 2)) }, message.Granted, 0, 9},
		{"refund followed up", func() message.ChargeReply { return c.Trace(t.Context(), message.RefundStep, bill(1, 2)) }, message.Granted, 0, 9},
		{"more than there is: what was taken is given back", func() message.ChargeReply { return c.Debit(t.Context(), bill(2, 20)) }, message.Denied, message.NoCredit, 9},
		{"all of it", func() message.ChargeReply { return c.Debit(t.Context(), bill(3, 9)) }, message.Granted, 0, 0},
		{"from nothing", func() message.ChargeReply { return c.Debit(t.Context(), bill(4, 1)) }, message.Denied, message.NoCredit, 0},
		{"asked before", func() message.ChargeReply { return c.Authorise(t.Context(), bill(5, 1)) }, message.Denied, message.NoCredit, 0},
	} {
		if r := step.ask(); r.Verdict != step.verdict || r.Cause != step.cause || o.has() != step.balance {
			t.Fatalf("%s: %+v, balance %d; want %v %v, balance %d", step.name, r, o.has(), step.verdict, step.cause, step.balance)
		}
	}
}

func TestWhatMayHaveArrivedIsSentAgainAsItself(t *testing.T) {
	for name, drop := range map[string]bool{"silence": false, "the connection is lost": true} {
		t.Run(name, func(t *testing.T) {
			o := newOCS(t, "127.0.0.1:0", 10)
			c := connectTo(t, o.address, 6*time.Second)
			o.mu.Lock()
			o.silent, o.drop = 1, drop
			o.mu.Unlock()
			if r := c.Debit(t.Context(), bill(1, 3)); r.Verdict != message.Granted || o.has() != 7 {
				t.Fatalf("%+v, balance %d", r, o.has())
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			if len(o.seen) != 2 {
				t.Fatalf("%d requests", len(o.seen))
			}
			first, second := o.seen[0].Header, o.seen[1].Header
			if first.CommandFlags&diam.RetransmittedFlag != 0 || second.CommandFlags&diam.RetransmittedFlag == 0 {
				t.Error("the second, and only that, is marked as a repeat")
			}
			if first.EndToEndID != second.EndToEndID || first.HopByHopID == second.HopByHopID {
				t.Errorf("End-to-End %x then %x, Hop-by-Hop %x then %x", first.EndToEndID, second.EndToEndID, first.HopByHopID, second.HopByHopID)
			}
		})
	}
}

func TestSilenceIsUnansweredAndFoundOutLater(t *testing.T) {
	o := newOCS(t, "127.0.0.1:0", 10)
	c, patient := connectTo(t, o.address, time.Second), connectTo(t, o.address, 20*time.Second)
	says := func(silent int) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.silent = silent
	}
	says(100)
	if r := c.Debit(t.Context(), bill(1, 3)); r.Verdict != message.Unanswered {
		t.Fatalf("%+v", r)
	}
	if r := c.Trace(t.Context(), message.DebitStep, bill(1, 3)); r.Verdict != message.Unreached {
		t.Fatalf("still silent: %+v", r)
	}
	says(0)
	if r := patient.Trace(t.Context(), message.DebitStep, bill(1, 3)); r.Verdict != message.Granted || o.has() != 7 {
		t.Fatalf("%+v, balance %d", r, o.has())
	}
}

func TestAServerThatIsAwayIsUnreachedAtOnce(t *testing.T) {
	o := newOCS(t, aPort(t), 10)
	c := connectTo(t, o.address, 20*time.Second)
	o.mu.Lock()
	o.silent, o.drop = 1, true
	o.mu.Unlock()
	o.close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if r := c.Debit(ctx, bill(1, 1)); r.Verdict != message.Unanswered {
		t.Fatalf("it went away with a request: %+v", r)
	}
	began := time.Now()
	if r := c.Debit(t.Context(), bill(2, 1)); r.Verdict != message.Unreached || time.Since(began) > 10*time.Second {
		t.Fatalf("%+v after %v", r, time.Since(began))
	}
	if c.Ready() == nil {
		t.Error("ready without a server")
	}
	again := newOCS(t, o.address, 5)
	waitReady(t, c)
	if r := c.Debit(t.Context(), bill(2, 1)); r.Verdict != message.Granted || again.has() != 4 {
		t.Errorf("the server is back: %+v", r)
	}
}

func TestEveryResultCodeHasItsMeaning(t *testing.T) {
	for _, c := range []struct {
		code    uint32
		verdict message.Verdict
		cause   message.Cause
	}{
		{2001, message.Granted, 0}, {4011, message.Granted, 0}, {4012, message.Denied, message.NoCredit}, {5030, message.Denied, message.NoCredit},
		{4010, message.Denied, message.Barred}, {5003, message.Denied, message.Barred}, {5031, message.Unreached, 0},
		{3002, message.Unreached, 0}, {3004, message.Unreached, 0}, {3005, message.Unreached, 0}, {5012, message.Unreached, 0}, {0, message.Unreached, 0},
	} {
		if r, partial := (answer{code: c.code, granted: -1, balance: -1}).reply(2); r.Verdict != c.verdict || r.Cause != c.cause || partial {
			t.Errorf("%d is %+v, want %v %v", c.code, r, c.verdict, c.cause)
		}
	}
	o := newOCS(t, "127.0.0.1:0", 10)
	c := connectTo(t, o.address, 5*time.Second)
	o.mu.Lock()
	o.code, o.mscc = 4012, true
	o.mu.Unlock()
	if r := c.Debit(t.Context(), bill(1, 1)); r.Verdict != message.Denied {
		t.Errorf("refused for the one service: %+v", r)
	}
}

func TestARequestSaysWhatItAsksFor(t *testing.T) {
	c := &Client{cfg: Config{OriginHost: "smsc1.example", OriginRealm: "example", DestinationRealm: "ocs.example", ServiceContext: "32274@3gpp.org"}}
	b := bill(1<<40+7, 3)
	b.Life, b.Body.Coding = 2, message.UCS2
	m := c.request(directDebiting, c.session(b, sessionDebit), b, 3)
	octets, err := m.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	text := m.String()
	for _, want := range []string{"smsc1.example;256;7;2d", "32274@3gpp.org", "447700900123", "4912345", "esme1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if len(octets)%4 != 0 {
		t.Errorf("%d octets", len(octets))
	}
	b.Payer = "acme"
	if s := subscription("acme").String(); !strings.Contains(s, "acme") {
		t.Error(s)
	}
	if again := c.request(directDebiting, c.session(b, sessionDebit), b, 3); again.Header.EndToEndID != m.Header.EndToEndID {
		t.Error("the same bill has another End-to-End Identifier")
	}
}

// decode reads a message as the library does, nil where it cannot.
func decode(data []byte) (m *diam.Message) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	m, err := diam.ReadMessage(&frames{r: bytes.NewReader(data)}, dict.Default)
	if err != nil {
		return nil
	}
	return m
}

func FuzzAnswer(f *testing.F) {
	c := &Client{cfg: Config{OriginHost: "a", OriginRealm: "b"}}
	seed, err := c.request(directDebiting, "s", bill(1, 1), 1).Answer(success).Serialize()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("\x01\x00\x00\x13\x00\x00\x01\x10\x00\x00\x00\x0400000000")) // shorter than its header
	f.Fuzz(func(t *testing.T, data []byte) {
		// What the library cannot decode it does not hand over; it recovers.
		m := decode(data)
		if m == nil {
			return
		}
		a := readAnswer(m)
		if _, partial := a.reply(3); partial && (a.granted <= 0 || a.granted >= 3) {
			t.Errorf("partial with %d of 3", a.granted)
		}
	})
}
