package sip

import (
	"testing"
	"time"

	"smsc/message"
	"smsc/translate"
)

// example is the MESSAGE body of the specification page.
const example = "00 07 00 07914477581006 50 17 21550c9144770090103200 00 0b f7341d0d9297e16f391d"

func TestAPhoneSendsAndHasItsReport(t *testing.T) {
	h, c := openCore(t, "")
	m := fromPhone(submit(t, 7, "447700900123", "Hello", nil))
	m.CallID = "cb03a0s09a2sdfglkj490333"
	if a := c.do(m); a.Status != 202 || a.Get(xID) == "" {
		t.Fatalf("answer %+v", a)
	}
	report := c.next()
	taken := h.door.all()
	if len(taken) != 1 {
		t.Fatalf("%d messages", len(taken))
	}
	if got := taken[0]; got.From.Value != "+447700900555" || got.To.Value != "447700900123" || got.To.TON != 1 ||
		got.Body.Text != "Hello" || got.Origin.Type != message.SourceIMS || got.Origin.Link != "ims" {
		t.Errorf("message %+v", got)
	}
	p := c.parsed(report)
	if p.Type != translate.RPAckMT || p.Ref != 7 {
		t.Errorf("report %x", report.Body)
	}
	tp, err := translate.ParseTPDU(p.UserData, p.Type)
	if err != nil || tp.Type != translate.TPSubmitReport || tp.SCTS != scts(taken[0].ID) {
		t.Errorf("report %x: %v", p.UserData, err)
	}
	for name, want := range map[string]string{
		"In-Reply-To": "cb03a0s09a2sdfglkj490333", "Request-Disposition": "no-fork",
		"P-Asserted-Identity": "<sip:smsc.ims.example>", "Accept-Contact": "*;+g.3gpp.smsip;require;explicit",
		"Route": "<sip:" + c.Addr() + ";lr>", "Content-Type": typeRPDU,
	} {
		if got := report.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c.quiet(100 * time.Millisecond)

	m = fromPhone(octets(t, example))
	m.CallID = "cb03a0s09a2sdfglkj4903332"
	c.do(m)
	c.next()
	got := h.door.all()[1]
	if got.Wants != message.WantFinal || got.Origin.Handle != "85:"+m.CallID || got.Extra[extraDA] != "0c91447700901032" {
		t.Errorf("message %+v", got)
	}
}

func TestWhatAPhoneSendsIsRefusedByTheRightLayer(t *testing.T) {
	h, c := openCore(t, "")
	type want struct {
		status     int
		cause, fcs uint8 // cause 0: no report
	}
	for _, x := range []struct {
		name string
		m    PeerMessage
		want want
	}{
		{"empty body", fromPhone(nil), want{400, 0, 0}},
		{"one octet", fromPhone([]byte{0}), want{400, 0, 0}},
		{"too large", fromPhone(make([]byte, 1001)), want{413, 0, 0}},
		{"reserved type", fromPhone([]byte{7, 9}), want{202, 97, 0}},
		{"a type of ours", fromPhone([]byte{3, 9}), want{202, 97, 0}},
		{"lengths that do not fit", fromPhone(octets(t, "00 09 00 07 9144")), want{202, 96, 0}},
		{"no TPDU", fromPhone(octets(t, "00 09 00 07914477581006 50 00")), want{202, 96, 0}},
		{"UDL beyond the data", fromPhone(rpData(9, octets(t, "01 55 0c 91 447700901032 00 00 20 f734"))), want{202, 111, 0xFF}},
		{"UDHL beyond the data", fromPhone(rpData(9, octets(t, "41 55 0c 91 447700901032 00 04 02 09 00"))), want{202, 111, 0xFF}},
		{"a DELIVER", fromPhone(rpData(9, octets(t, "00 0c 91 447700901032 00 00 62111230512480 00"))), want{202, 111, 0xB0}},
		{"a COMMAND", fromPhone(rpData(9, octets(t, "02 55 00 00 00 0c 91 447700901032 00"))), want{202, 69, 0xA1}},
		{"compressed", fromPhone(submit(t, 9, "447700900123", "x", func(p *translate.TPDU) { p.DCS = 0x20 })), want{202, 69, 0x90}},
		{"validity of a reserved format", fromPhone(submit(t, 9, "447700900123", "x", func(p *translate.TPDU) {
			p.VP = translate.Validity{Format: translate.VPEnhanced, Octets: [7]byte{5}}
		})), want{202, 69, 0xC6}},
		{"no identity", PeerMessage{From: "+447700900555", To: "x", ContentType: typeRPDU, Body: submit(t, 9, "447700900123", "x", nil)}, want{403, 0, 0}},
		{"an IMSI that nobody registered", PeerMessage{To: "x", ContentType: typeRPDU, Body: submit(t, 9, "447700900123", "x", nil),
			Headers: []Field{{"P-Asserted-Identity", "<sip:234150999999999@ims.mnc015.mcc234.3gppnetwork.org>"}}}, want{202, 28, 0xC1}},
		{"another content", PeerMessage{To: "x", ContentType: "application/vnd.3gpp2.sms", Body: []byte("x"), Headers: []Field{{"P-Asserted-Identity", alice}}}, want{415, 0, 0}},
		{"an odd transfer encoding", fromPhone(submit(t, 9, "447700900123", "x", nil), Field{"Content-Transfer-Encoding", "quoted-printable"}), want{415, 0, 0}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c.t = t
			if a := c.do(x.m); a.Status != x.want.status {
				t.Fatalf("answer %d %s, want %d", a.Status, a.Reason, x.want.status)
			}
			if x.want.cause == 0 {
				c.quiet(20 * time.Millisecond)
				return
			}
			p := c.parsed(c.next())
			if p.Type != translate.RPErrorMT || p.Ref != 9 || p.Cause != x.want.cause || (p.UserData != nil) != (x.want.fcs != 0) {
				t.Fatalf("report %+v, want cause %d", p, x.want.cause)
			}
			if x.want.fcs == 0 {
				return
			}
			tp, err := translate.ParseTPDU(p.UserData, p.Type)
			if err != nil || tp.FCS != x.want.fcs {
				t.Errorf("TPDU %x: %v, want TP-FCS %x", p.UserData, err, x.want.fcs)
			}
		})
	}
	if n := len(h.door.all()); n != 0 {
		t.Errorf("%d messages taken", n)
	}
}

