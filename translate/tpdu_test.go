package translate

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/warthog618/sms/encoding/tpdu"

	"smsc/message"
)

func sender(value string) message.Address { return message.Address{Value: value} }

// TestEveryTPDUComesBack writes each type with all it can have, and reads it.
func TestEveryTPDUComesBack(t *testing.T) {
	da, err := NumberTPAddress("*123#abc", 3, 9)
	if err != nil {
		t.Fatal(err)
	}
	scts := Timestamp{0x62, 0x11, 0x12, 0x30, 0x51, 0x24, 0x80}
	for name, c := range map[string]struct {
		in RPType
		p  TPDU
	}{
		"DELIVER": {RPDataMT, TPDU{Type: TPDeliver, More: true, Loop: true, Report: true, ReplyPath: true, UDHI: true, PID: 1, DCS: 4, Address: da, SCTS: scts, UDL: 4, UD: []byte{2, 0x70, 0, 9}}},
		"SUBMIT":  {RPDataMO, TPDU{Type: TPSubmit, RejectDuplicate: true, Report: true, ReplyPath: true, MR: 7, PID: 2, DCS: 8, Address: da, VP: Validity{VPEnhanced, [7]byte{0x42, 9}}, UDL: 2, UD: []byte{0, 'A'}}},
		"COMMAND": {RPDataMO, TPDU{Type: TPCommand, Report: true, UDHI: true, MR: 7, PID: 2, CT: 3, MN: 4, Address: da, UDL: 2, UD: []byte{5, 6}}},
		"STATUS-REPORT": {RPDataMT, TPDU{Type: TPStatusReport, More: true, Loop: true, Report: true, MR: 9, Address: da, SCTS: scts, DT: scts, ST: 0x46,
			HasPI: true, PI: PIPID | PIDCS | PIUD, PID: 1, DCS: 4, UDL: 1, UD: []byte{8}}},
		"STATUS-REPORT with nothing more": {RPDataMT, TPDU{Type: TPStatusReport, MR: 9, Address: da, SCTS: scts, DT: scts}},
		"positive DELIVER-REPORT":         {RPAckMO, TPDU{Type: TPDeliverReport, HasPI: true, PI: PIPID | PIDCS | PIUD, PID: 0x7F, DCS: 4, UDHI: true, UDL: 3, UD: []byte{2, 0x70, 0}}},
		"negative DELIVER-REPORT":         {RPErrorMO, TPDU{Type: TPDeliverReport, HasPI: true, Negative: true, FCS: 0xD3}},
		"positive SUBMIT-REPORT":          {RPAckMT, TPDU{Type: TPSubmitReport, HasPI: true, SCTS: scts, PI: PIUD, UDL: 0, UD: []byte{}}},
		"negative SUBMIT-REPORT":          {RPErrorMT, TPDU{Type: TPSubmitReport, HasPI: true, Negative: true, FCS: 0xC3, SCTS: scts}},
	} {
		octets := AppendTPDU([]byte{0xEE}, &c.p)[1:]
		got, err := ParseTPDU(octets, c.in)
		if err != nil || !reflect.DeepEqual(got, c.p) {
			t.Errorf("%s: %x reads %+v, %v", name, octets, got, err)
		}
	}
	if TPDUType(9).String() != "SMS-?" || TPCommand.String() != "SMS-COMMAND" {
		t.Error("names of types")
	}
	if got := AppendTPDU(nil, &TPDU{Type: TPSubmit}); !bytes.Equal(got, []byte{1, 0, 0, 0x80, 0, 0, 0}) {
		t.Errorf("no address: %x", got)
	}
}

func TestTPDUsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		octets string
		in     RPType
		fcs    uint8
	}{
		"nothing":                              {"", RPDataMO, FCSUnspecified},
		"a DELIVER from a phone":               {"040c9144770009103200006211123051248000", RPDataMO, FCSTPDUNotSupported},
		"the reserved type from a phone":       {"03", RPDataMO, FCSTPDUNotSupported},
		"a SUBMIT to a phone":                  {"01010c914477000910320000", RPDataMT, FCSTPDUNotSupported},
		"anything in RP-SMMA":                  {"00", RPSMMA, FCSTPDUNotSupported},
		"a SUBMIT in RP-ACK":                   {"0100", RPAckMO, FCSTPDUNotSupported},
		"an address of 21 digits":              {"0101159144770009103244770009100000000000", RPDataMO, FCSUnspecified},
		"text beyond the octets":               {"010207d049a7f109000003e834", RPDataMO, FCSUnspecified},
		"a header without octets":              {"410207d049a7f109000000", RPDataMO, FCSUnspecified},
		"a header beyond the octets":           {"410207d049a7f10900000402ffee00", RPDataMO, FCSUnspecified},
		"an element beyond its header":         {"410207d049a7f1090004040224ee00", RPDataMO, FCSUnspecified},
		"more than 140 octets":                 {"010202812100048d" + strings.Repeat("00", 141), RPDataMO, FCSUnspecified},
		"a report without its TP-FCS and more": {"00", RPErrorMO, FCSUnspecified},
		"a parameter indicator without end":    {"0081", RPAckMO, FCSUnspecified},
		"a SUBMIT-REPORT without time":         {"0100621112", RPAckMT, FCSUnspecified},
		"a STATUS-REPORT whose text is cut":    {"0655029121621112305124806211123061208000040a41", RPDataMT, FCSUnspecified},
	} {
		_, err := ParseTPDU(unhex(t, c.octets), c.in)
		var e *RPError
		if !errors.As(err, &e) || e.Cause != RPProtocolError || e.FCS != c.fcs || message.CauseOf(err) != message.BadContent || message.TextOf(err) != e.Error() {
			t.Errorf("%s: %v %+v", name, err, e)
		}
	}
	// Text that nobody can read is refused for that, not for its length.
	p, err := ParseTPDU(unhex(t, "010202812100300fee"), RPDataMO)
	if err == nil {
		_, err = TPDUBody(&p)
	}
	if _, fcs := RPRefusal(err); fcs != FCSAlphabetNotSupported {
		t.Errorf("compressed text cut off: %v", err)
	}
	// A parameter indicator may go on; octets behind the end are left alone.
	got, err := ParseTPDU([]byte{0x00, 0x81, 0x80, 0x00, 0x2C, 0xEE}, RPAckMO)
	if err != nil || got.PI != PIPID || got.PID != 0x2C {
		t.Errorf("extended indicator: %+v, %v", got, err)
	}
}

func TestDataCodingSchemes(t *testing.T) {
	for _, c := range []struct {
		from, to uint8
		coding   message.Coding
		classed  bool
		keep     bool
		refused  bool
	}{
		{from: 0x00, to: 0x03, coding: message.GSM7},
		{from: 0x04, to: 0x07, coding: message.Octets},
		{from: 0x08, to: 0x0B, coding: message.UCS2},
		{from: 0x0C, to: 0x0F, coding: message.GSM7},
		{from: 0x10, to: 0x13, coding: message.GSM7, classed: true},
		{from: 0x14, to: 0x17, coding: message.Octets, classed: true},
		{from: 0x18, to: 0x1B, coding: message.UCS2, classed: true},
		{from: 0x1C, to: 0x3F, refused: true},
		{from: 0x40, to: 0x43, coding: message.GSM7, keep: true},
		{from: 0x44, to: 0x47, coding: message.Octets, keep: true},
		{from: 0x48, to: 0x4B, coding: message.UCS2, keep: true},
		{from: 0x4C, to: 0x4F, coding: message.GSM7, keep: true},
		{from: 0x50, to: 0x53, coding: message.GSM7, classed: true, keep: true},
		{from: 0x58, to: 0x5B, coding: message.UCS2, classed: true, keep: true},
		{from: 0x5C, to: 0x7F, refused: true},
		{from: 0x80, to: 0xBF, coding: message.GSM7},
		{from: 0xC0, to: 0xDF, coding: message.GSM7, keep: true},
		{from: 0xE0, to: 0xEF, coding: message.UCS2, keep: true},
		{from: 0xF0, to: 0xF3, coding: message.GSM7, classed: true},
		{from: 0xF4, to: 0xF7, coding: message.Octets, classed: true},
	} {
		for dcs := int(c.from); dcs <= int(c.to); dcs++ {
			p := TPDU{Type: TPSubmit, DCS: uint8(dcs), UDL: 2, UD: []byte{0x41, 0x21}}
			b, err := TPDUBody(&p)
			var e *RPError
			if c.refused {
				if !errors.As(err, &e) || e.Cause != RPFacilityNotImplemented || e.FCS != FCSAlphabetNotSupported {
					t.Errorf("%#x: %v", dcs, err)
				}
				continue
			}
			if err != nil || b.Coding != c.coding || (b.Class != message.ClassNone) != c.classed || b.HasDCS != c.keep {
				t.Errorf("%#x: %+v, %v", dcs, b, err)
			}
			if c.classed && b.Class != message.Class0+message.Class(dcs&3) {
				t.Errorf("%#x: class %v", dcs, b.Class)
			}
			if err := b.Validate(); err != nil {
				t.Errorf("%#x: %v", dcs, err)
			}
			again := p
			if err := BodyTPDU(&again, b); err != nil || c.keep && again.DCS != p.DCS || !bytes.Equal(again.UD, p.UD) || again.UDL != p.UDL {
				t.Errorf("%#x: written %+v, %v", dcs, again, err)
			}
		}
	}
}

