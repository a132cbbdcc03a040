package translate

import (
	"strings"
	"testing"

	"smsc/message"
)

var british = NumberPlan{Country: "44", Trunk: "0", International: []string{"00", "+"}, ShortMax: 6, Bare: "international"}

func TestAddressesComeIntoNormalForm(t *testing.T) {
	national := british
	national.Bare = "national"
	asThey := british
	asThey.Bare = ""
	american := NumberPlan{Country: "1", Trunk: "1", International: []string{"011"}, Bare: "national"}
	const untyped = -1
	for _, c := range []struct {
		name  string
		given string
		ton   int
		plan  NumberPlan
		want  string
	}{
		{"international type", "447700900123", 1, NumberPlan{}, "+447700900123"},
		{"international type, plus as well", "+447700900123", 1, NumberPlan{}, "+447700900123"},
		{"international type, 00 as well", "00447700900123", 1, NumberPlan{}, "+447700900123"},
		{"unknown type with plus", "+447700900123", 0, NumberPlan{}, "+447700900123"},
		{"unknown type with 00", "00447700900123", 0, NumberPlan{}, "+447700900123"},
		{"unknown type without a mark or plan", "447700900123", 0, NumberPlan{}, "447700900123"},
		{"no type, plus", "+447700900123", untyped, NumberPlan{}, "+447700900123"},
		{"no type, 00", "00447700900123", untyped, NumberPlan{}, "+447700900123"},
		{"no type, no mark, no plan", "15551230001", untyped, NumberPlan{}, "15551230001"},
		{"no type, no mark, bare international", "15551230001", untyped, british, "+15551230001"},
		{"no type, no mark, bare national", "7700900123", untyped, national, "+447700900123"},
		{"no type, no mark, bare as they are", "7700900123", untyped, asThey, "7700900123"},
		{"the trunk prefix", "07700900123", untyped, british, "+447700900123"},
		{"the trunk prefix, unknown type", "07700900123", 0, british, "+447700900123"},
		{"the trunk prefix without a country", "07700900123", 0, NumberPlan{Trunk: "0"}, "07700900123"},
		{"national type with a plan", "7700900123", 2, british, "+447700900123"},
		{"national type with the trunk prefix", "07700900123", 2, british, "+447700900123"},
		{"national type without a plan", "07700900123", 2, NumberPlan{}, "07700900123"},
		{"an American trunk prefix", "12025550123", untyped, american, "+12025550123"},
		{"an American abroad", "011447700900123", untyped, american, "+447700900123"},
		{"an American at home", "2025550123", untyped, american, "+12025550123"},
		{"a short code", "12345", untyped, british, "12345"},
		{"a short code that starts like a national number", "0800", untyped, british, "0800"},
		{"a short code under any type", "61016", 1, british, "61016"},
		{"zeros that no country code begins with", "000123456789", untyped, NumberPlan{}, "000123456789"},
		{"00 alone", "00", untyped, NumberPlan{}, "00"},
		{"a network number", "07700900123", 3, british, "07700900123"},
		{"a subscriber number", "07700900123", 4, british, "07700900123"},
		{"an abbreviated number", "0770090", 6, british, "0770090"},
		{"a service code", "*100#", untyped, british, "*100#"},
		{"a long service code of unknown type", "*100*1234567#", 0, british, "*100*1234567#"},
		{"punctuation goes", "+44 (7700) 900-123", untyped, NumberPlan{}, "+447700900123"},
		{"punctuation around the plus goes", " (+44) 7700.900.123 ", untyped, NumberPlan{}, "+447700900123"},
		{"a name", "ACME", untyped, british, "ACME"},
		{"a name keeps its punctuation", "Dr. No-1", 5, british, "Dr. No-1"},
		{"a name loses the space around it", " ACME ", untyped, british, "ACME"},
		{"digits of alphanumeric type are a name", "07700900123", 5, british, "07700900123"},
		{"letters that claim to be a number", "Info", 1, british, "Info"},
		{"letters among digits", "1-800-FLOWERS", 0, british, "1-800-FLOWERS"},
		{"a SIP identity", "alice@example.com", untyped, british, "alice@example.com"},
		{"a name that is not ASCII", "Zoë", untyped, british, "Zoë"},
	} {
		t.Run(c.name, func(t *testing.T) {
			typed := c.ton != untyped
			ton, npi := uint8(0), uint8(0)
			if typed {
				ton, npi = uint8(c.ton), 1
			}
			got, err := Normalise(c.given, ton, npi, typed, c.plan)
			if err != nil || got.Value != c.want {
				t.Fatalf("Normalise = %+v, %v, want %s", got, err, c.want)
			}
			if got.Shown() != c.given || got.Given == got.Value {
				t.Errorf("given %q is shown as %q", c.given, got.Shown())
			}
			if got.Typed != typed || got.TON != ton || got.NPI != npi {
				t.Errorf("type %+v", got)
			}
		})
	}
}

func TestWhatIsNoAddressIsRefused(t *testing.T) {
	for name, given := range map[string]string{
		"nothing":               "",
		"spaces":                "  ",
		"a plus alone":          "+",
		"a plus before letters": "+ACME",
		"a plus before a star":  "+1*2",
		"two pluses":            "++4412",
		"control characters":    "AC\x00ME",
		"octets that are text":  "\xff\xfe",
		"too many digits":       strings.Repeat("1", 65),
		"too many characters":   strings.Repeat("a", 256),
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := Normalise(given, 0, 0, false, NumberPlan{}); message.CauseOf(err) != message.UnknownNumber {
				t.Errorf("Normalise = %+v, %v", a, err)
			}
		})
	}
}

func TestAlphanumericSendersAreShort(t *testing.T) {
	for _, c := range []struct {
		name string
		a    message.Address
		ok   bool
	}{
		{"eleven characters", message.Address{Value: "ACME Clothz", TON: 5, Typed: true}, true},
		{"twelve characters", message.Address{Value: "ACME Clothes", TON: 5, Typed: true}, false},
		{"twelve letters of another type", message.Address{Value: "ACME Clothes", TON: 1, Typed: true}, false},
		{"eleven characters of two octets", message.Address{Value: "ééééééééééé", TON: 5, Typed: true}, true},
		{"a long number", message.Address{Value: "+447700900123", TON: 1, Typed: true}, true},
		{"a SIP identity", message.Address{Value: "alice@example.com"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := CheckSender(c.a); (err == nil) != c.ok || err != nil && message.CauseOf(err) != message.Barred {
				t.Errorf("CheckSender = %v", err)
			}
		})
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"+447700900123", "0044 7700", "07700900123", "*100#", "ACME", "+", "(+1) 2"} {
		f.Add(s, uint8(1), true)
		f.Add(s, uint8(0), false)
	}
	f.Fuzz(func(t *testing.T, given string, ton uint8, typed bool) {
		a, err := Normalise(given, ton, 1, typed, british)
		if err != nil {
			return
		}
		if err := a.Validate(); err != nil {
			t.Fatalf("%q gave %+v: %v", given, a, err)
		}
		if again, err := Normalise(a.Value, ton, 1, typed, british); a.Form() == message.FormInternational && (err != nil || again.Value != a.Value) {
			t.Fatalf("%q gave %q gave %q, %v", given, a.Value, again.Value, err)
		}
	})
}

func BenchmarkNormalise(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Normalise("447700900123", 1, 1, true, british); err != nil {
			b.Fatal(err)
		}
	}
}
