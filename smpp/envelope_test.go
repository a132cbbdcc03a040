package smpp

import (
	"fmt"
	"testing"

	"smsc/message"
)

func TestAnAddressKeepsItsTypeWhileItIsAsItCame(t *testing.T) {
	st := &settings{types: standardTypes}
	for _, c := range []struct {
		name     string
		given    string
		ton, npi uint8
		value    string
		want     string
	}{
		{"international as it came", "15551230001", 1, 1, "+15551230001", "1/1 15551230001"},
		{"international with a needless sign", "+15551230001", 1, 1, "+15551230001", "1/1 15551230001"},
		{"the sign alone said international", "+15551230001", 0, 0, "+15551230001", "1/1 15551230001"},
		{"two zeros said international", "0015551230001", 0, 0, "+15551230001", "1/1 15551230001"},
		{"a short code", "12345", 3, 0, "12345", "3/0 12345"},
		{"a name", "Acme", 5, 0, "Acme", "5/0 Acme"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := st.address(message.Address{Value: c.value, Given: c.given, TON: c.ton, NPI: c.npi, Typed: true})
			if got := fmt.Sprintf("%d/%d %s", a.TON, a.NPI, a.Addr); got != c.want {
				t.Errorf("written as %s, want %s", got, c.want)
			}
		})
	}
}