func TestBodiesForPhones(t *testing.T) {
	part := func(k message.PartKind, udh ...byte) message.Body {
		return message.Body{Text: "hi", UDH: udh, Part: &message.Part{Kind: k, Ref: 0x1234, Total: 2, Seq: 1}}
	}
	for name, c := range map[string]struct {
		b    message.Body
		dcs  uint8
		udl  uint8
		ud   string
		fail message.Cause
	}{
		"text":                          {b: message.Body{Text: "hi"}, udl: 2, ud: "e834"},
		"flash text":                    {b: message.Body{Text: "hi", Class: message.Class0}, dcs: 0x10, udl: 2, ud: "e834"},
		"no text":                       {b: message.Body{}, ud: ""},
		"a header and no text":          {b: message.Body{UDH: []byte{5, 0, 3, 1, 2, 1}}, udl: 7, ud: "05000301020100"},
		"a header of seven octets":      {b: message.Body{Text: "hi", UDH: []byte{6, 8, 4, 0, 1, 2, 1}}, udl: 10, ud: "06080400010201e834"},
		"UCS2 of class 2":               {b: message.Body{Coding: message.UCS2, Text: "я", Class: message.Class2}, dcs: 0x1A, udl: 2, ud: "044f"},
		"octets":                        {b: message.Body{Coding: message.Octets, Data: []byte{0, 13, 10}}, dcs: 4, udl: 3, ud: "000d0a"},
		"octets nobody reads":           {b: message.Body{Coding: message.Opaque, Data: []byte{1}, DCS: 5, HasDCS: true}, dcs: 4, udl: 1, ud: "01"},
		"a waiting indication":          {b: message.Body{Text: "hi", DCS: 0xD8, HasDCS: true}, dcs: 0xD8, udl: 2, ud: "e834"},
		"an indication of another form": {b: message.Body{Coding: message.UCS2, Text: "я", DCS: 0xD8, HasDCS: true}, dcs: 8, udl: 2, ud: "044f"},
		"national tables":               {b: message.Body{Text: "ğ", UDH: []byte{3, 0x24, 1, 1}}, udl: 7, ud: "03240101d89c01"},
		"a part of SAR":                 {b: part(message.PartSAR), udl: 10, ud: "06080412340201e834"},
		"septets of half an escape":     {b: message.Body{Data: []byte{0x41, esc}}, udl: 2, ud: "c10d"},
		"text outside its alphabet":     {b: message.Body{Text: "я"}, fail: message.BadContent},
		"a broken header":               {b: message.Body{Text: "hi", UDH: []byte{9}}, fail: message.BadContent},
		"a part with a broken header":   {b: part(message.PartSAR, 9), fail: message.BadContent},
		"161 septets":                   {b: message.Body{Text: strings.Repeat("a", 161)}, fail: message.TooLarge},
		"71 units":                      {b: message.Body{Coding: message.UCS2, Text: strings.Repeat("я", 71)}, fail: message.TooLarge},
	} {
		var p TPDU
		err := BodyTPDU(&p, c.b)
		if c.fail != message.CauseNone {
			if message.CauseOf(err) != c.fail {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || p.DCS != c.dcs || p.UDL != c.udl || !bytes.Equal(p.UD, unhex(t, c.ud)) {
			t.Errorf("%s: %+v (%x), %v", name, p, p.UD, err)
		}
		p.Type = TPSubmit
		read, err := ParseTPDU(AppendTPDU(nil, &p), RPDataMO)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := TPDUBody(&read)
		if err != nil || b.Text != c.b.Text || b.Class != c.b.Class || !bytes.Equal(b.Data, c.b.Data) {
			t.Errorf("%s: read again %+v, %v", name, b, err)
		}
	}
}

func TestUCS2OfOddLength(t *testing.T) {
	p := TPDU{Type: TPDeliver, DCS: 8, UDL: 3, UD: []byte{0x04, 0x4F, 0x04}}
	if b, err := TPDUBody(&p); err != nil || b.Text != "я" || !p.OddUCS2() {
		t.Errorf("%+v, %v", b, err)
	}
	p = TPDU{Type: TPDeliver, DCS: 8, UDHI: true, UDL: 6, UD: []byte{3, 0x24, 1, 1, 0x04, 0x4F}}
	if b, err := TPDUBody(&p); err != nil || b.Text != "я" || p.OddUCS2() {
		t.Errorf("with a header: %+v, %v", b, err)
	}
	if p := (TPDU{UDL: 1, UD: []byte{1}}); p.OddUCS2() {
		t.Error("septets are never odd UCS2")
	}
	if _, err := TPDUBody(&TPDU{UDHI: true}); message.CauseOf(err) != message.BadContent {
		t.Errorf("no header: %v", err)
	}
	if _, err := TPDUBody(&TPDU{UDL: 9, UD: []byte{1}}); message.CauseOf(err) != message.BadContent {
		t.Errorf("no octets: %v", err)
	}
}

func TestMessagesForAndFromPhones(t *testing.T) {
	scts := Timestamp{0x62, 0x11, 0x12, 0x30, 0x51, 0x24, 0x80}
	d, err := DeliverOf(sender("+447700900123"), message.Body{Text: "Alert", Class: message.Class0}, scts)
	if got := AppendTPDU(nil, &d); err != nil || !bytes.Equal(got, unhex(t, "040c91447700091032001062111230512480054176594e07")) {
		t.Errorf("DELIVER %x, %v", got, err)
	}
	s, err := SubmitOf(0x55, sender("+447700900123"), message.Body{Text: "with report"})
	s.Report = true
	if got := AppendTPDU(nil, &s); err != nil || !bytes.Equal(got, unhex(t, "21550c9144770009103200000bf7341d0d9297e16f391d")) {
		t.Errorf("SUBMIT %x, %v", got, err)
	}
	for _, fcs := range []uint8{0, FCSInvalidAddress} {
		r := SubmitReportOf(scts, fcs)
		want := "010062111230512480"
		if fcs != 0 {
			want = "01c30062111230512480"
		}
		if got := AppendTPDU(nil, &r); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("SUBMIT-REPORT %x", got)
		}
	}
	sr := StatusReportOf(0x55, s.Address, scts, Timestamp{0x62, 0x11, 0x12, 0x30, 0x61, 0x20, 0x80}, 0)
	if got := AppendTPDU(nil, &sr); !bytes.Equal(got, unhex(t, "06550c91447700091032621112305124806211123061208000")) {
		t.Errorf("STATUS-REPORT %x", got)
	}
	if _, err := DeliverOf(sender("Привет"), message.Body{}, scts); message.CauseOf(err) != message.BadContent {
		t.Errorf("a sender in Cyrillic: %v", err)
	}
	if _, err := SubmitOf(0, sender("+"+strings.Repeat("1", 21)), message.Body{}); message.CauseOf(err) != message.UnknownNumber {
		t.Errorf("a long number: %v", err)
	}
}

// TestTheLibraryReadsWhatWeWrite asks warthog618/sms for a second opinion.
func TestTheLibraryReadsWhatWeWrite(t *testing.T) {
	for _, b := range []message.Body{
		{Text: "hello {world} €"}, {Coding: message.UCS2, Text: "Привет 😁"}, {Coding: message.Octets, Data: []byte{0, 1, 2, 255}},
		{Text: "part", UDH: []byte{5, 0, 3, 7, 2, 1}}, {Text: strings.Repeat("x", 160), Class: message.Class1},
		{Text: "", UDH: []byte{5, 0, 3, 7, 2, 1}},
	} {
		s, err := SubmitOf(9, sender("+447700900123"), b)
		if err != nil {
			t.Fatal(err)
		}
		s.VP = RelativeValidity(day)
		octets := AppendTPDU(nil, &s)
		theirs := tpdu.TPDU{Direction: tpdu.MO}
		if err := theirs.UnmarshalBinary(octets); err != nil {
			t.Fatalf("%x: %v", octets, err)
		}
		if !bytes.Equal(theirs.UD, UserData(b)) || theirs.DA.Number() != "+447700900123" || theirs.VP.Duration != day {
			t.Errorf("%x: theirs %+v", octets, theirs)
		}
		if len(theirs.UD) == 0 {
			continue // theirs leaves the fill bits out, tshark misses them
		}
		if again, err := theirs.MarshalBinary(); err != nil || !bytes.Equal(again, octets) {
			t.Errorf("theirs writes %x, %v, ours %x", again, err, octets)
		}
	}
}

func FuzzParseTPDU(f *testing.F) {
	for _, v := range readVectors(f, ownVectors) {
		octets := unhex(f, v.Hex)
		if v.Kind == "rpdu" {
			p, _ := ParseRPDU(octets)
			f.Add(p.UserData, uint8(p.Type))
		} else {
			f.Add(octets, uint8(v.carrier()))
		}
	}
	f.Fuzz(func(t *testing.T, octets []byte, in uint8) {
		p, err := ParseTPDU(octets, RPType(in%uint8(rpReserved)))
		if err != nil {
			var e *RPError
			if !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
			return
		}
		_ = p.Address.Text()
		_, _ = p.SCTS.Time()
		written := AppendTPDU(nil, &p)
		again, err := ParseTPDU(written, RPType(in%uint8(rpReserved)))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%x written %x reads %+v, %v, want %+v", octets, written, again, err, p)
		}
		b, err := TPDUBody(&p)
		if err != nil || p.Type != TPSubmit && p.Type != TPDeliver {
			return
		}
		var q TPDU
		if err := BodyTPDU(&q, b); err != nil {
			t.Fatalf("%+v: %v", b, err)
		}
		back, err := TPDUBody(&q)
		if b.HasDCS = back.HasDCS; err != nil || back.Text != b.Text || !bytes.Equal(back.Data, b.Data) || back.Class != b.Class {
			t.Fatalf("%+v written %+v reads %+v, %v", b, q, back, err)
		}
	})
}

func BenchmarkParseTPDU(b *testing.B) {
	octets := unhex(b, "01010c914477000910320000a0"+strings.Repeat("b0986c46abd96eb81c2c269bd16ab61b2e078bc966", 7)[:280])
	b.ReportAllocs()
	for b.Loop() {
		p, err := ParseTPDU(octets, RPDataMO)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := TPDUBody(&p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeliverOf(b *testing.B) {
	from, body := sender("+447700900123"), message.Body{Text: strings.Repeat("0123456789", 16)}
	dst := make([]byte, 0, 200)
	b.ReportAllocs()
	for b.Loop() {
		p, err := DeliverOf(from, body, Timestamp{})
		if err != nil {
			b.Fatal(err)
		}
		dst = AppendTPDU(dst[:0], &p)
	}
}
