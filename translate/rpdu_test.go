package translate

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"smsc/message"
)

func TestEveryRPDUComesBack(t *testing.T) {
	sc, _ := RPAddressOf("+15550000000")
	for name, c := range map[string]struct {
		p    RPDU
		want string
	}{
		"RP-DATA from a phone":             {RPDU{Type: RPDataMO, Ref: 7, DA: sc, UserData: []byte{1, 2}}, "0007000791515500 0000f0020102"},
		"RP-DATA to a phone":               {RPDU{Type: RPDataMT, Ref: 255, OA: sc, UserData: []byte{4}}, "01ff079151550000 00f0000104"},
		"RP-ACK with a report":             {RPDU{Type: RPAckMT, Ref: 7, UserData: []byte{1, 0}}, "030741020100"},
		"RP-ACK alone":                     {RPDU{Type: RPAckMO, Ref: 7}, "0207"},
		"RP-ACK with an empty report":      {RPDU{Type: RPAckMO, Ref: 7, UserData: []byte{}}, "02074100"},
		"RP-ERROR alone":                   {RPDU{Type: RPErrorMT, Ref: 7, Cause: 97, Diagnostic: []byte{}}, "05070161"},
		"RP-ERROR with all that it can be": {RPDU{Type: RPErrorMO, Ref: 7, Cause: 22, Diagnostic: []byte{3}, UserData: []byte{0, 0xD3, 0}}, "04070216034103 00d300"},
		"RP-SMMA":                          {RPDU{Type: RPSMMA, Ref: 9}, "0609"},
	} {
		got := AppendRPDU([]byte{0xEE}, c.p)[1:]
		if want := unhex(t, string(bytes.ReplaceAll([]byte(c.want), []byte(" "), nil))); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", name, got, want)
		}
		if back, err := ParseRPDU(got); err != nil || !reflect.DeepEqual(back, c.p) {
			t.Errorf("%s: read again %+v, %v", name, back, err)
		}
	}
	if !RPAckMO.FromPhone() || RPAckMT.FromPhone() || RPType(7).String() != "RP-?" {
		t.Error("directions and names")
	}
	for _, p := range []RPDU{{Type: RPDataMT, UserData: make([]byte, 234)}, {Type: RPAckMT, UserData: make([]byte, 233)}} {
		if got := AppendRPDU(nil, p); len(got) > 5 {
			t.Errorf("%v with %d octets: %x", p.Type, len(p.UserData), got)
		}
	}
}

