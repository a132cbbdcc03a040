package translate

import (
	"hash/crc32"
	"strings"
	"testing"

	"smsc/message"
)

// checksums pin the tables of annex A: another release of the library must
// not change a character unseen.
var checksums = map[Language][2]uint32{
	Turkish:    {0x940074d3, 0x66914858},
	Spanish:    {0xb46c986d, 0x2a70f6fc},
	Portuguese: {0x62b2afde, 0xabf6345f},
	Bengali:    {0x76cef073, 0x3eac8f77},
	Gujarati:   {0x3e61ec58, 0x901f8206},
	Hindi:      {0xf4910f2c, 0xdd1aec38},
	Kannada:    {0x911bb6f, 0x19b1887b},
	Malayalam:  {0x890155af, 0x813197ac},
	Oriya:      {0x8efffa72, 0x93a4ce95},
	Punjabi:    {0x39377f2b, 0x29474e1},
	Tamil:      {0xd72e3d06, 0xb6e03aac},
	Telugu:     {0xd3ff37da, 0x39f7c323},
	Urdu:       {0x5d1d386c, 0xe069d9fc},
}

func TestTablesAreThoseOfAnnexA(t *testing.T) {
	n := tables()
	cells := func(t [128]rune) uint32 {
		return crc32.ChecksumIEEE([]byte(string(t[:])))
	}
	for l := Turkish; l < languages; l++ {
		got := [2]uint32{cells(n.locking[l]), cells(n.single[l])}
		if want := checksums[l]; got != want {
			t.Errorf("%v: tables have the checksums %#x, want %#x", l, got, want)
		}
	}
}

func TestCellsOfTheTables(t *testing.T) {
	n := tables()
	for _, c := range []struct {
		l       Language
		locking bool
		septet  uint8
		want    rune
	}{
		{Turkish, true, 0x04, '€'}, {Turkish, true, 0x07, 'ı'}, {Turkish, true, 0x0B, 'Ğ'}, {Turkish, true, 0x40, 'İ'},
		{Turkish, true, 0x60, 'ç'}, {Turkish, false, 0x53, 'Ş'}, {Turkish, false, 0x65, '€'},
		{Spanish, true, 0x40, '¡'}, {Spanish, false, 0x09, 'ç'}, {Spanish, false, 0x61, 'á'},
		{Portuguese, false, 0x1F, 'Ê'}, // the library lacks it
		{Portuguese, true, 0x1E, 'Ê'}, {Portuguese, true, 0x15, '∞'}, {Portuguese, true, 0x60, '~'},
		{Hindi, true, 0x00, 'ँ'}, {Hindi, true, 0x01, 'ं'}, {Hindi, true, 0x02, 'ः'}, // Bengali in the library
		{Hindi, true, 0x03, 'अ'}, {Hindi, false, 0x19, '।'}, {Bengali, true, 0x00, '\u0981'},
		{Gujarati, true, 0x60, '\u0AD0'}, {Kannada, true, 0x60, '\u0CD5'}, {Malayalam, true, 0x7F, '\u0D79'},
		{Oriya, true, 0x30, '0'}, {Punjabi, true, 0x7B, '\u0A70'}, {Tamil, true, 0x7B, '\u0BD7'},
		{Telugu, false, 0x2A, '\u0C78'}, {Urdu, true, 0x00, 'ا'}, {Urdu, false, 0x3F, '۔'},
		{Punjabi, true, 0x09, 0}, {Telugu, false, 0x19, 0},
	} {
		table := n.single[c.l]
		if c.locking {
			table = n.locking[c.l]
		}
		if got := table[c.septet]; got != c.want {
			t.Errorf("%v locking %v %#02x = %q, want %q", c.l, c.locking, c.septet, got, c.want)
		}
	}
	for l := Language(0); l < languages; l++ {
		if n.single[l][esc] != 0 || n.single[l]['\r'] != 0 || n.locking[l]['\n'] != '\n' || n.locking[l]['\r'] != '\r' {
			t.Errorf("%v: control codes are not where they are", l)
		}
	}
}

