package translate

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"smsc/message"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTextBecomesSeptetsAndComesBack(t *testing.T) {
	for _, c := range []struct{ name, text, septets string }{
		{"the empty text", "", ""},
		{"letters are themselves", "Hello", "48656c6c6f"},
		{"the commercial at is septet 0", "a@b", "610062"},
		{"dollar and underscore have their own codes", "$_", "0211"},
		{"the euro takes two septets", "5€", "351b65"},
		{"brackets and braces take two", "[{}]", "1b3c1b281b291b3e"},
		{"backslash, tilde, bar, caret", `\~|^`, "1b2f1b3d1b401b14"},
		{"form feed is in the extension", "\f", "1b0a"},
		{"line feed and carriage return", "\r\n", "0d0a"},
		{"Western European letters", "äöñüàÄÖÑÜ§ÆæßÉ", "7b7c7d7e7f5b5c5d5e5f1c1d1e1f"},
		{"capital C with cedilla", "Ç", "09"},
		{"Greek capitals", "ΔΦΓΛΩΠΨΣΘΞ", "101213141516171819 1a"},
		{"inverted marks and currency", "¡¿¤£¥", "406024 0103"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.septets)
			got, _, ok := EncodeGSM7([]byte("x"), c.text)
			if !ok || !bytes.Equal(got[1:], want) || got[0] != 'x' {
				t.Errorf("EncodeGSM7 = %x, %v, want %x", got, ok, want)
			}
			if n, _, ok := septets(c.text); !ok || n != len(want) {
				t.Errorf("septets = %d, %v, want %d", n, ok, len(want))
			}
			if back := DecodeGSM7(want); back != c.text {
				t.Errorf("DecodeGSM7 = %q, want %q", back, c.text)
			}
			if b := GSM7Body(want); b.Data != nil || b.Text != c.text || b.Coding != message.GSM7 {
				t.Errorf("GSM7Body = %+v", b)
			}
		})
	}
}

func TestEverySeptetIsOneCharacterOnly(t *testing.T) {
	seen := map[rune]bool{}
	for s := range 128 {
		if s == esc {
			continue
		}
		text := DecodeGSM7([]byte{byte(s)})
		back, _, ok := EncodeGSM7(nil, text)
		if !ok || len(back) != 1 || back[0] != byte(s) {
			t.Errorf("septet %#x: %q: %x", s, text, back)
		}
		seen[[]rune(text)[0]] = true
	}
	for s, r := range extension {
		if r == 0 {
			continue
		}
		if seen[r] {
			t.Errorf("%q is in both tables", r)
		}
		if back, _, ok := EncodeGSM7(nil, string(r)); !ok || !bytes.Equal(back, []byte{esc, byte(s)}) {
			t.Errorf("%q: %x", r, back)
		}
	}
}

func TestWhatDoesNotFitIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		bad        rune
	}{
		{"a tab", "a\tb", '\t'},
		{"a grave accent alone", "`", '`'},
		{"small c with cedilla", "façade", 'ç'},
		{"Cyrillic", "ok да", 'д'},
		{"small Greek", "Δα", 'α'},
		{"an emoji", "fine 😀", '😀'},
		{"the escape itself", "\x1b", esc},
		{"octets that are not UTF-8", "a\xff", '\uFFFD'},
		{"a character that its low octet would make plain", "\u0141", '\u0141'},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, bad, ok := EncodeGSM7([]byte("keep"), c.text)
			if ok || bad != c.bad || string(got) != "keep" {
				t.Errorf("EncodeGSM7 = %q, %q, %v", got, bad, ok)
			}
			if FitsGSM7(c.text) {
				t.Error("FitsGSM7 says it fits")
			}
			if b := TextBody(c.text); b.Coding != message.UCS2 || b.Text != c.text {
				t.Errorf("TextBody = %+v", b)
			}
		})
	}
}

func TestOddSeptetsAreShownAsTheStandardSaysAndKept(t *testing.T) {
	for _, c := range []struct{ name, septets, shown, data string }{
		{"escape at the end shows nothing", "411b", "A", "411b"},
		{"an escape alone", "1b", "", "1b"},
		{"an unknown extension shows the default character", "1b41", "A", "1b41"},
		{"escape twice shows a space", "1b1b41", " A", "1b1b41"},
		{"escape twice then a bracket's code", "1b1b3c", " <", "1b1b3c"},
		{"escape before an octet that is no septet shows the octet", "1be4", "ä", "1b7b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := unhex(t, c.septets)
			if got := DecodeGSM7(in); got != c.shown {
				t.Errorf("DecodeGSM7 = %q, want %q", got, c.shown)
			}
			if b := GSM7Body(in); b.Text != "" || !bytes.Equal(b.Data, unhex(t, c.data)) || b.Coding != message.GSM7 {
				t.Errorf("GSM7Body = %+v", b)
			}
		})
	}
}

