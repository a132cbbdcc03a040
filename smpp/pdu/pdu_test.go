package pdu

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	home = Address{TON: 1, NPI: 1, Addr: []byte("15551230001")}
	shop = Address{TON: 5, NPI: 0, Addr: []byte("Shop")}
	tlvs = TLVs(nil).AddUint16(TagUserMessageReference, 7).AddUint8(TagMoreMessagesToSend, 1).
		Add(0x1400, []byte("vendor")).Add(0x1400, nil)
)

// every holds one filled PDU for each body there is.
func every() []PDU {
	empty := TLVs{}
	return []PDU{
		&Bind{Cmd: BindTransceiver, SystemID: []byte("esme1"), Password: []byte("pw1"), SystemType: []byte("VMS"),
			InterfaceVersion: 0x34, AddrTON: 1, AddrNPI: 1, AddressRange: []byte("^1555"), TLVs: empty},
		&BindResp{Cmd: BindTransmitterResp, SystemID: []byte("smsc1"), TLVs: TLVs(nil).AddUint8(TagScInterfaceVersion, 0x34)},
		&OutbindBody{SystemID: []byte("smsc1"), Password: []byte("pw"), TLVs: empty},
		&SM{Cmd: SubmitSM, ServiceType: []byte("CMT"), Source: shop, Dest: home, ESMClass: 0x40, ProtocolID: 1, Priority: 2,
			Schedule: []byte("000000010000000R"), Validity: []byte("261231235959000+"), RegisteredDelivery: 1,
			ReplaceIfPresent: 1, DataCoding: 8, DefaultMsgID: 3, ShortMessage: []byte{5, 0, 3, 1, 2, 1, 0, 'h'}, TLVs: tlvs},
		&SM{Cmd: DeliverSM, ServiceType: []byte{}, Source: home, Dest: shop, ESMClass: 4, Schedule: []byte{}, Validity: []byte{},
			ShortMessage: []byte("id:1 stat:DELIVRD"), TLVs: empty},
		&SMResp{Cmd: SubmitSMResp, MessageID: []byte("905969664"), TLVs: empty},
		&SMResp{Cmd: DataSMResp, MessageID: []byte("1"), TLVs: TLVs(nil).AddText(TagAdditionalStatusInfoText, "no")},
		&Data{ServiceType: []byte{}, Source: home, Dest: shop, ESMClass: 2, RegisteredDelivery: 1, DataCoding: 4,
			TLVs: TLVs(nil).Add(TagMessagePayload, bytes.Repeat([]byte("x"), 3000))},
		&Multi{ServiceType: []byte{}, Source: shop, Dests: []Dest{{Address: home}, {List: []byte("staff")}}, Schedule: []byte{},
			Validity: []byte{}, ShortMessage: []byte("hi"), TLVs: tlvs},
		&MultiResp{MessageID: []byte("12"), Unsuccess: []Unsuccess{{home, RInvDstAdr}}, TLVs: empty},
		&Query{MessageID: []byte("12"), Source: home, TLVs: empty},
		&QueryResp{MessageID: []byte("12"), FinalDate: []byte("261231235959000+"), State: 2, ErrorCode: 9, TLVs: empty},
		&Cancel{ServiceType: []byte{}, MessageID: []byte("12"), Source: home, Dest: shop, TLVs: empty},
		&Replace{MessageID: []byte("12"), Source: home, Schedule: []byte{}, Validity: []byte{}, RegisteredDelivery: 1,
			ShortMessage: []byte("new"), TLVs: empty},
		&Alert{Source: home, ESME: shop, TLVs: TLVs(nil).AddUint8(TagMsAvailabilityStatus, 0)},
		&Plain{Cmd: EnquireLink},
		&Plain{Cmd: GenericNack},
	}
}

