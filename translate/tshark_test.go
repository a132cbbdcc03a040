package translate

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/testdata/pcap"
)

// capture is RPDUs for tshark, and what it should say about them.
type capture struct {
	pcap.Capture
	sent []captured
}

// captured is one RPDU of a capture.
type captured struct {
	name   string
	octets []byte
	rp     RPType
	text   string // "" where there is none, or none that the dissector shows
}

func (c *capture) add(name string, octets []byte, rp RPType, text string) {
	c.sent = append(c.sent, captured{name, octets, rp, text})
	c.AddRPDU(octets)
}

// tpdu adds a TPDU in the RPDU that carries it.
func (c *capture) tpdu(name string, p TPDU, in RPType, text string) {
	r := RPDU{Type: in, Ref: uint8(len(c.sent)), UserData: AppendTPDU(nil, &p)}
	switch in {
	case RPDataMO:
		r.DA, _ = RPAddressOf("+447785016005")
	case RPDataMT:
		r.OA, _ = RPAddressOf("+447785016005")
	case RPErrorMO:
		r.Cause = RPProtocolError
	case RPErrorMT:
		r.Cause = RPTransferRejected
	}
	c.add(name, AppendRPDU(nil, r), in, text)
}

// corpusBodies are bodies in all alphabets, groups and headers, by name.
func corpusBodies(t *testing.T) map[string]message.Body {
	t.Helper()
	concat8, concat16, ports := []byte{5, 0, 3, 7, 2, 1}, []byte{6, 8, 4, 1, 7, 2, 1}, []byte{6, 5, 4, 0x12, 0x34, 0x12, 0x35}
	all := map[string]message.Body{
		"nothing":                {},
		"one septet":             {Text: "x"},
		"seven septets":          {Text: "1234567"},
		"eight septets":          {Text: "1234567@"},
		"160 septets":            {Text: strings.Repeat("0123456789", 16)},
		"the default alphabet":   {Text: "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà"},
		"the extension table":    {Text: "^{}\\[~]|€"},
		"octets":                 {Coding: message.Octets, Data: []byte{0, 1, 0x0a, 0x0d, 0xff}},
		"140 octets":             {Coding: message.Octets, Data: bytes.Repeat([]byte{0xa5}, 140)},
		"UCS2":                   {Coding: message.UCS2, Text: "Привет, 世界"},
		"UCS2 with a pair":       {Coding: message.UCS2, Text: "ok 😁"},
		"70 units":               {Coding: message.UCS2, Text: strings.Repeat("ж", 70)},
		"a first part of two":    {Text: strings.Repeat("a", 153), UDH: concat8},
		"a part, 16-bit":         {Text: strings.Repeat("b", 152), UDH: concat16},
		"a part of one septet":   {Text: "c", UDH: concat8},
		"a part in UCS2":         {Coding: message.UCS2, Text: strings.Repeat("щ", 67), UDH: concat8},
		"octets with ports":      {Coding: message.Octets, Data: []byte("push"), UDH: ports},
		"a header alone":         {UDH: concat8},
		"a waiting indication":   {Text: "5 voice mails", DCS: 0xD8, HasDCS: true},
		"one that is discarded":  {Text: "voice mail", DCS: 0xC8, HasDCS: true},
		"one in UCS2":            {Coding: message.UCS2, Text: "почта", DCS: 0xE8, HasDCS: true},
		"delete after reading":   {Text: "burn", DCS: 0x40, HasDCS: true},
		"an indication in a UDH": {Text: "mail", UDH: []byte{4, 1, 2, 0x80, 5}},
	}
	for class := message.Class0; class <= message.Class3; class++ {
		n := class - message.Class0
		all[fmt.Sprint("text of class ", n)] = message.Body{Text: "class", Class: class}
		all[fmt.Sprint("octets of class ", n)] = message.Body{Coding: message.Octets, Data: []byte{9}, Class: class}
		all[fmt.Sprint("UCS2 of class ", n)] = message.Body{Coding: message.UCS2, Text: "ю", Class: class}
	}
	for l := Turkish; l < languages; l++ {
		for _, s := range []Shift{{Single: l}, {Locking: l}, {Locking: l, Single: l}} {
			if s.Locking != 0 && !l.hasLocking() {
				continue
			}
			udh, err := AppendShift(nil, s)
			if err != nil {
				t.Fatal(err)
			}
			all[fmt.Sprintf("%v, locking %d, single %d", l, s.Locking, s.Single)] = message.Body{Text: s.Decode(lettersOf(s)), UDH: udh}
		}
	}
	return all
}

