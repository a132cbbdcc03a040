package translate

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"smsc/message"
)

func TestTextIsCutIntoShortMessages(t *testing.T) {
	ports := []byte{6, 5, 4, 0x0B, 0x84, 0x23, 0xF0}
	with := func(b message.Body, udh []byte) message.Body { b.UDH = udh; return b }
	octets := func(n int) message.Body { return octetsBody(message.Octets, make([]byte, n)) }
	const euro, emoji = "€", "😀"
	for _, c := range []struct {
		name  string
		body  message.Body
		kind  message.PartKind
		sizes []int // in septets, units or octets
	}{
		{"nothing is one", TextBody(""), message.PartUDH8, []int{0}},
		{"160 septets are one", TextBody(strings.Repeat("a", 160)), message.PartUDH8, []int{160}},
		{"161 septets are two", TextBody(strings.Repeat("a", 161)), message.PartUDH8, []int{153, 8}},
		{"306 septets are two", TextBody(strings.Repeat("a", 306)), message.PartUDH8, []int{153, 153}},
		{"307 septets are three", TextBody(strings.Repeat("a", 307)), message.PartUDH8, []int{153, 153, 1}},
		{"16 bits cost a septet", TextBody(strings.Repeat("a", 161)), message.PartUDH16, []int{152, 9}},
		{"SAR cuts at the same places", TextBody(strings.Repeat("a", 161)), message.PartSAR, []int{153, 8}},
		{"an escape pair is not cut", TextBody(strings.Repeat("a", 152) + euro + strings.Repeat("b", 10)), message.PartUDH8, []int{152, 12}},
		{"160 septets of pairs are one", TextBody(strings.Repeat(euro, 80)), message.PartUDH8, []int{160}},
		{"81 pairs are two", TextBody(strings.Repeat(euro, 81)), message.PartUDH8, []int{152, 10}},
		{"70 units are one", TextBody(strings.Repeat("д", 70)), message.PartUDH8, []int{70}},
		{"71 units are two", TextBody(strings.Repeat("д", 71)), message.PartUDH8, []int{67, 4}},
		{"16 bits cost a unit", TextBody(strings.Repeat("д", 71)), message.PartUDH16, []int{66, 5}},
		{"a surrogate pair is not cut", TextBody(strings.Repeat("д", 66) + emoji + strings.Repeat("д", 10)), message.PartUDH8, []int{66, 12}},
		{"at sign in UCS2 is one unit", TextBody("д" + strings.Repeat("@", 70)), message.PartUDH8, []int{67, 4}},
		{"140 octets are one", octets(140), message.PartUDH8, []int{140}},
		{"141 octets are two", octets(141), message.PartUDH8, []int{134, 7}},
		{"a header takes room", with(octets(133), ports), message.PartUDH8, []int{133}},
		{"a header and the concatenation take more", with(octets(134), ports), message.PartUDH8, []int{128, 6}},
		{"152 septets beside ports are one", with(TextBody(strings.Repeat("a", 152)), ports), message.PartUDH8, []int{152}},
		{"153 are two of 146", with(TextBody(strings.Repeat("a", 153)), ports), message.PartUDH8, []int{146, 7}},
		{"SAR beside ports keeps the room", with(octets(134), ports), message.PartSAR, []int{128, 6}},
		{"opaque octets", octetsBody(message.Opaque, make([]byte, 141)), message.PartUDH8, []int{134, 7}},
		{"septets that are no text", message.Body{Data: append(bytes.Repeat([]byte("a"), 152), esc, 0x65, esc, 0x65, 'b', 'b', 'b', 'b', esc)}, message.PartUDH8, []int{152, 9}},
		{"escape after escape", message.Body{Data: append(bytes.Repeat([]byte("a"), 151), esc, esc, 'b', 'b', 'b', 'b', 'b', 'b', esc)}, message.PartUDH8, []int{160}},
		{"units that are no text", message.Body{Coding: message.UCS2, Data: append(bytes.Repeat([]byte{4, 0x34}, 66), 0xD8, 0x3D, 0xDE, 0, 4, 0x34, 4, 0x34, 0xD8, 0x3D)}, message.PartUDH8, []int{66, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Segments(c.body, 0x1234, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			sizes := make([]int, len(got))
			for i, b := range got {
				sizes[i], _ = size(&b)
				checkSegment(t, b, c.kind, len(got), i)
			}
			if !slices.Equal(sizes, c.sizes) {
				t.Fatalf("sizes %v, want %v", sizes, c.sizes)
			}
			if n, err := CountParts(c.body); c.kind == message.PartUDH8 && (n != len(got) || err != nil) {
				t.Errorf("CountParts = %d, %v", n, err)
			}
			slices.Reverse(got)
			whole, err := Join(got)
			if err != nil || !reflect.DeepEqual(whole, c.body) {
				t.Errorf("Join = %+v, %v, want %+v", whole, err, c.body)
			}
		})
	}
}

// checkSegment holds what must be true of every segment.
func checkSegment(t *testing.T, b message.Body, kind message.PartKind, total, at int) {
	t.Helper()
	if err := b.Validate(); err != nil {
		t.Error(err)
	}
	radio := len(b.UDH) + len(b.Data)
	if b.IsText() {
		radio = len(b.UDH) + len(UserData(b))
		if b.Coding == message.GSM7 {
			radio = len(b.UDH) + len(PackGSM7(nil, UserData(b), FillBits(len(b.UDH))))
		}
	}
	if radio > userDataOctets && b.Data == nil {
		t.Errorf("segment %d takes %d octets", at, radio)
	}
	if total == 1 {
		if b.Part != nil {
			t.Error("one segment alone is a part")
		}
		return
	}
	want := message.Part{Kind: kind, Ref: 0x1234, Total: uint8(total), Seq: uint8(at + 1)}
	if kind == message.PartUDH8 {
		want.Ref = 0x34
	}
	if b.Part == nil || *b.Part != want {
		t.Errorf("part %+v, want %+v", b.Part, want)
	}
	in := UDH(b.UDH).Concat()
	if kind == message.PartSAR != (in == nil) || in != nil && *in != want {
		t.Errorf("header says %+v", in)
	}
}

func TestTooLongIsTooLarge(t *testing.T) {
	part := &message.Part{Total: 2, Seq: 1}
	for name, b := range map[string]message.Body{
		"256 parts":                  {Text: strings.Repeat("a", 153*255+1)},
		"a part that does not fit":   {Text: strings.Repeat("a", 161), Part: part},
		"a header that says part":    {Text: strings.Repeat("a", 154), UDH: []byte{5, 0, 3, 1, 2, 1}},
		"a header without room left": {Text: "abc", UDH: append([]byte{138, 0x70, 136}, make([]byte, 136)...)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Segments(b, 0, message.PartUDH8); message.CauseOf(err) != message.TooLarge {
				t.Errorf("Segments: %v", err)
			}
			if _, err := CountParts(b); message.CauseOf(err) != message.TooLarge {
				t.Errorf("CountParts: %v", err)
			}
		})
	}
	if n, err := CountParts(message.Body{Text: strings.Repeat("a", 153*255)}); n != 255 || err != nil {
		t.Errorf("255 parts: %d, %v", n, err)
	}
	if _, err := Segments(message.Body{Text: "да"}, 0, message.PartUDH8); message.CauseOf(err) != message.BadContent {
		t.Errorf("a text that its coding cannot hold: %v", err)
	}
}

