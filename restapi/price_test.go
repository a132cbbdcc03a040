package restapi

import (
	"strings"
	"testing"

	"smsc/message"
)

func TestPricesAreToldBeforeAndCapped(t *testing.T) {
	g := newRig(t, func(_ *Config, d *Deps) {
		d.Price = func(m *message.Message, _ string) message.Amount {
			if !strings.HasPrefix(m.To.Value, "+44") {
				return 0
			}
			return 40_000 * message.Amount(m.Parts)
		}
	})
	preview := func(body string) string {
		return g.as(acmeKey, "POST", "/api/messages/preview", `{"source_msisdn":"1234","destination_msisdn":"+4477","source_smsc":"w","message_body":"`+body+`"}`).body
	}
	if body := preview(strings.Repeat("x", 200)); !strings.Contains(body, `"cost":"0.080000"`) {
		t.Errorf("%s", body)
	}
	for price, code := range map[string]int{"": 200, "0.04": 200, "0.039": 402, "x": 400, "-1": 400} {
		r := g.send("POST", restcommAt+"/Accounts/acme/SMS/Messages.json", "From=1234&To=%2B447700900123&Body=x&MaxPrice="+price, basic("acme", "s3cret"), "Content-Type: application/x-www-form-urlencoded")
		if r.code != code || code == 402 && !strings.Contains(r.body, "30010") {
			t.Errorf("MaxPrice %q: %d %s", price, r.code, r.body)
		}
	}
}
