package translate

import (
	"bytes"
	"testing"

	"smsc/message"
)

func TestTextBecomesUTF16AndComesBack(t *testing.T) {
	for _, c := range []struct{ name, text, octets string }{
		{"nothing", "", ""},
		{"Cyrillic", "да", "04340430"},
		{"an emoji is a surrogate pair", "a😀", "0061d83dde00"},
		{"the last character of the first plane", "\uFFFD\uFFFF", "fffdffff"},
		{"the last character of all", "\U0010FFFF", "dbffdfff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.octets)
			if got := EncodeUCS2(nil, c.text); !bytes.Equal(got, want) {
				t.Errorf("EncodeUCS2 = %x, want %x", got, want)
			}
			if got, ok := DecodeUCS2(want); !ok || got != c.text {
				t.Errorf("DecodeUCS2 = %q, %v", got, ok)
			}
			if got := units(c.text); got != len(want)/2 {
				t.Errorf("units = %d", got)
			}
		})
	}
}

func TestLoneSurrogatesStayOctets(t *testing.T) {
	for _, c := range []struct{ name, octets, shown string }{
		{"a first half at the end", "0061d83d", "a\uFFFD"},
		{"a second half at the beginning", "de000061", "\uFFFDa"},
		{"two first halves", "d83dd83dde00", "\uFFFD😀"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := unhex(t, c.octets)
			if got, ok := DecodeUCS2(in); ok || got != c.shown {
				t.Errorf("DecodeUCS2 = %q, %v", got, ok)
			}
			b, err := UCS2Body(in)
			if err != nil || b.Text != "" || !bytes.Equal(b.Data, in) {
				t.Errorf("UCS2Body = %+v, %v", b, err)
			}
			in[0]++
			if b.Data[0] == in[0] {
				t.Error("the body shares memory with the input")
			}
		})
	}
}

func TestOddUCS2IsBadContent(t *testing.T) {
	if _, err := UCS2Body([]byte{0, 'a', 0}); message.CauseOf(err) != message.BadContent {
		t.Errorf("error %v", err)
	}
	if got, ok := DecodeUCS2([]byte{0, 'a', 0}); ok || got != "a" {
		t.Errorf("DecodeUCS2 = %q, %v", got, ok)
	}
}

func FuzzUCS2(f *testing.F) {
	f.Add([]byte{0, 'a', 0xD8, 0x3D, 0xDE, 0})
	f.Add([]byte{0xD8, 0x3D, 0xD8})
	f.Fuzz(func(t *testing.T, octets []byte) {
		b, err := UCS2Body(octets)
		if err != nil {
			if len(octets)%2 == 0 {
				t.Fatal(err)
			}
			return
		}
		if again := appendAs(nil, b, asUCS2); !bytes.Equal(again, octets) {
			t.Fatalf("%x came back as %x", octets, again)
		}
	})
}