func TestPartsAreJoined(t *testing.T) {
	at := func(b message.Body, seq, total uint8) message.Body {
		b.Part = &message.Part{Total: total, Seq: seq}
		return b
	}
	ucs2 := func(octets string) message.Body {
		b, err := UCS2Body([]byte(octets))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name  string
		parts []message.Body
		want  message.Body
	}{
		{"an escape pair cut by others", []message.Body{at(GSM7Body([]byte("5\x1b")), 1, 2), at(GSM7Body([]byte("e!")), 2, 2)}, TextBody("5€!")},
		{"a surrogate pair cut by others", []message.Body{at(ucs2("\xd8\x3d"), 1, 2), at(ucs2("\xde\x00\x04\x34"), 2, 2)}, TextBody("😀д")},
		{"GSM 7-bit and UCS2", []message.Body{at(TextBody("a@"), 2, 2), at(TextBody("д"), 1, 2)}, message.Body{Coding: message.UCS2, Text: "дa@"}},
		{"GSM 7-bit and half a pair", []message.Body{at(TextBody("a@"), 1, 2), at(ucs2("\xd8\x3d"), 2, 2)}, message.Body{Coding: message.UCS2, Data: []byte("\x00a\x00@\xd8\x3d")}},
		{"parts without numbers, as they come", []message.Body{TextBody("b"), TextBody("a")}, TextBody("ba")},
		{"octets", []message.Body{at(octetsBody(message.Octets, []byte{1}), 1, 2), at(octetsBody(message.Octets, []byte{2}), 2, 2)}, octetsBody(message.Octets, []byte{1, 2})},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Join(c.parts)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("Join = %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
	long := at(message.Body{Text: strings.Repeat("Δ", 20000)}, 1, 2)
	for _, c := range []struct {
		name  string
		parts []message.Body
		want  message.Cause
	}{
		{"no parts", nil, message.BadContent},
		{"one missing", []message.Body{at(TextBody("a"), 1, 3), at(TextBody("b"), 3, 3)}, message.BadContent},
		{"one double", []message.Body{at(TextBody("a"), 1, 2), at(TextBody("b"), 1, 2)}, message.BadContent},
		{"text and octets", []message.Body{at(TextBody("a"), 1, 2), at(octetsBody(message.Octets, nil), 2, 2)}, message.BadContent},
		{"too long", []message.Body{long, at(message.Body{Text: long.Text}, 2, 2)}, message.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Join(c.parts); message.CauseOf(err) != c.want {
				t.Errorf("error %v", err)
			}
		})
	}
}

func FuzzSegments(f *testing.F) {
	f.Add(uint8(0), uint8(0), []byte(strings.Repeat("a\x1be", 100)), []byte(nil))
	f.Add(uint8(8), uint8(1), bytes.Repeat([]byte{0xD8, 0x3D, 0xDE, 0}, 80), []byte(nil))
	f.Add(uint8(4), uint8(2), make([]byte, 300), []byte{6, 5, 4, 0x0B, 0x84, 0x23, 0xF0})
	f.Add(uint8(4), uint8(message.PartSAR), make([]byte, 140), []byte{6, 0, 4, 1, 2, 1, 0}) // a concatenation that counts as none
	f.Fuzz(func(t *testing.T, dc, kind uint8, octets, udh []byte) {
		b, err := BodyFromDataCoding(dc, AlphabetGSM7, octets, udh)
		if err != nil || b.Part != nil {
			return
		}
		got, err := Segments(b, 7, message.PartKind(kind%3))
		if err != nil {
			return
		}
		if len(got) > message.MaxParts {
			t.Fatalf("%d segments", len(got))
		}
		for _, s := range got {
			if n, err := CountParts(s); n != 1 || err != nil {
				t.Fatalf("a segment makes %d parts: %v", n, err)
			}
		}
		whole, err := Join(got)
		if err != nil {
			t.Fatal(err)
		}
		if whole.Coding != b.Coding || whole.Text != b.Text || !bytes.Equal(whole.Data, b.Data) || !bytes.Equal(whole.UDH, UDH(b.UDH).WithoutConcat()) {
			t.Fatalf("%+v came back as %+v", b, whole)
		}
	})
}

func BenchmarkSegmentsOne(b *testing.B) {
	body := TextBody(text160)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Segments(body, 1, message.PartUDH8); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSegmentsFour(b *testing.B) {
	body := TextBody(strings.Repeat("Your parcel will arrive at 12:30. ", 16))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Segments(body, 1, message.PartUDH8); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCountParts(b *testing.B) {
	body := TextBody(text160)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CountParts(body); err != nil {
			b.Fatal(err)
		}
	}
}