func TestTheDoorsNoIsAnRPError(t *testing.T) {
	h, c := openCore(t, "")
	for _, x := range []struct {
		err        error
		cause, fcs uint8
	}{
		{message.Errorf(message.UnknownNumber, "x"), 1, 0xC3}, {message.Errorf(message.Barred, "x"), 10, 0xC4},
		{message.Errorf(message.Unauthorised, "x"), 50, 0xC1}, {message.Errorf(message.NoCredit, "x"), 21, 0xFF},
		{message.Errorf(message.BadContent, "x"), 21, 0xFF}, {message.Errorf(message.TooLarge, "x"), 21, 0xFF},
		{message.Errorf(message.Throttled, "x"), 42, 0xC0}, {message.Errorf(message.Congested, "x"), 47, 0xC0},
		{message.Errorf(message.Internal, "x"), 38, 0xC2},
	} {
		h.door.says(func(*message.Message) error { return x.err })
		if a := c.do(fromPhone(submit(t, 3, "447700900123", "x", nil))); a.Status != 202 {
			t.Fatalf("%v: answer %d", x.err, a.Status)
		}
		p := c.parsed(c.next())
		tp, _ := translate.ParseTPDU(p.UserData, p.Type)
		if p.Cause != x.cause || tp.FCS != x.fcs {
			t.Errorf("%v: RP cause %d TP-FCS %x, want %d and %x", x.err, p.Cause, tp.FCS, x.cause, x.fcs)
		}
	}
}

func TestWhoSendsIsWhoTheCoreAsserts(t *testing.T) {
	h, c := openCore(t, "")
	for _, x := range []struct {
		name    string
		headers []Field
		from    string
	}{
		{"tel only", []Field{{"P-Asserted-Identity", "<tel:+447700900001>"}}, "+447700900001"},
		{"two headers", []Field{{"P-Asserted-Identity", "<sip:carol@ims.example>"}, {"P-Asserted-Identity", "<tel:+447700900002>"}}, "+447700900002"},
		{"without brackets", []Field{{"P-Asserted-Identity", "sip:+447700900003@ims.example"}}, "+447700900003"},
		{"tel before sip", []Field{{"P-Asserted-Identity", "<sip:+447700900009@ims.example>, <tel:+447700900004>"}}, "+447700900004"},
		{"user=phone before digits", []Field{{"P-Asserted-Identity", "<sip:0999@ims.example>, <sip:447700900005@ims.example;user=phone>"}}, "447700900005"},
		{"what a core notes about the caller", []Field{{"P-Asserted-Identity", `"Smith, J" <sip:+447700900007;verstat=TN-Validation-Passed@ims.example;user=phone>`}}, "+447700900007"},
		{"tel with parameters and separators", []Field{{"P-Asserted-Identity", "<tel:+44-7700-900008;cpc=ordinary;verstat=No-TN-Validation>"}}, "+447700900008"},
		{"served user", []Field{{"P-Served-User", "<sip:+447700900006@ims.example>;sescase=orig"}}, "+447700900006"},
	} {
		m := PeerMessage{From: "anonymous", To: "smsc", ContentType: typeRPDU, Body: submit(t, 1, "447700900123", x.name, nil), Headers: x.headers}
		if a := c.do(m); a.Status != 202 {
			t.Fatalf("%s: %d %s", x.name, a.Status, a.Reason)
		}
		c.next()
		all := h.door.all()
		if got := all[len(all)-1].From.Value; got != x.from {
			t.Errorf("%s: from %q, want %q", x.name, got, x.from)
		}
	}
}

