package charging

import (
	"testing"

	"smsc/message"
)

func TestTheLongestPrefixHasThePrice(t *testing.T) {
	rates := Rates{"44": 40_000, "447": 50_000, "4477009": 10, "1": 0}
	for to, want := range map[string]message.Amount{
		"+442071234567": 40_000, "+447712345678": 50_000, "+447700900123": 10, "+15551230001": 0, "+4": -1, "+4912": -1, "ACME": -1, "": -1,
	} {
		price, ok := rates.Price(message.Address{Value: to})
		if !ok {
			price = -1
		}
		if price != want {
			t.Errorf("one part to %q costs %d, want %d", to, price, want)
		}
	}
	rates[""] = 7
	for _, to := range []string{"+4912", "ACME", ""} {
		if price, ok := rates.Price(message.Address{Value: to}); !ok || price != 7 {
			t.Errorf("one part to %q costs %d, %v; the price of all others is 7", to, price, ok)
		}
	}
}

func BenchmarkPrice(b *testing.B) {
	rates := Rates{"": 1}
	for _, p := range []string{"1", "44", "49", "4917", "33", "351"} {
		rates[p] = 40_000
	}
	to := message.Address{Value: "+491761234567"}
	b.ReportAllocs()
	for b.Loop() {
		rates.Price(to)
	}
}