func TestEveryPDUReadsAsItWasWritten(t *testing.T) {
	for _, want := range every() {
		t.Run(want.Command().String(), func(t *testing.T) {
			frame := want.Append([]byte("before"), RSysErr, 42)[6:]
			h, got, err := Parse(frame)
			if err != nil {
				t.Fatal(err)
			}
			if h.Status != RSysErr || h.Sequence != 42 || int(h.Length) != len(frame) {
				t.Errorf("header %+v of %d octets", h, len(frame))
			}
			if d := cmp.Diff(norm(want), norm(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

// norm compares PDUs by their octets, which tells nil and empty alike.
func norm(p PDU) []byte { return p.Append(nil, 0, 1) }

func TestEveryCommandHasABodyAndAName(t *testing.T) {
	for _, c := range Commands {
		p := New(c)
		if p == nil || p.Command() != c || c.String() == "unknown" {
			t.Errorf("%#x: %v", uint32(c), p)
		}
	}
	for _, c := range []Command{0, 0x111, 0x112, 0x113, 0x80000111} {
		if c.Known() || New(c) != nil {
			t.Errorf("%#x is taken for known", uint32(c))
		}
	}
	if Outbind.Answer() != GenericNack || SubmitSM.Answer() != SubmitSMResp || Command(0x111).Answer() != GenericNack {
		t.Error("wrong answers")
	}
}

// submit builds the body of a submit_sm from its parts.
func submit(service, source, dest string, smLength int, text string, tail ...byte) []byte {
	b := begin(nil, SubmitSM, 0, 9)
	b = append(b, service+"\x00"...)
	b = append(b, "\x01\x01"+source+"\x00"...)
	b = append(b, "\x01\x01"+dest+"\x00"...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, uint8(smLength))
	b = append(b, text...)
	return finish(append(b, tail...), 0)
}

func TestFaultsOfFormHaveTheStatusOfTheirKind(t *testing.T) {
	long := func(n int) string { return string(bytes.Repeat([]byte("1"), n)) }
	whole := submit("", "1", "2", 2, "hi")
	for _, c := range []struct {
		name  string
		frame []byte
		want  Status
	}{
		{"a whole one is taken", whole, ROK},
		{"cut in the middle of the mandatory fields", finish(whole[:20:20], 0), RInvCmdLen},
		{"header only", AppendHeader(nil, SubmitSM, 0, 9), RInvCmdLen},
		{"source of 64 octets is tolerated", submit("", long(64), "2", 0, ""), ROK},
		{"source of 65 octets is too long", submit("", long(65), "2", 0, ""), RInvParLen},
		{"service_type of 6 octets", submit("123456", "1", "2", 0, ""), RInvSerTyp},
		{"sm_length beyond the end", submit("", "1", "2", 3, "hi"), RInvMsgLen},
		{"sm_length 255", submit("", "1", "2", 255, long(255)), RInvMsgLen},
		{"TLV header cut off", submit("", "1", "2", 2, "hi", 0x04, 0x24, 0), RInvOptParStream},
		{"TLV value cut off", submit("", "1", "2", 2, "hi", 0x04, 0x24, 0, 9, 'x'), RInvOptParStream},
		{"three trailing zero octets are padding", submit("", "1", "2", 2, "hi", 0, 0, 0), ROK},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p SM
			err := p.Decode(c.frame)
			var e *Error
			switch {
			case c.want == ROK && err != nil:
				t.Fatal(err)
			case c.want != ROK && !errors.As(err, &e):
				t.Fatalf("err = %v, want %s", err, c.want)
			case c.want != ROK && (e.Status != c.want || e.Command != SubmitSM || e.Sequence != 9):
				t.Errorf("%v, want %s", e, c.want)
			}
		})
	}
}

func TestFaultsOfSubmitMultiHaveTheirOwnStatus(t *testing.T) {
	for _, c := range []struct {
		name  string
		count uint8
		flag  uint8
		want  Status
	}{{"no destination", 0, 1, RInvNumDests}, {"255 destinations", 255, 1, RInvNumDests}, {"a flag that is neither", 1, 3, RInvDestFlag}} {
		t.Run(c.name, func(t *testing.T) {
			b := begin(nil, SubmitMulti, 0, 1)
			b = append(b, 0, 1, 1, '1', 0, c.count, c.flag, 1, 1, '2', 0)
			var e *Error
			if err := new(Multi).Decode(finish(b, 0)); !errors.As(err, &e) || e.Status != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestIntegerParametersAreJudgedWhereTheyBelong(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Command
		t    TLVs
		want Status
	}{
		{"right size", SubmitSM, TLVs(nil).AddUint16(TagSarMsgRefNum, 1), ROK},
		{"wrong size", SubmitSM, TLVs(nil).AddUint8(TagSarMsgRefNum, 1), RInvParLen},
		{"no meaning", SubmitSM, TLVs(nil).AddUint8(TagPrivacyIndicator, 4), RInvOptParVal},
		{"does not belong", SubmitSM, TLVs(nil).AddUint16(TagSetDpf, 4), ROK},
		{"unknown", SubmitSM, TLVs(nil).AddUint16(0x1600, 4), ROK},
		{"second of two", DataSM, TLVs(nil).AddUint8(TagSetDpf, 1).AddUint8(TagSetDpf, 2), RInvOptParVal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := c.t.Check(c.in); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestTLVsKeepOrderAndRepeats(t *testing.T) {
	var tags []Tag
	for tag := range tlvs.All() {
		tags = append(tags, tag)
	}
	if d := cmp.Diff([]Tag{TagUserMessageReference, TagMoreMessagesToSend, 0x1400, 0x1400}, tags); d != "" {
		t.Error(d)
	}
	if v, ok := tlvs.Uint16(TagUserMessageReference); v != 7 || !ok {
		t.Error(v, ok)
	}
	if v, ok := tlvs.Uint8(TagUserMessageReference); ok {
		t.Error("two octets read as one:", v)
	}
	if v, ok := TLVs(nil).AddText(TagReceiptedMessageID, "12").Text(TagReceiptedMessageID); v != "12" || !ok {
		t.Error(v, ok)
	}
}

func TestTextOverSmLengthGoesAsPayload(t *testing.T) {
	text := bytes.Repeat([]byte("a"), 300)
	var got SM
	if err := got.Decode((&SM{Cmd: SubmitSM, ShortMessage: text, TLVs: tlvs}).Append(nil, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if len(got.ShortMessage) != 0 || !bytes.Equal(got.Text(), text) {
		t.Errorf("%d octets in short_message, %d in all", len(got.ShortMessage), len(got.Text()))
	}
}

func TestSequenceNumbersStayWithin31Bits(t *testing.T) {
	if NextSequence(0x7FFFFFFF) != 1 || NextSequence(0) != 1 || NextSequence(1) != 2 {
		t.Error("out of range")
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range every() {
		f.Add(p.Append(nil, 0, 1))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, frame []byte) {
		_, p, err := Parse(frame)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status == ROK {
				t.Fatalf("error without a status: %v", err)
			}
			return
		}
		once := p.Append(nil, 0, 1)
		_, q, err := Parse(once)
		if err != nil {
			t.Fatalf("what we wrote is refused: %v", err)
		}
		if twice := q.Append(nil, 0, 1); !bytes.Equal(once, twice) {
			t.Fatalf("%x became %x", once, twice)
		}
	})
}