// lettersOf are septets of both tables: all that stand for a character.
func lettersOf(s Shift) (septets []byte) {
	for c := byte(0); c < 128; c += 3 {
		if c == 0x1B {
			continue
		}
		if got, _, ok := s.Encode(nil, s.Decode([]byte{c})); ok && bytes.Equal(got, []byte{c}) {
			septets = append(septets, c)
		}
		if pair := []byte{0x1B, c}; c%2 == 0 {
			if got, _, ok := s.Encode(nil, s.Decode(pair)); ok && bytes.Equal(got, pair) {
				septets = append(septets, pair...)
			}
		}
	}
	return septets
}

// shown is the text that the dissector shows: none of octets, and it does not
// know the national tables.
func shown(b message.Body) string {
	if b.Coding == message.Octets || UDH(b.UDH).Shift() != (Shift{}) {
		return ""
	}
	return b.Text
}

// addTexts adds a SUBMIT and a DELIVER of each body, with validity periods and
// addresses in turn. Of the enhanced periods the form with one octet is left
// out: tshark 4.0 reads that octet as TP-UDL too.
func (c *capture) addTexts(t *testing.T, scts Timestamp) {
	t.Helper()
	periods := []Validity{{}, RelativeValidity(0), RelativeValidity(day), RelativeValidity(63 * 7 * day), {VPAbsolute, scts},
		EnhancedValidity(30*time.Second, true), EnhancedValidity(time.Hour+time.Second, false), EnhancedValidity(-1, false)}
	addresses := []string{"+447700900123", "12345", "Shop", "ABCDEFG", "+4477009001234", "ElevenChars"}
	i := 0
	for name, b := range corpusBodies(t) {
		for range 3 {
			i++
			s, err := SubmitOf(uint8(i), sender(addresses[i%len(addresses)]), b)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s.VP = periods[i%len(periods)]
			s.Report, s.RejectDuplicate, s.ReplyPath = i%2 == 0, i%3 == 0, i%5 == 0
			c.tpdu("SUBMIT of "+name, s, RPDataMO, shown(b))
			d, err := DeliverOf(sender(addresses[(i+1)%len(addresses)]), b, scts)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			d.More, d.ReplyPath, d.PID = i%2 == 0, i%3 == 0, []uint8{0, 0x41, 0x7F}[i%3]
			c.tpdu("DELIVER of "+name, d, RPDataMT, shown(b))
		}
	}
}

