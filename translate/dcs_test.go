package translate

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"smsc/message"
)

const latinBoth = "gsm7 latin1 ascii utf8"

func TestDataCodingIsRead(t *testing.T) {
	gsm7 := func(text string) message.Body { return message.Body{Coding: message.GSM7, Text: text} }
	ucs2 := func(text string) message.Body { return message.Body{Coding: message.UCS2, Text: text} }
	data := func(c message.Coding, octets string) message.Body {
		return message.Body{Coding: c, Data: []byte(octets)}
	}
	classed := func(b message.Body, c message.Class) message.Body { b.Class = c; return b }
	kept := func(b message.Body, dcs uint8) message.Body { b.DCS, b.HasDCS = dcs, true; return b }
	for _, c := range []struct {
		name, alphabet string
		dc             uint8
		octets         string
		want           message.Body
	}{
		{"0 on a gsm7 link", "gsm7", 0, "a\x00\x1be", gsm7("a@€")},
		{"0 on a link that names no alphabet", "", 0, "\x00", gsm7("@")},
		{"0 on a gsm7 link, Latin-1 among it", "gsm7", 0, "\xfcb", gsm7("üb")},
		{"0 on a latin1 link", "latin1", 0, "@\xe9$", gsm7("@é$")},
		{"0 on a latin1 link, beyond GSM", "latin1", 0, "\xe7", ucs2("ç")},
		{"0 on an ascii link", "ascii", 0, "a@[", gsm7("a@[")},
		{"0 on an utf8 link", "utf8", 0, "5€ да", ucs2("5€ да")},
		{"0 on an utf8 link that fits GSM", "utf8", 0, "5€", gsm7("5€")},
		{"1 is ASCII, its upper half Latin-1", "gsm7", 1, "@\xe9", gsm7("@é")},
		{"2 is octets", "gsm7", 2, "\x00\xff", data(message.Octets, "\x00\xff")},
		{"3 is Latin-1", "gsm7", 3, "@\xe7", ucs2("@ç")},
		{"4 is octets", "gsm7", 4, "\x00\xff", data(message.Octets, "\x00\xff")},
		{"4 without any octet is still octets", "gsm7", 4, "", data(message.Octets, "")},
		{"5 is opaque", "gsm7", 5, "\x1b$B", kept(data(message.Opaque, "\x1b$B"), 5)},
		{"6 is Cyrillic", "gsm7", 6, "\xb4\xd0 \xf0\xfd", ucs2("Да №§")},
		{"7 is Hebrew", "gsm7", 7, "\xf9\xec\xe5\xed", ucs2("שלום")},
		{"7 with an octet that is no character passes unread", "gsm7", 7, "\xf9\xa1", kept(data(message.Opaque, "\xf9\xa1"), 7)},
		{"8 is UTF-16BE", "gsm7", 8, "\x04\x34\xd8\x3d\xde\x00", ucs2("д😀")},
		{"8 with a byte order mark", "gsm7", 8, "\xfe\xff\x04\x34", ucs2("д")},
		{"8 with the other byte order mark", "gsm7", 8, "\xff\xfe\x34\x04\x35\x04", ucs2("де")},
		{"8 cut inside a pair", "gsm7", 8, "\x04\x34\xd8\x3d", data(message.UCS2, "\x04\x34\xd8\x3d")},
		{"9 and the like are opaque", "gsm7", 14, "xyz", kept(data(message.Opaque, "xyz"), 14)},
		{"0x0C is reserved in SMPP", "gsm7", 0x0C, "x", kept(data(message.Opaque, "x"), 0x0C)},
		{"0x10 is class 0, GSM whatever the link's alphabet", "latin1", 0x10, "\x00", classed(gsm7("@"), message.Class0)},
		{"0x15 is octets of class 1", "gsm7", 0x15, "\x00", classed(data(message.Octets, "\x00"), message.Class1)},
		{"0x1A is UCS2 of class 2", "gsm7", 0x1A, "\x04\x34", classed(ucs2("д"), message.Class2)},
		{"0x1C has a reserved alphabet", "gsm7", 0x1C, "x", kept(data(message.Opaque, "x"), 0x1C)},
		{"0x40 is deleted after reading", "gsm7", 0x40, "\x00", kept(gsm7("@"), 0x40)},
		{"0x59 too, with a class", "gsm7", 0x59, "\x04\x34", kept(classed(ucs2("д"), message.Class1), 0x59)},
		{"0x80 is reserved", "gsm7", 0x80, "x", kept(data(message.Opaque, "x"), 0x80)},
		{"0xC8 is a waiting indication", "latin1", 0xC8, "\x00", kept(gsm7("@"), 0xC8)},
		{"0xD0 with Latin-1 in it becomes 0xE0", "gsm7", 0xD1, "\xe7", kept(ucs2("ç"), 0xE1)},
		{"0xE0 is one in UCS2", "gsm7", 0xE0, "\x04\x34", kept(ucs2("д"), 0xE0)},
		{"0xF0 is flash", "utf8", 0xF0, "\x00", classed(gsm7("@"), message.Class0)},
		{"0xF6 is octets for the SIM", "gsm7", 0xF6, "\x00", classed(data(message.Octets, "\x00"), message.Class2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := BodyFromDataCoding(c.dc, c.alphabet, []byte(c.octets), nil)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDataCodingThatCannotBeReadIsRefused(t *testing.T) {
	for _, c := range []struct {
		name     string
		dc       uint8
		alphabet string
		octets   string
		udh      string
		want     message.Cause
	}{
		{"compressed", 0x20, "gsm7", "x", "", message.BadContent},
		{"compressed and deleted after reading", 0x7F, "gsm7", "x", "", message.BadContent},
		{"UCS2 of odd length has the wrong length", 8, "gsm7", "\x04", "", message.TooLarge},
		{"UTF-8 that is none", 0, "utf8", "\xff", "", message.BadContent},
		{"a malformed header", 0, "gsm7", "x", "05", message.BadContent},
		{"more than can be kept", 4, "gsm7", strings.Repeat("x", message.MaxBody+1), "", message.TooLarge},
		{"more than can be kept as text", 3, "gsm7", strings.Repeat("\xe9", message.MaxBody), "", message.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := BodyFromDataCoding(c.dc, c.alphabet, []byte(c.octets), unhex(t, c.udh))
			if got := message.CauseOf(err); got != c.want {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestHeaderAndPartAreCopied(t *testing.T) {
	udh, octets := unhex(t, "0500036f0302"), []byte{1, 2}
	b, err := BodyFromDataCoding(4, "gsm7", octets, udh)
	if err != nil {
		t.Fatal(err)
	}
	udh[3], octets[0] = 9, 9
	if !bytes.Equal(b.UDH, unhex(t, "0500036f0302")) || !bytes.Equal(b.Data, []byte{1, 2}) {
		t.Errorf("the body shares memory with its input: %+v", b)
	}
	if want := (message.Part{Kind: message.PartUDH8, Ref: 0x6F, Total: 3, Seq: 2}); b.Part == nil || *b.Part != want {
		t.Errorf("part %+v", b.Part)
	}
}

func TestDataCodingIsWritten(t *testing.T) {
	text := func(s string) message.Body { return TextBody(s) }
	as := func(b message.Body, f func(*message.Body)) message.Body { f(&b); return b }
	class := func(c message.Class) func(*message.Body) { return func(b *message.Body) { b.Class = c } }
	dcs := func(d uint8) func(*message.Body) { return func(b *message.Body) { b.DCS, b.HasDCS = d, true } }
	part := func(b *message.Body) { b.Part = &message.Part{Total: 2, Seq: 1} }
	wanted := func(b *message.Body) { b.Coding = message.UCS2 }
	for _, c := range []struct {
		name, alphabets string
		body            message.Body
		dc              uint8
		octets          string
	}{
		{"GSM text on a gsm7 link", "gsm7", text("a@€"), 0, "a\x00\x1be"},
		{"the same on latin1 has no euro", "latin1 ascii", text("a€"), 8, "\x00a\x20\xac"},
		{"the same on utf8", "utf8", text("a@€"), 0, "a@€"},
		{"Latin-1 text", "latin1", text("é@"), 0, "\xe9@"},
		{"Latin-1 text on an ascii link", "ascii", text("é@"), 8, "\x00\xe9\x00@"},
		{"Latin-1 text that is not GSM", "latin1", text("ça"), 0, "\xe7a"},
		{"the same on gsm7 and ascii links", "gsm7 ascii", text("ça"), 8, "\x00\xe7\x00a"},
		{"Cyrillic", "gsm7 latin1 ascii", text("да"), 8, "\x04\x34\x04\x30"},
		{"Cyrillic on an utf8 link", "utf8", text("да"), 0, "да"},
		{"UCS2 by wish stays UCS2", latinBoth, as(text("hi"), wanted), 8, "\x00h\x00i"},
		{"an emoji", "gsm7 latin1 ascii", text("😀"), 8, "\xd8\x3d\xde\x00"},
		{"octets", latinBoth, octetsBody(message.Octets, []byte("\x00\xff")), 4, "\x00\xff"},
		{"octets with a class", latinBoth, as(octetsBody(message.Octets, []byte("\x00")), class(message.Class2)), 0xF6, "\x00"},
		{"flash text is GSM on every link", latinBoth, as(text("@"), class(message.Class0)), 0xF0, "\x00"},
		{"flash text in UCS2", latinBoth, as(text("да"), class(message.Class0)), 0x18, "\x04\x34\x04\x30"},
		{"what came opaque leaves so", latinBoth, as(octetsBody(message.Opaque, []byte("xyz")), dcs(0x0D)), 0x0D, "xyz"},
		{"a waiting indication", latinBoth, as(text("@"), dcs(0xC8)), 0xC8, "\x00"},
		{"a waiting indication in UCS2", latinBoth, as(text("да"), dcs(0xE0)), 0xE0, "\x04\x34\x04\x30"},
		{"half an escape on a gsm7 link", "gsm7", GSM7Body([]byte("a\x1b")), 0, "a\x1b"},
		{"half an escape on other links needs a class", "latin1 ascii utf8", GSM7Body([]byte("a\x1b")), 0xF1, "a\x1b"},
		{"a part that the alphabet cannot write stays septets", "latin1 ascii", as(text("5€"), part), 0xF1, "5\x1be"},
		{"a part that it can write", "latin1", as(text("5é"), part), 0, "5\xe9"},
		{"a part on a gsm7 link", "gsm7", as(text("5€"), part), 0, "5\x1be"},
		{"a part in UCS2", "gsm7 ascii", as(text("д"), part), 8, "\x04\x34"},
		{"half a surrogate pair", latinBoth, message.Body{Coding: message.UCS2, Data: []byte("\xd8\x3d")}, 8, "\xd8\x3d"},
		{"a text that its coding cannot hold", "gsm7 latin1 ascii", message.Body{Text: "да"}, 8, "\x04\x34\x04\x30"},
		{"the same with a data coding of its own", latinBoth, as(message.Body{Text: "да"}, dcs(0xD1)), 0xE1, "\x04\x34\x04\x30"},
	} {
		for _, alphabet := range strings.Fields(c.alphabets) {
			t.Run(c.name+" "+alphabet, func(t *testing.T) {
				octets, dc := Encode([]byte("k"), c.body, alphabet)
				if dc != c.dc || string(octets[1:]) != c.octets {
					t.Errorf("Encode = %#x, %x, want %#x, %x", dc, octets[1:], c.dc, c.octets)
				}
				if got := DataCoding(c.body, alphabet); got != dc {
					t.Errorf("DataCoding = %#x", got)
				}
				in := InAlphabet(c.body, alphabet)
				octets, dc = Encode(nil, in, alphabet)
				if dc != c.dc || string(octets) != c.octets {
					t.Errorf("after InAlphabet: %#x, %x", dc, octets)
				}
				if got := AppendUserData(nil, in, alphabet); string(got) != c.octets {
					t.Errorf("AppendUserData = %x", got)
				}
			})
		}
	}
}

func TestUserDataIsAsOnTheRadio(t *testing.T) {
	for name, c := range map[string]struct {
		body message.Body
		want string
	}{
		"septets":                       {TextBody("@€"), "\x00\x1be"},
		"UCS2":                          {TextBody("да"), "\x04\x34\x04\x30"},
		"octets":                        {octetsBody(message.Octets, []byte("\xff")), "\xff"},
		"a text its coding cannot hold": {message.Body{Text: "д"}, "\x04\x34"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := UserData(c.body); string(got) != c.want {
				t.Errorf("UserData = %x, want %x", got, c.want)
			}
		})
	}
}

func FuzzBodyFromDataCoding(f *testing.F) {
	for dc := range 256 {
		f.Add(uint8(dc), uint8(dc), []byte("a\x1be\x04\xe7"), []byte(nil))
	}
	f.Add(uint8(8), uint8(0), []byte{0xFF, 0xFE, 0x34, 0x04}, []byte{5, 0, 3, 1, 2, 1})
	f.Fuzz(func(t *testing.T, dc, which uint8, octets, udh []byte) {
		alphabet := strings.Fields(latinBoth)[which%4]
		b, err := BodyFromDataCoding(dc, alphabet, octets, udh)
		if err != nil {
			return
		}
		if err := b.Validate(); err != nil {
			t.Fatalf("%+v: %v", b, err)
		}
		// What was read must mean the same after it was written, and from
		// then on be written the same.
		first, dc1 := Encode(nil, b, alphabet)
		again, err := BodyFromDataCoding(dc1, alphabet, first, b.UDH)
		if err != nil {
			t.Fatalf("%+v as %#x %x: %v", b, dc1, first, err)
		}
		second, dc2 := Encode(nil, again, alphabet)
		if dc1 != dc2 || !bytes.Equal(first, second) {
			t.Fatalf("%#x %x then %#x %x", dc1, first, dc2, second)
		}
		if again.Text != b.Text || !bytes.Equal(again.Data, b.Data) {
			t.Fatalf("%+v then %+v", b, again)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	body := TextBody(text160)
	dst := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = Encode(dst[:0], body, AlphabetGSM7)
	}
}

func BenchmarkDataCoding(b *testing.B) {
	body := TextBody(text160)
	b.ReportAllocs()
	for b.Loop() {
		DataCoding(body, AlphabetGSM7)
	}
}

func BenchmarkBodyFromDataCoding(b *testing.B) {
	octets := []byte(text160)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := BodyFromDataCoding(0, AlphabetGSM7, octets, nil); err != nil {
			b.Fatal(err)
		}
	}
}