func TestRPDUsReadLeniently(t *testing.T) {
	for name, c := range map[string]struct {
		octets string
		user   string
		none   bool
		cause  uint8
	}{
		"a report without its identifier":     {octets: "02070200 00", user: "0000"},
		"an empty report":                     {octets: "02a94100", user: ""},
		"an unknown element of one octet":     {octets: "0207a041020000", user: "0000"},
		"an unknown element with a length":    {octets: "020778020102 410103", user: "03"},
		"a stray octet behind the cause":      {octets: "04a9012900", none: true, cause: 41},
		"a stray element behind the cause":    {octets: "04a90129 70ff", none: true, cause: 41},
		"no cause in the element":             {octets: "050100", none: true, cause: 111},
		"the extension bit of the cause":      {octets: "040a0196", none: true, cause: 22},
		"octets behind the report":            {octets: "020741020000ee", user: "0000"},
		"spare bits of the type":              {octets: "fa07", none: true},
		"an address of the sender in RP-DATA": {octets: "0001 0391 21f3 0291 21 01 01", user: "01"},
		"no address at all in RP-DATA":        {octets: "00010000 0101", user: "01"},
	} {
		octets := unhex(t, string(bytes.ReplaceAll([]byte(c.octets), []byte(" "), nil)))
		p, err := ParseRPDU(octets)
		if err != nil || !bytes.Equal(p.UserData, unhex(t, c.user)) || (p.UserData == nil) != c.none || p.Cause != c.cause {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestRPDUsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		octets string
		cause  uint8
	}{
		"nothing":                            {"", RPInvalidMandatory},
		"a type without reference":           {"00", RPInvalidMandatory},
		"the reserved type":                  {"0701", RPTypeNotImplemented},
		"RP-DATA cut in its first address":   {"00010391", RPInvalidMandatory},
		"RP-DATA cut in its second address":  {"0001000291", RPInvalidMandatory},
		"RP-DATA without user data":          {"00010000", RPInvalidMandatory},
		"RP-DATA with empty user data":       {"0001000000", RPInvalidMandatory},
		"RP-DATA with less than it says":     {"0001000002ff", RPInvalidMandatory},
		"RP-DATA with octets left":           {"0001000001ffff", RPInvalidMandatory},
		"an address that is too long":        {"0001000c919999999999999999999999 0101", RPSemanticallyIncorrect},
		"RP-ERROR without cause":             {"0401", RPInvalidMandatory},
		"RP-ERROR whose cause is cut":        {"040102", RPInvalidMandatory},
		"RP-ACK whose report is cut":         {"02014105ff", RPInvalidMandatory},
		"RP-ACK whose report has no length":  {"020141", RPInvalidMandatory},
		"RP-DATA with 234 octets of a phone": {"00010000ea" + string(bytes.Repeat([]byte("00"), 234)), RPInvalidMandatory},
	} {
		octets := unhex(t, string(bytes.ReplaceAll([]byte(c.octets), []byte(" "), nil)))
		p, err := ParseRPDU(octets)
		var e *RPError
		if !errors.As(err, &e) || e.Cause != c.cause || e.FCS != 0 || message.CauseOf(err) != message.BadContent {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if len(octets) > 1 && p.Ref != octets[1] {
			t.Errorf("%s: reference %d", name, p.Ref)
		}
	}
}

// TestRefusalsOfThePage holds the table of spec ims §3.3.
func TestRefusalsOfThePage(t *testing.T) {
	for _, c := range []struct {
		err        error
		cause, fcs uint8
	}{
		{message.Errorf(message.UnknownNumber, ""), 1, 0xC3},
		{message.Errorf(message.Barred, ""), 10, 0xC4},
		{message.Errorf(message.Unauthorised, ""), 50, 0xC1},
		{message.Errorf(message.BadContent, ""), 21, 0xFF},
		{refusal(RPFacilityNotImplemented, FCSAlphabetNotSupported, ""), 69, 0x90},
		{message.Errorf(message.NoCredit, ""), 21, 0xFF},
		{message.Errorf(message.TooLarge, ""), 21, 0xFF},
		{message.Errorf(message.Throttled, ""), 42, 0xC0},
		{message.Errorf(message.Congested, ""), 47, 0xC0},
		{message.Errorf(message.Timeout, ""), 41, 0xC2},
		{message.Errorf(message.Internal, ""), 38, 0xC2},
		{errors.New("anything"), 38, 0xC2},
		{message.Errorf(message.Absent, ""), 38, 0xC2}, // cannot happen at the door
		{invalidRP(), 96, 0},
		{cutOff(), 111, 0xFF},
	} {
		if cause, fcs := RPRefusal(c.err); cause != c.cause || fcs != c.fcs {
			t.Errorf("%v: %d %#x, want %d %#x", c.err, cause, fcs, c.cause, c.fcs)
		}
	}
	if RPCause(message.BadContent) != 69 || FailureCause(message.BadContent) != 0x90 {
		t.Error("an alphabet that nobody reads is 69 with 90")
	}
}

// TestErrorsOfPhones holds the table of spec ims §4.4.
func TestErrorsOfPhones(t *testing.T) {
	for _, c := range []struct {
		cause, fcs uint8
		result     message.Result
		why        message.Cause
		after      time.Duration
	}{
		{22, 0, message.Deferred, message.MemoryFull, 0},
		{22 | extensionBit, 0, message.Deferred, message.MemoryFull, 0},
		{111, FCSSIMStorageFull, message.Deferred, message.MemoryFull, 0},
		{111, FCSNoSIMStorage, message.Deferred, message.MemoryFull, 0},
		{41, FCSMemoryExceeded, message.Deferred, message.MemoryFull, 0},
		{98, 0, message.Deferred, message.Throttled, busyAgain},
		{111, FCSSIMToolkitBusy, message.Deferred, message.Throttled, busyAgain},
		{81, 0, message.Deferred, message.Internal, busyAgain},
		{95, 0, message.Refused, message.BadContent, 0},
		{111, FCSErrorInMS, message.Refused, message.BadContent, 0},
		{111, FCSUnspecified, message.Refused, message.BadContent, 0},
		{0, 0, message.Refused, message.BadContent, 0},
	} {
		o := OutcomeOfRPError(c.cause, c.fcs)
		if o.Result != c.result || o.Cause != c.why || o.After != c.after || o.Detail == "" {
			t.Errorf("%d %#x: %+v", c.cause, c.fcs, o)
		}
	}
	if got := OutcomeOfRPError(22, 0xD3).Detail; got != "RP-ERROR 22 TP-FCS d3" {
		t.Errorf("detail %q", got)
	}
}

// TestStatusOfThePage holds the table of spec ims §5.1, both ways.
func TestStatusOfThePage(t *testing.T) {
	failed := func(c message.Cause, word string) message.About {
		return message.About{Phase: message.Failed, Cause: c, Word: word}
	}
	for _, c := range []struct {
		about message.About
		st    uint8
		back  message.Result
	}{
		{message.About{Phase: message.Done}, 0x00, message.Delivered},
		{message.About{Phase: message.Done, Word: StatAccepted}, 0x01, message.Delivered},
		{message.About{Phase: message.Expired}, 0x46, message.Refused},
		{message.About{Phase: message.Expired, Word: StatUnknown}, 0x49, message.Refused},
		{message.About{Phase: message.Expired, Word: StatAccepted}, 0x01, message.Delivered},
		{message.About{Phase: message.Cancelled}, 0x47, message.Refused},
		{message.About{Phase: message.Dropped}, 0x42, message.Refused},
		{message.About{Phase: message.Dropped, Word: StatDelivered}, 0x00, message.Delivered},
		{failed(message.UnknownNumber, ""), 0x43, message.Refused},
		{failed(message.Barred, ""), 0x42, message.Refused},
		{failed(message.NoCredit, ""), 0x42, message.Refused},
		{failed(message.Internal, StatRejected), 0x42, message.Refused},
		{failed(message.BadContent, ""), 0x41, message.Refused},
		{failed(message.TooLarge, ""), 0x41, message.Refused},
		{failed(message.Internal, ""), 0x40, message.Refused},
		{failed(message.CauseNone, StatUndeliv), 0x40, message.Refused},
		{failed(message.Absent, ""), 0x62, message.Refused},
		{failed(message.Timeout, ""), 0x62, message.Refused},
		{failed(message.MemoryFull, ""), 0x65, message.Refused},
		{failed(message.Throttled, ""), 0x60, message.Refused},
		{failed(message.Congested, ""), 0x60, message.Refused},
		{failed(message.TimeExpired, ""), 0x46, message.Refused},
	} {
		st, final := TPStatus(&c.about)
		if st != c.st || !final {
			t.Errorf("%+v: %#x, %v", c.about, st, final)
		}
		if o := OutcomeOfTPStatus(st); o.Result != c.back || (o.Cause == message.CauseNone) != (c.back == message.Delivered) {
			t.Errorf("%#x means %+v", st, o)
		}
	}
	if _, final := TPStatus(&message.About{Phase: message.Waiting}); final {
		t.Error("a message that waits has an end")
	}
	for st := 0; st < 256; st++ {
		o := OutcomeOfTPStatus(uint8(st))
		want := message.Refused
		switch {
		case st < 0x20:
			want = message.Delivered
		case st < 0x40:
			want = message.Relayed
		}
		if o.Result != want || o.Word == "" || (want == message.Refused) != (o.Cause != message.CauseNone) {
			t.Errorf("%#x: %+v", st, o)
		}
	}
	for st, want := range map[uint8]message.Cause{
		0x40: message.Internal, 0x41: message.BadContent, 0x42: message.Barred, 0x43: message.UnknownNumber, 0x46: message.TimeExpired,
		0x47: message.Barred, 0x48: message.Barred, 0x49: message.Internal, 0x60: message.Congested, 0x61: message.Throttled,
		0x62: message.Absent, 0x63: message.Barred, 0x65: message.MemoryFull, 0xFF: message.Barred,
	} {
		if o := OutcomeOfTPStatus(st); o.Cause != want {
			t.Errorf("%#x: %v, want %v", st, o.Cause, want)
		}
	}
}

func FuzzParseRPDU(f *testing.F) {
	for _, v := range readVectors(f, ownVectors) {
		if v.Kind == "rpdu" {
			f.Add(unhex(f, v.Hex))
		}
	}
	f.Add([]byte{2, 7, 0x78, 1, 2, 0x41, 1, 3})
	f.Add([]byte{2, 7, 2, 0, 0})
	f.Fuzz(func(t *testing.T, octets []byte) {
		p, err := ParseRPDU(octets)
		if err != nil {
			var e *RPError
			if !errors.As(err, &e) || e.FCS != 0 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if len(p.UserData) > MaxRPReport && p.Type > RPDataMT {
			return // more than AppendRPDU writes
		}
		written := AppendRPDU(nil, p)
		again, err := ParseRPDU(written)
		if p.Diagnostic == nil {
			again.Diagnostic = nil // of a cause that was missing
		}
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%x written %x reads %+v, %v, want %+v", octets, written, again, err, p)
		}
	})
}

func BenchmarkParseRPDU(b *testing.B) {
	octets := unhex(b, "00070007914477581006501721550c9144770009103200000bf7341d0d9297e16f391d")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRPDU(octets); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRPDU(b *testing.B) {
	p, _ := ParseRPDU(unhex(b, "00070007914477581006501721550c9144770009103200000bf7341d0d9297e16f391d"))
	dst := make([]byte, 0, 250)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendRPDU(dst[:0], p)
	}
}