func TestEveryCharacterOfATableComesBack(t *testing.T) {
	n := tables()
	for l := Turkish; l < languages; l++ {
		for _, s := range []Shift{{Single: l}, {Locking: l}, {Locking: l, Single: l}, {Locking: l, Single: Turkish}} {
			for _, table := range [][128]rune{n.locking[s.Locking], n.single[s.Single]} {
				for c, r := range table {
					if r == 0 || c == esc {
						continue
					}
					septets, _, ok := s.Encode(nil, string(r))
					if !ok || s.Decode(septets) != string(r) {
						t.Errorf("%v: %q gives %x, which reads %q", s, r, septets, s.Decode(septets))
					}
				}
			}
		}
	}
}

func TestTheTablesThatATextNeeds(t *testing.T) {
	for _, c := range []struct {
		text string
		want Shift
		ok   bool
	}{
		{"", Shift{}, true},
		{"plain text, £ and €", Shift{}, true},
		{"Şişli çok güzel ğ", Shift{Single: Turkish}, true},
		{"á", Shift{Single: Spanish}, true},           // Portuguese has it too
		{"façade", Shift{Single: Turkish}, true},      // the lowest of three
		{"ação Ê", Shift{Single: Portuguese}, true},   // the cell that was lost
		{"∞ and º", Shift{Locking: Portuguese}, true}, // only there
		{"हिंदी", Shift{Locking: Hindi}, true},
		{"हिंदी SMS", Shift{Locking: Hindi, Single: Bengali}, true}, // capitals are in every Indian single table
		{"سلام", Shift{Locking: Urdu}, true},
		{"ğ and á", Shift{Locking: Turkish, Single: Spanish}, true},
		{"০১", Shift{Single: Bengali}, true},
		{"Привет", Shift{}, false},
		{"हिंदी и", Shift{}, false},
		{"😁", Shift{}, false},
		{"\xff", Shift{}, false},
	} {
		got, ok := ShiftFor(c.text)
		if got != c.want || ok != c.ok {
			t.Errorf("ShiftFor(%q) = %v, %v, want %v, %v", c.text, got, ok, c.want, c.ok)
		}
		if ok && !got.Fits(c.text) {
			t.Errorf("%v does not fit %q", got, c.text)
		}
	}
}

func TestShiftForFindsWhatAnySearchFinds(t *testing.T) {
	for _, text := range []string{"ğ", "ğãé", "ªº∞", "Ê~|", "ça", "ا۔A", "ক০", "ñ҈", "aãõ ŞŞ", "ªğ"} {
		found := FitsGSM7(text)
		for l := Language(0); l < languages; l++ {
			for s := Language(0); s < languages; s++ {
				found = found || Shift{l, s}.Fits(text)
			}
		}
		if _, ok := ShiftFor(text); ok != found {
			t.Errorf("ShiftFor(%q) is %v, a search finds %v", text, ok, found)
		}
	}
}