// addReports adds every report that we write, and what stands in an RPDU
// without TPDU.
func (c *capture) addReports(t *testing.T, scts Timestamp) {
	t.Helper()
	ra, err := NumberTPAddress("447700900123", tonInternational, npiISDN)
	if err != nil {
		t.Fatal(err)
	}
	c.tpdu("SUBMIT-REPORT", SubmitReportOf(scts, 0), RPAckMT, "")
	c.tpdu("DELIVER-REPORT", TPDU{Type: TPDeliverReport, HasPI: true}, RPAckMO, "")
	c.tpdu("DELIVER-REPORT with data", TPDU{Type: TPDeliverReport, HasPI: true, PI: PIPID | PIDCS | PIUD, DCS: tpOctets, UDL: 2, UD: []byte{1, 2}}, RPAckMO, "")
	for _, fcs := range []uint8{FCSAlphabetNotSupported, FCSTPDUNotSupported, FCSBusy, FCSNoSubscription, FCSSystemFailure,
		FCSInvalidAddress, FCSDestinationBarred, FCSDuplicate, FCSVPFNotSupported, FCSVPNotSupported, FCSUnspecified} {
		c.tpdu(fmt.Sprintf("SUBMIT-REPORT %#x", fcs), SubmitReportOf(scts, fcs), RPErrorMT, "")
	}
	for _, fcs := range []uint8{FCSSIMStorageFull, FCSMemoryExceeded, FCSSIMToolkitBusy, FCSErrorInMS} {
		c.tpdu(fmt.Sprintf("DELIVER-REPORT %#x", fcs), TPDU{Type: TPDeliverReport, HasPI: true, Negative: true, FCS: fcs}, RPErrorMO, "")
	}
	for _, st := range []uint8{stReceived, stForwarded, stError, stIncompatible, stRejected, stNotObtained, stExpired, stDeletedBySME,
		stDeletedBySC, stUnknown, stCongestion, stNoResponse, stSMEError} {
		c.tpdu(fmt.Sprintf("STATUS-REPORT %#x", st), StatusReportOf(9, ra, scts, scts, st), RPDataMT, "")
	}
	c.tpdu("COMMAND", TPDU{Type: TPCommand, MR: 3, CT: 1, MN: 9, Address: ra, Report: true}, RPDataMO, "")
	for _, cause := range []uint8{1, 8, 10, 21, 28, 30, 38, 41, 42, 47, 50, 69, 95, 96, 97, 111} {
		c.add(fmt.Sprint("RP-ERROR ", cause), AppendRPDU(nil, RPDU{Type: RPErrorMT, Ref: 5, Cause: cause}), RPErrorMT, "")
	}
	c.add("bare RP-ACK", AppendRPDU(nil, RPDU{Type: RPAckMT, Ref: 5}), RPAckMT, "")
	c.add("RP-SMMA", AppendRPDU(nil, RPDU{Type: RPSMMA, Ref: 5}), RPSMMA, "")
}

// addVectors adds the vectors as we write them again.
func (c *capture) addVectors(t *testing.T) {
	t.Helper()
	for _, v := range readVectors(t, ownVectors) {
		switch v.Kind {
		case "rpdu":
			if p, err := ParseRPDU(unhex(t, v.Hex)); err == nil {
				c.add(v.Name, AppendRPDU(nil, p), p.Type, "")
			}
		case "tpdu":
			if p, err := ParseTPDU(unhex(t, v.Hex), v.carrier()); err == nil && p.VP != oneOctet {
				c.tpdu(v.Name, p, v.carrier(), "")
			}
		}
	}
}

// oneOctet is the enhanced period in the vectors that tshark misreads.
var oneOctet = Validity{VPEnhanced, [7]byte{enhancedSingle | enhancedOctet, 0xA7}}

// TestTsharkReadsEverythingWeWrite has a dissector that is not ours look at
// every kind of RPDU and TPDU: it warns of nothing and reads the same text.
func TestTsharkReadsEverythingWeWrite(t *testing.T) {
	if !pcap.Installed() {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is missing: `make peers` installs it")
		}
		t.Skip("tshark is missing: `make peers` installs it")
	}
	scts := TimestampOf(time.Date(2026, 11, 21, 3, 15, 42, 0, time.FixedZone("", 2*3600)))
	c := &capture{}
	c.addVectors(t)
	c.addTexts(t, scts)
	c.addReports(t, scts)
	all := c.ShortMessages(t)
	if len(all) != len(c.sent) {
		t.Fatalf("tshark reads %d of %d packets", len(all), len(c.sent))
	}
	for i, d := range all {
		s := c.sent[i]
		if d.Type != fmt.Sprintf("0x%02x", uint8(s.rp)) {
			t.Errorf("%s: type %q, want %d", s.name, d.Type, s.rp)
		}
		if d.Notes != nil {
			t.Errorf("%s: tshark says %q: %x", s.name, d.Notes, s.octets)
		}
		if s.text != "" && d.Text != s.text {
			t.Errorf("%s: tshark reads %q, want %q: %x", s.name, d.Text, s.text, s.octets)
		}
	}
	t.Log(len(all), "RPDUs read")
}
