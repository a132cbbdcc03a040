package sip

import (
	"strings"
	"testing"

	"smsc/message"
)

func TestMessageIsTakenAndAnswered202(t *testing.T) {
	h := open(t, quick(), connect)
	for network, addr := range map[string]string{"udp": h.udp(), "tcp": h.tcp()} {
		t.Run(network, func(t *testing.T) {
			before := len(h.door.all())
			a := dial(t, network, addr).answer(draft{body: "hello €", headers: []string{"X-REG-DELIVERY: 1"}}.String())
			if a.status != 202 {
				t.Fatalf("status %d %s", a.status, a.reason)
			}
			taken := h.door.all()
			if len(taken) != before+1 {
				t.Fatalf("%d messages taken", len(taken))
			}
			m := taken[before]
			if a.get("X-SMS-ID") != m.ID.String() {
				t.Errorf("X-SMS-ID %q, id %s", a.get("X-SMS-ID"), m.ID)
			}
			if tagOf(a.get("To")) == "" || len(a.body) > 0 || a.get("Contact") != "" || a.get("Content-Length") != "0" {
				t.Errorf("answer is not plain: %+v", a.headers)
			}
			if m.From.Value != "15559870001" || m.To.Value != "15551230001" || m.Body.Text != "hello €" || m.Body.Coding != message.GSM7 {
				t.Errorf("message %+v", m)
			}
			if m.Origin.Link != "connect" || m.Origin.Type != message.SourceSIP || m.Account != tenantOperator || m.Wants != message.WantFinal {
				t.Errorf("origin %+v wants %v account %q", m.Origin, m.Wants, m.Account)
			}
			if m.Origin.Ref == "" || m.Origin.RefLife != refLife || !strings.HasPrefix(m.Origin.Handle, "call") || m.Origin.Peer == "" {
				t.Errorf("origin %+v", m.Origin)
			}
		})
	}
}

const tenantOperator = "operator"