func TestOctetsAboveTheSeptetsAreLatin1(t *testing.T) {
	if b := GSM7Body([]byte("Gr\xfc\xdfe")); b.Coding != message.GSM7 || b.Text != "Grüße" {
		t.Errorf("those that fit: %+v", b)
	}
	if b := GSM7Body([]byte("fa\xe7ade\x00")); b.Coding != message.UCS2 || b.Text != "façade@" {
		t.Errorf("those that do not fit: %+v", b)
	}
}

func TestSeptetsArePackedAndUnpacked(t *testing.T) {
	for _, c := range []struct {
		name, text string
		fill       int
		packed     string
	}{
		{"nothing", "", 0, ""},
		{"one septet", "1", 0, "31"},
		{"seven septets leave a spare septet", "1234567", 0, "31d98c56b3dd00"},
		{"eight septets fill seven octets", "12345678", 0, "31d98c56b3dd70"},
		{"nine septets", "123456789", 0, "31d98c56b3dd7039"},
		{"hellohello of the standard's annex", "hellohello", 0, "e8329bfd4697d9ec37"},
		{"one fill bit after a six octet header", "à", 1, "fe"},
		{"two fill bits", "à", 2, "fc01"},
		{"six fill bits", "à", 6, "c01f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			septets, _, _ := EncodeGSM7(nil, c.text)
			want := unhex(t, c.packed)
			if got := PackGSM7(nil, septets, c.fill); !bytes.Equal(got, want) {
				t.Errorf("PackGSM7 = %x, want %x", got, want)
			}
			back, ok := UnpackGSM7(nil, want, c.fill, len(septets))
			if !ok || !bytes.Equal(back, septets) {
				t.Errorf("UnpackGSM7 = %x, %v, want %x", back, ok, septets)
			}
		})
	}
	for _, n := range []int{-1, 2, 1 << 60} {
		if got, ok := UnpackGSM7([]byte("k"), []byte{0x31}, 0, n); ok || string(got) != "k" {
			t.Errorf("%d septets from one octet: %x", n, got)
		}
	}
	if _, ok := UnpackGSM7(nil, []byte{0x31}, 2, 1); ok {
		t.Error("one septet after two fill bits from one octet")
	}
}

func TestFillBitsAlignToTheHeader(t *testing.T) {
	for udh, want := range map[int]int{0: 0, 6: 1, 7: 0, 8: 6, 12: 2, 13: 1, 14: 0} {
		if got := FillBits(udh); got != want {
			t.Errorf("FillBits(%d) = %d, want %d", udh, got, want)
		}
	}
}

func FuzzGSM7(f *testing.F) {
	for _, s := range []string{"", "hello", "\x1b", "\x1b\x1b\x65", "\x1b\x65\x00\x7f", "a\xe7\x1b"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, octets []byte, fill uint8) {
		b := GSM7Body(octets)
		again := appendAs(nil, b, ownReading(b))
		allSeptets := !bytes.ContainsFunc(octets, func(r rune) bool { return r > 0x7F })
		if allSeptets && !bytes.Equal(again, octets) {
			t.Fatalf("%x came back as %x by %+v", octets, again, b)
		}
		if b.Coding == message.GSM7 {
			if next := GSM7Body(again); next.Text != b.Text || !bytes.Equal(next.Data, b.Data) {
				t.Fatalf("not stable: %+v then %+v", b, next)
			}
			packed := PackGSM7(nil, again, int(fill%7))
			if back, ok := UnpackGSM7(nil, packed, int(fill%7), len(again)); !ok || !bytes.Equal(back, again) {
				t.Fatalf("packing lost %x: %x", again, back)
			}
		}
	})
}

var text160 = strings.Repeat("Your parcel will arrive 12:30. ", 6)[:160]

func BenchmarkEncodeGSM7Plain(b *testing.B) {
	dst := make([]byte, 0, 320)
	b.ReportAllocs()
	for b.Loop() {
		dst, _, _ = EncodeGSM7(dst[:0], text160)
	}
}

func BenchmarkEncodeGSM7Mixed(b *testing.B) {
	text := strings.Repeat("Ärger für 5€ @ Zoë? ", 8)
	text = strings.ReplaceAll(text, "ë", "e")
	dst := make([]byte, 0, 320)
	b.ReportAllocs()
	for b.Loop() {
		dst, _, _ = EncodeGSM7(dst[:0], text)
	}
}

func BenchmarkGSM7BodyPlain(b *testing.B) {
	septets := []byte(text160)
	b.ReportAllocs()
	for b.Loop() {
		GSM7Body(septets)
	}
}

func BenchmarkGSM7BodyMixed(b *testing.B) {
	septets, _, _ := EncodeGSM7(nil, strings.Repeat("Ärger für 5€ @ Zoe? ", 8))
	b.ReportAllocs()
	for b.Loop() {
		GSM7Body(septets)
	}
}
