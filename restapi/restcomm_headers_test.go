package restapi

import (
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func TestHeadersOfOurDialectAreObeyed(t *testing.T) {
	g := treeRig(t)
	var last *message.Message
	g.house.took = func(m *message.Message) { last = m }
	send := func(more ...string) reply {
		return g.form("A", "POST", "/Accounts/A/SMS/Messages.json", append([]string{"From", "1654", "To", "447700900123", "Body", "Hi"}, more...)...)
	}
	until := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	if r := send("X-SMS-CODING", "2", "X-SMS-UDH", "050003 0A0201", "X-M-CLASS", "0", "X-REG-DELIVERY", "17", "X-SMS-VALIDITY", until.Format(time.DateTime)); r.code != 200 {
		t.Fatalf("%d %s", r.code, r.body)
	}
	if last.Body.Coding != message.UCS2 || last.Body.Class != message.Class(1) || len(last.Body.UDH) != 6 || last.Wants != message.WantFinal|message.WantIntermediate ||
		!last.Expires.Equal(until) || last.Extra["sip.x-m-class"] != "0" {
		t.Errorf("%+v", last)
	}
	for _, bad := range [][]string{{"X-SMS-CODING", "3"}, {"X-SMS-UDH", "zz"}, {"X-M-CLASS", "4"}, {"X-REG-DELIVERY", "32"}, {"X-SMS-VALIDITY", "2020-01-01 00:00:00"}} {
		if r := send(bad...); r.code != 400 || !strings.Contains(r.body, bad[0]) {
			t.Errorf("%v: %d %s", bad, r.code, r.body)
		}
	}
	// An alphabet that is named wins over the header's.
	if r := send("Encoding", "GSM", "X-SMS-CODING", "2"); r.code != 200 || last.Body.Coding != message.GSM7 {
		t.Errorf("%d %v", r.code, last.Body.Coding)
	}
}

func TestCostsHaveSixPlaces(t *testing.T) {
	for a, want := range map[message.Amount]string{0: "0.000000", 40_000: "0.040000", 1: "0.000001", 12_000_000: "12.000000", -500_000: "-0.500000"} {
		if got := string(appendCost(nil, a)); got != want {
			t.Errorf("%d: %s, want %s", a, got, want)
		}
	}
}