func TestHeaderNamesTheTables(t *testing.T) {
	both := Shift{Locking: Portuguese, Single: Turkish}
	udh, err := AppendShift([]byte{5, 0, 3, 1, 2, 1}, both)
	if err != nil || string(udh) != "\x0b\x00\x03\x01\x02\x01\x25\x01\x03\x24\x01\x01" {
		t.Fatalf("header %x, %v", udh, err)
	}
	if got := UDH(udh).Shift(); got != both {
		t.Errorf("Shift = %v", got)
	}
	if got := UDH(udh).WithoutShift(); string(got) != "\x05\x00\x03\x01\x02\x01" {
		t.Errorf("without: %x", got)
	}
	for name, c := range map[string]struct {
		udh  UDH
		want Shift
	}{
		"the last element counts":        {UDH{6, 0x24, 1, 1, 0x24, 1, 2}, Shift{Single: Spanish}},
		"an unknown language is none":    {UDH{3, 0x25, 1, 14}, Shift{}},
		"an element of two octets":       {UDH{4, 0x25, 2, 1, 1}, Shift{}},
		"other elements":                 {UDH{4, 0x01, 2, 1, 1}, Shift{}},
		"no header":                      {nil, Shift{}},
		"an unknown one after a known":   {UDH{6, 0x24, 1, 1, 0x24, 1, 99}, Shift{Single: Turkish}},
		"the void locking table Spanish": {UDH{3, 0x25, 1, 2}, Shift{Locking: Spanish}},
	} {
		if got := c.udh.Shift(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if _, err := AppendShift([]byte{9}, both); message.CauseOf(err) != message.BadContent {
		t.Errorf("broken header: %v", err)
	}
	full := append([]byte{136, 0x70, 134}, make([]byte, 134)...)
	if _, err := AppendShift(full, both); message.CauseOf(err) != message.TooLarge {
		t.Errorf("full header: %v", err)
	}
	if got, err := AppendShift([]byte{3, 0x24, 1, 1}, Shift{}); got != nil || err != nil {
		t.Errorf("no tables: %x, %v", got, err)
	}
	if Urdu.String() != "Urdu" || Language(99).String() != "" {
		t.Error("names of languages")
	}
}

func TestWhatNoTableHasIsRefused(t *testing.T) {
	s := Shift{Single: Turkish}
	for _, text := range []string{"abc и", "abc 😁", "aह"} {
		if got, bad, ok := s.Encode([]byte{9}, text); ok || len(got) != 1 || !strings.ContainsRune(text, bad) {
			t.Errorf("%q: %x, %q, %v", text, got, bad, ok)
		}
		if _, bad, ok := s.septets(text); ok || !strings.ContainsRune(text, bad) {
			t.Errorf("%q counts", text)
		}
	}
}

func TestReadingOddSeptets(t *testing.T) {
	turkish := Shift{Locking: Turkish, Single: Turkish}
	for _, c := range []struct {
		s        Shift
		septets  []byte
		want     string
		faithful bool
	}{
		{turkish, []byte{0x04, 0x1B, 0x67}, "€ğ", false}, // ğ has a septet of its own
		{turkish, []byte{0x0C}, "ğ", true},
		{turkish, []byte{0x1B}, "", false},
		{turkish, []byte{0x1B, 0x1B, 0x41}, " A", false},
		{turkish, []byte{0x1B, 0x41}, "A", false}, // not in the single table
		{turkish, []byte{0x41, 0xE9}, "Aé", false},
		{Shift{Locking: Punjabi}, []byte{0x09}, " ", false}, // an empty cell
		{Shift{Single: Spanish}, []byte{0x1B, 0x61}, "á", true},
		{Shift{}, []byte{0x1B, 0x65}, "€", true},
	} {
		text, faithful := c.s.decode(c.septets)
		if text != c.want || faithful != c.faithful || c.s.Decode(c.septets) != c.want {
			t.Errorf("%v %x = %q, %v, want %q, %v", c.s, c.septets, text, faithful, c.want, c.faithful)
		}
		b := c.s.body(c.septets)
		if c.faithful != b.IsText() {
			t.Errorf("%v %x: body %+v", c.s, c.septets, b)
		}
	}
}

func TestTablesAreGivenWhereAllowed(t *testing.T) {
	single := []byte{3, 0x24, 1, 1}
	text := func(s string, udh ...byte) message.Body { return message.Body{Text: s, UDH: udh} }
	ucs2 := message.Body{Coding: message.UCS2, Text: "ğış"}
	part := text("ğış", 8, 0, 3, 1, 2, 1, 0x24, 1, 1)
	part.Part = &message.Part{Total: 2, Seq: 1}
	opaque := message.Body{Coding: message.Octets, Data: []byte{1}}
	waiting := message.Body{Coding: message.UCS2, Text: "ğ", HasDCS: true, DCS: 0xE0}
	for name, c := range map[string]struct {
		b      message.Body
		use    Tables
		coding message.Coding
		udh    string
	}{
		"plain text needs none":                         {text("abc"), TablesAuto, message.GSM7, ""},
		"tables that are not allowed give way to UCS2":  {text("ğış", single...), TablesNone, message.UCS2, ""},
		"tables that are not needed go":                 {text("abc", single...), TablesNone, message.GSM7, ""},
		"those of the origin stay":                      {text("ğış", single...), TablesAsOrigin, message.GSM7, "\x03\x24\x01\x01"},
		"those of the origin that do not fit go":        {text("हिंदी", single...), TablesAsOrigin, message.UCS2, ""},
		"a text in UCS2 stays so, as its origin":        {ucs2, TablesAsOrigin, message.UCS2, ""},
		"a text in UCS2 takes tables by itself":         {ucs2, TablesAuto, message.GSM7, "\x03\x24\x01\x01"},
		"tables of the origin count before others":      {text("ğış", 3, 0x25, 1, 1), TablesAuto, message.GSM7, "\x03\x25\x01\x01"},
		"others come where those of the origin fail":    {text("हिंदी", single...), TablesAuto, message.GSM7, "\x03\x25\x01\x06"},
		"no table writes Cyrillic":                      {message.Body{Coding: message.UCS2, Text: "Привет"}, TablesAuto, message.UCS2, ""},
		"UCS2 on purpose stays":                         {message.Body{Coding: message.UCS2, Text: "abc"}, TablesAuto, message.UCS2, ""},
		"a part keeps its tables whatever is allowed":   {part, TablesNone, message.GSM7, string(part.UDH)},
		"octets have none":                              {opaque, TablesAuto, message.Octets, ""},
		"a waiting indication in UCS2 stays":            {waiting, TablesAuto, message.UCS2, ""},
		"a long header makes tables dear":               {message.Body{Coding: message.UCS2, Text: strings.Repeat("ğ", 10), UDH: append([]byte{119, 0x70, 117}, make([]byte, 117)...)}, TablesAuto, message.UCS2, string(append([]byte{119, 0x70, 117}, make([]byte, 117)...))},
		"a header without room leaves the text in UCS2": {message.Body{Coding: message.UCS2, Text: "ğ", UDH: append([]byte{137, 0x70, 135}, make([]byte, 135)...)}, TablesAuto, message.UCS2, string(append([]byte{137, 0x70, 135}, make([]byte, 135)...))},
	} {
		got := InTables(c.b, c.use)
		if got.Coding != c.coding || string(got.UDH) != c.udh || got.Text != c.b.Text {
			t.Errorf("%s: coding %v, header %x", name, got.Coding, got.UDH)
		}
	}
}

// TestTablesLastThroughSegments: what leaves in segments with tables is read
// and joined again, over data_coding and in one piece.
func TestTablesLastThroughSegments(t *testing.T) {
	for name, unit := range map[string]string{"single": "Şişli €", "locking": "हिंदी ", "both": "हिंदी [SMS] "} {
		text := strings.Repeat(unit, 60)
		b := InTables(message.Body{Coding: message.UCS2, Text: text}, TablesAuto)
		n, err := CountParts(b)
		segments, err2 := Segments(b, 7, message.PartUDH8)
		if err != nil || err2 != nil || n != len(segments) || n < 2 {
			t.Fatalf("%s: %d parts, %d segments, %v, %v", name, n, len(segments), err, err2)
		}
		ucs2, _ := CountParts(message.Body{Coding: message.UCS2, Text: text})
		if n > ucs2 {
			t.Errorf("%s: %d parts, %d in UCS2", name, n, ucs2)
		}
		back := make([]message.Body, 0, n)
		for _, s := range segments {
			if UDH(s.UDH).Shift() != UDH(b.UDH).Shift() || s.UDH == nil {
				t.Fatalf("%s: segment without its tables: %x", name, s.UDH)
			}
			octets, dc := Encode(nil, s, AlphabetGSM7)
			if used := len(s.UDH)*8 + FillBits(len(s.UDH)) + 7*len(octets); used > 1120 || dc != 0 {
				t.Fatalf("%s: %d bits, data_coding %#x", name, used, dc)
			}
			r, err := BodyFromDataCoding(dc, AlphabetGSM7, octets, s.UDH)
			if err != nil || r.Text != s.Text {
				t.Fatalf("%s: %q, %v, want %q", name, r.Text, err, s.Text)
			}
			back = append(back, r)
		}
		whole, err := Join(back)
		if err != nil || whole.Text != text || UDH(whole.UDH).Shift() != UDH(b.UDH).Shift() {
			t.Errorf("%s: joined %+v, %v", name, whole, err)
		}
	}
}

func TestPartsOfDifferentTablesJoin(t *testing.T) {
	part := func(seq uint8, s Shift, b message.Body) message.Body {
		b.Part = &message.Part{Total: 2, Seq: seq}
		b.UDH, _ = AppendShift(nil, s)
		return b
	}
	turkish, hindi := Shift{Single: Turkish}, Shift{Locking: Hindi}
	for name, c := range map[string]struct {
		parts []message.Body
		want  message.Body
	}{
		"into UCS2": {[]message.Body{part(1, turkish, message.Body{Text: "ğ"}), part(2, hindi, message.Body{Text: "ह"})},
			message.Body{Coding: message.UCS2, Text: "ğह"}},
		"into the tables of the first": {[]message.Body{part(1, turkish, message.Body{Text: "ğ"}), part(2, Shift{}, message.Body{Text: "a"})},
			message.Body{Text: "ğa", UDH: []byte{3, 0x24, 1, 1}}},
		"half an escape finds its other half": {[]message.Body{part(1, turkish, message.Body{Data: []byte{0x41, esc}}), part(2, turkish, message.Body{Data: []byte{0x67}})},
			message.Body{Text: "Ağ", UDH: []byte{3, 0x24, 1, 1}}},
		"half an escape of other tables is shown as it can": {[]message.Body{part(1, turkish, message.Body{Data: []byte{0x41, esc}}), part(2, hindi, message.Body{Text: "ह"})},
			message.Body{Coding: message.UCS2, Text: "Aह"}},
		"a part in UCS2 ends the tables": {[]message.Body{part(1, turkish, message.Body{Text: "ğ"}), part(2, Shift{}, message.Body{Coding: message.UCS2, Text: "я"})},
			message.Body{Coding: message.UCS2, Text: "ğя"}},
	} {
		got, err := Join(c.parts)
		if err != nil || got.Text != c.want.Text || got.Coding != c.want.Coding || string(got.UDH) != string(c.want.UDH) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTablesAndOtherAlphabets(t *testing.T) {
	b := message.Body{Text: "ğı", UDH: []byte{3, 0x24, 1, 1}}
	if got := InAlphabet(b, AlphabetLatin1); got.Coding != message.UCS2 || got.UDH != nil {
		t.Errorf("on a Latin-1 link: %+v", got)
	}
	if got := InAlphabet(b, AlphabetGSM7); got.Coding != message.GSM7 || got.UDH == nil {
		t.Errorf("on a GSM 7-bit link: %+v", got)
	}
	b.Part = &message.Part{Total: 2, Seq: 1}
	got := InAlphabet(b, AlphabetLatin1)
	octets, dc := Encode(nil, got, AlphabetLatin1)
	if dc != 0xF1 || string(octets) != "\x1bg\x1bi" {
		t.Errorf("a part on a Latin-1 link: data_coding %#x, %x", dc, octets)
	}
	if got := UserData(b); string(got) != "\x1bg\x1bi" {
		t.Errorf("UserData = %x", got)
	}
	b.Text = "я"
	if _, err := CountParts(b); message.CauseOf(err) != message.BadContent {
		t.Errorf("text outside its tables counts: %v", err)
	}
	if _, err := BodyFromDataCoding(0, "", []byte("A"), []byte{9}); message.CauseOf(err) != message.BadContent {
		t.Errorf("a broken header: %v", err)
	}
	b, err := BodyFromDataCoding(0, "", []byte{0x41, esc}, []byte{3, 0x24, 1, 1})
	if err != nil || b.Data == nil || Readable(b) != "A" {
		t.Errorf("half an escape: %+v, %v", b, err)
	}
}

func FuzzShift(f *testing.F) {
	f.Add([]byte("\x1bg\x1bi A"), uint8(0), uint8(1))
	f.Add([]byte{0x68, 0x1B, 0x1B, 0x1B}, uint8(13), uint8(13))
	f.Fuzz(func(t *testing.T, septets []byte, locking, single uint8) {
		s := Shift{Language(locking % uint8(languages)), Language(single % uint8(languages))}
		b := s.body(septets)
		if b.IsText() && b.Coding == message.GSM7 {
			again, _, ok := s.Encode(nil, b.Text)
			if !ok || string(again) != string(septets) && s != (Shift{}) {
				t.Fatalf("%v %x reads %q, written %x", s, septets, b.Text, again)
			}
		}
		text := s.Decode(septets)
		if found, ok := ShiftFor(text); ok {
			n, _, _ := found.septets(text)
			again, _, fits := found.Encode(nil, text)
			if !fits || len(again) != n || found.Decode(again) != text {
				t.Fatalf("%q by %v: %x reads %q", text, found, again, found.Decode(again))
			}
		}
	})
}

func BenchmarkShiftFor(b *testing.B) {
	text := strings.Repeat("Şişli çok güzel. ", 9)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ShiftFor(text); !ok {
			b.Fatal("does not fit")
		}
	}
}

func BenchmarkShiftEncode(b *testing.B) {
	text, s := strings.Repeat("Şişli çok güzel. ", 7), Shift{Single: Turkish}
	dst := make([]byte, 0, 200)
	b.ReportAllocs()
	for b.Loop() {
		dst, _, _ = s.Encode(dst[:0], text)
	}
}