func TestAReportGoesToTheIdentityAlone(t *testing.T) {
	_, c := openCore(t, "")
	for asserted, to := range map[string]string{
		"<sip:+447700900001;verstat=TN-Validation-Passed@ims.example;user=phone>": "sip:+447700900001@ims.example;user=phone",
		"<sip:+447700900002@ims.example:5070;user=phone;cpc=ordinary>":            "sip:+447700900002@ims.example:5070;user=phone",
		"<sip:+447700900003@ims.example;oli=0>":                                   "sip:+447700900003@ims.example",
		"<tel:+447700900004;npdi;rn=+447700;verstat=TN-Validation-Failed>":        "tel:+447700900004",
		"tel:+447700900005;verstat=No-TN-Validation":                              "tel:+447700900005",
		"<tel:7042;cpc=ordinary;phone-context=ims.example>":                       "tel:7042;phone-context=ims.example",
		"<sip:carol;verstat=x@ims.example>, <tel:+447700900006>":                  "sip:carol;verstat=x@ims.example",
	} {
		m := PeerMessage{From: "anonymous", To: "smsc", ContentType: typeRPDU, Body: submit(t, 1, "447700900123", asserted[:20], nil),
			Headers: []Field{{"P-Asserted-Identity", asserted}}}
		if a := c.do(m); a.Status != 202 {
			t.Fatalf("%s: %d %s", asserted, a.Status, a.Reason)
		}
		if report := c.next(); report.Get("To") != "<"+to+">" {
			t.Errorf("%s: the report goes to %q, want %q", asserted, report.Get("To"), to)
		}
	}
}

func TestARepeatIsNeverDoubled(t *testing.T) {
	h, c := openCore(t, "")
	first := submit(t, 7, "447700900123", "Hello", nil)
	m := fromPhone(first)
	m.CallID = "one"
	c.do(m)
	report := c.next()
	again := func(name string, m PeerMessage) {
		t.Helper()
		if a := c.do(m); a.Status != 202 {
			t.Fatalf("%s: answer %d", name, a.Status)
		}
		r := c.next()
		if string(r.Body[2:]) != string(report.Body[2:]) || r.Get("In-Reply-To") != m.CallID || r.Body[1] != m.Body[1] {
			t.Errorf("%s: report %x, first was %x", name, r.Body, report.Body)
		}
		if n := len(h.door.all()); n != 1 {
			t.Fatalf("%s: %d messages", name, n)
		}
	}
	again("same MESSAGE, new transaction", m)
	rp := fromPhone(first)
	rp.CallID = "two"
	again("the RP layer tries again", rp)
	rd := fromPhone(submit(t, 7, "447700900123", "Hello", func(p *translate.TPDU) { p.RejectDuplicate = true }))
	rd.Body[1], rd.CallID = 8, "three"
	again("the application tries again", rd)

	other := fromPhone(append([]byte(nil), first...))
	other.Body[1], other.CallID = 9, "four"
	c.do(other)
	if c.next(); len(h.door.all()) != 2 {
		t.Error("the same text on purpose, with TP-RD 0 and another reference, was taken for a repeat")
	}
}

func TestASilentPhoneHasOneReportAndOneMore(t *testing.T) {
	h, c := openCore(t, "")
	c.says(func(PeerMessage) PeerAnswer { return PeerAnswer{Status: 488} })
	c.do(fromPhone(submit(t, 7, "447700900123", "Hello", nil)))
	c.next()
	c.quiet(100 * time.Millisecond)
	if len(h.door.all()) != 1 {
		t.Error("not taken once")
	}
}
