package translate

import (
	"bytes"
	"reflect"
	"testing"

	"smsc/message"
)

func TestHeadersAreRead(t *testing.T) {
	part := func(kind message.PartKind, ref uint16, total, seq uint8) *message.Part {
		return &message.Part{Kind: kind, Ref: ref, Total: total, Seq: seq}
	}
	for _, c := range []struct {
		name, udh string
		concat    *message.Part
		ports     []uint16 // destination, source
		without   string   // after the concatenation is taken away
	}{
		{"no header", "", nil, nil, ""},
		{"a header of nothing", "00", nil, nil, ""},
		{"8-bit concatenation", "0500036f0301", part(message.PartUDH8, 0x6F, 3, 1), nil, ""},
		{"16-bit concatenation, high octet first", "0608040a010302", part(message.PartUDH16, 0x0A01, 3, 2), nil, ""},
		{"ports only", "06050423f40000", nil, []uint16{9204, 0}, "06050423f40000"},
		{"8-bit ports", "040402f0f1", nil, []uint16{0xF0, 0xF1}, "040402f0f1"},
		{"ports and concatenation", "0b05040b8423f0000312 0201", part(message.PartUDH8, 0x12, 2, 1), []uint16{2948, 9200}, "0605040b8423f0"},
		{"part 0 is no part", "050003010300", nil, nil, ""},
		{"a part above its total is none", "050003010304", nil, nil, ""},
		{"concatenation of a wrong length is ignored", "0400020103", nil, nil, ""},
		{"of two concatenations the last counts", "0a0003010201 0003020202", part(message.PartUDH8, 2, 2, 2), nil, ""},
		{"a wrong one does not hide a right one", "0a0003010201 0003020200", part(message.PartUDH8, 1, 2, 1), nil, ""},
		{"an element of no length", "027000", nil, nil, "027000"},
		{"repeated elements stay in order", "0f010301020301030506070203010203", nil, nil, "0f010301020301030506070203010203"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := unhex(t, c.udh)
			u, err := ParseUDH(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := u.Concat(); !reflect.DeepEqual(got, c.concat) {
				t.Errorf("Concat = %+v, want %+v", got, c.concat)
			}
			dst, src, ok := u.Ports()
			if ok != (c.ports != nil) || ok && (dst != c.ports[0] || src != c.ports[1]) {
				t.Errorf("Ports = %d, %d, %v", dst, src, ok)
			}
			if got := u.WithoutConcat(); !bytes.Equal(got, unhex(t, c.without)) {
				t.Errorf("WithoutConcat = %x", []byte(got))
			}
		})
	}
}

func TestMalformedHeadersAreRefused(t *testing.T) {
	for name, udh := range map[string]string{
		"longer than the data":         "0500030102",
		"an element cut off":           "0501040102 00",
		"an element without a length":  "0100",
		"octets behind the header":     "027000 41",
		"a header that fills no octet": "8c" + string(bytes.Repeat([]byte("00"), 140)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseUDH(unhex(t, udh)); message.CauseOf(err) != message.BadContent {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestUserDataIsSplitFromItsHeader(t *testing.T) {
	u, rest, err := SplitUDH(unhex(t, "0500036f0301 4142"))
	if err != nil || len(u) != 6 || string(rest) != "AB" {
		t.Errorf("SplitUDH = %x, %q, %v", []byte(u), rest, err)
	}
	if u, rest, err := SplitUDH(nil); u != nil || rest != nil || err != nil {
		t.Errorf("of nothing: %x, %x, %v", []byte(u), rest, err)
	}
}

func TestConcatenationIsAdded(t *testing.T) {
	for _, c := range []struct {
		name, udh string
		part      message.Part
		want      string
	}{
		{"to no header", "", message.Part{Kind: message.PartUDH8, Ref: 7, Total: 2, Seq: 1}, "050003070201"},
		{"with 16 bits", "", message.Part{Kind: message.PartUDH16, Ref: 0x0102, Total: 2, Seq: 1}, "06080401020201"},
		{"behind other elements", "06050423f40000", message.Part{Kind: message.PartUDH8, Ref: 7, Total: 2, Seq: 2}, "0b050423f400000003070202"},
		{"in place of another", "0500036f0301", message.Part{Kind: message.PartUDH16, Ref: 1, Total: 3, Seq: 1}, "06080400010301"},
		{"of SAR with a small reference", "", message.Part{Kind: message.PartSAR, Ref: 255, Total: 2, Seq: 1}, "050003ff0201"},
		{"of SAR with a large reference", "", message.Part{Kind: message.PartSAR, Ref: 256, Total: 2, Seq: 1}, "06080401000201"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := AppendConcat(unhex(t, c.udh), c.part)
			if err != nil || !bytes.Equal(got, unhex(t, c.want)) {
				t.Errorf("AppendConcat = %x, %v", got, err)
			}
		})
	}
	full := append([]byte{139, 0x70, 137}, make([]byte, 137)...)
	if _, err := AppendConcat(full, message.Part{Total: 1, Seq: 1}); message.CauseOf(err) != message.TooLarge {
		t.Errorf("a full header: %v", err)
	}
	if _, err := AppendConcat([]byte{9}, message.Part{Total: 1, Seq: 1}); message.CauseOf(err) != message.BadContent {
		t.Errorf("a malformed header: %v", err)
	}
}

func FuzzUDH(f *testing.F) {
	for _, s := range []string{"", "0500036f0301", "0608040a010302", "0b05040b8423f00003120201", "027000", "00"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		u, rest, err := SplitUDH(octets)
		if err != nil {
			return
		}
		if len(u)+len(rest) != len(octets) {
			t.Fatalf("octets lost: %x, %x", []byte(u), rest)
		}
		if again := u.Without(); again != nil && !bytes.Equal(again, u) {
			t.Fatalf("%x came back as %x", []byte(u), []byte(again))
		}
		p := u.Concat()
		if p == nil {
			return
		}
		with, err := AppendConcat(u.WithoutConcat(), *p)
		if err != nil {
			t.Fatal(err)
		}
		if got := UDH(with).Concat(); got == nil || *got != *p {
			t.Fatalf("%+v came back as %+v", p, got)
		}
	})
}
