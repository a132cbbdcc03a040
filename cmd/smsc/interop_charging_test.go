package main

import (
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smsc/charging/cgrates/enginetest"
	"smsc/smpp/pdu"
)

// payOverREST sends one message from a number that pays for itself, and
// returns the status of the answer and the message's id.
func payOverREST(t *testing.T, s *realServer, to string) (status int, id int64) {
	t.Helper()
	id, err := post(t.Context(), s.api(), map[string]any{
		"source_msisdn": "+15551230001", "destination_msisdn": to, "message_body": "hello", "source_smsc": "api"})
	var p *problem
	if asProblem(err, &p) {
		return p.Status, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return http.StatusCreated, id
}

// A real cgr-engine pays: what is delivered is taken once, what is refused is
// given back, without credit nothing is accepted, a frozen engine is a 503
// and what it took meanwhile is found in no record of ours.
func TestInteropACGRateSEnginePays(t *testing.T) {
	engine := enginetest.Start(t)
	engine.SetBalance(t, "+15551230001", 1)
	far, err := newCentre("127.0.0.1:0", func(sm *pdu.SM) fate {
		if strings.HasSuffix(string(sm.Dest.Addr), "7") {
			return fate{status: pdu.RInvDstAdr}
		}
		return fate{receipt: "DELIVRD", err: "000"}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.close)
	go far.serve()
	s := newServer(t, "", fmt.Sprintf("charging: {kind: cgrates, default: yes, timeout: 2s, cgrates: {url: %q, tenant: %q}}\n", engine.URL, enginetest.Tenant))
	s.start(fmt.Sprintf(`links:
  - {name: carrier1, kind: carrier, address: %q, system_id: us, password: pw2}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "49", dest_smsc: carrier1}
`, far.address()))
	s.linkUp("carrier1")
	has := func(what string, want float64) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s: the engine has %v", what, want), func() bool { return math.Abs(engine.Balance(t, "+15551230001")-want) < 1e-9 })
	}
	const n = 10
	for i := range n {
		if status, _ := payOverREST(t, s, fmt.Sprintf("+44770090000%d", i)); status != http.StatusCreated {
			t.Fatalf("message %d: %d", i, status)
		}
	}
	has("nine delivered, one given back", 1-9*0.04)
	if status, _ := payOverREST(t, s, "+49176123450"); status != http.StatusCreated {
		t.Fatal(status)
	}
	for range 5 { // 0.1 each: until nothing is left for one more
		_, _ = payOverREST(t, s, "+49176123450")
	}
	has("no more than there was", 0.04)
	if status, _ := payOverREST(t, s, "+49176123450"); status != http.StatusPaymentRequired {
		t.Errorf("without credit: %d", status)
	}
	if status, _ := payOverREST(t, s, "+33123456789"); status != http.StatusUnprocessableEntity && status != http.StatusForbidden {
		t.Errorf("no route: %d", status)
	}
	eventually(t, "the records are there", func() bool { return len(costs(t, filepath.Join(s.dir, "data", "cdr"))) == n+6 })

	engine.Stop(t)
	began := time.Now()
	if status, _ := payOverREST(t, s, "+447700900001"); status != http.StatusServiceUnavailable || time.Since(began) > 10*time.Second {
		t.Errorf("a frozen engine: %d after %v", status, time.Since(began))
	}
	ready := func() bool {
		_, err := s.api().do(t.Context(), call{method: http.MethodGet, path: "/readyz"})
		return err == nil
	}
	if ready() {
		t.Error("ready while the engine is frozen")
	}
	engine.Continue(t)
	eventually(t, "ready again", ready)
	if got := s.metric("smsc_charging_requests_total"); got < 2*n {
		t.Errorf("%v questions counted", got)
	}
}
