package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// labels are those of spec records §8.1, by metric; one that is not named has
// none of its own choice.
var labels = map[string]string{
	"smsc_build_info": "version go", "smsc_messages_received_total": "source_type", "smsc_parts_received_total": "source_type",
	"smsc_messages_accepted_total": "link", "smsc_messages_refused_total": "link cause", "smsc_messages_delivered_total": "link",
	"smsc_messages_failed_total": "link cause", "smsc_messages_expired_total": "link", "smsc_attempts_total": "link result cause",
	"smsc_messages_retries_total": "link", "smsc_accept_seconds": "source_type", "smsc_attempt_seconds": "link", "smsc_delivery_seconds": "link",
	"smsc_queue_depth": "state", "smsc_link_up": "link kind", "smsc_http_requests_total": "route code", "smsc_http_seconds": "route",
	"smsc_webhook_total": "link code", "smsc_receipts_total": "link direction stat", "smsc_receipts_unmatched_total": "link why",
	"smsc_rules_total": "trigger action", "smsc_rule_errors_total": "trigger", "smsc_route_misses_total": "source_type",
	"smsc_charging_requests_total": "method result", "smsc_charging_seconds": "method", "smsc_cdr_records_total": "type",
	"smsc_cdr_errors_total": "sink", "smsc_frontends": "status", "smsc_throttled_total": "link by",
	"smsc_sip_requests_total": "link direction method", "smsc_sip_responses_total": "link direction code",
	"smsc_smpp_pdus_total": "link direction command", "smsc_smpp_status_total": "link direction status",
}

// closed are the label names that any metric of ours may have.
var closed = strings.Fields("version go link source_type cause kind result state status stat why direction command code method route trigger action type sink by side")

// strange makes the house see, on every port, what only strangers say.
func strange(t *testing.T, h *house) {
	t.Helper()
	web := func(method, path, body string) {
		resp := requested(t, h, method, path, body)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	web("GET", "/stranger/1", "")
	web("STRANGER", "/api/messages", "")
	web("GET", "/api/messages/98765", "")
	web("POST", "/api/messages", `{"source_msisdn":"STRANGER","destination_msisdn":"15559876543","message_body":"stranger","source_smsc":"stranger"}`)
	web("POST", "/api/messages", `{"source_msisdn":"STRANGER","destination_msisdn":"15559876543","message_body":"stranger","source_smsc":"app","dest_smsc":"stranger"}`)
	raw := func(network, address, octets string) {
		c, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err = io.WriteString(c, octets); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Read(make([]byte, 4096))
	}
	_, address, _ := strings.Cut(h.sip.Addrs()[1], "tcp:")
	for _, method := range []string{"STRANGER", "MESSAGE", "REGISTER"} {
		raw("tcp", address, fmt.Sprintf("%s sip:stranger@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP stranger.invalid;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"+
			"From: <sip:stranger@stranger.invalid>;tag=1\r\nTo: <sip:stranger@127.0.0.1>\r\nCall-ID: stranger%s\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n", method, method, method, method))
	}
	raw("tcp", h.smpp.Addrs()[0].String(), "\x00\x00\x00\x21\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01stranger\x00pw\x00\x00\x34\x00\x00\x00")
	raw("tcp", h.smpp.Addrs()[0].String(), "\x00\x00\x00\x10\x00\x00\x77\x77\x00\x00\x00\x00\x00\x00\x00\x01")
}

// Whoever comes makes no new series: labels have the names of the
// specification, and values that we or the declared objects gave.
func TestNoStrangerMakesALabel(t *testing.T) {
	h := testHouse(t, memory, everyKind)
	strange(t, h)
	all, err := h.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range all {
		name := f.GetName()
		if !strings.HasPrefix(name, "smsc_") {
			continue
		}
		seen[name] = true
		for _, m := range f.GetMetric() {
			var names []string
			for _, l := range m.GetLabel() {
				names = append(names, l.GetName())
				foreign(t, name, l.GetName(), l.GetValue())
			}
			slices.Sort(names)
			want, fixed := labels[name]
			if fixed && !slices.Equal(names, slices.Sorted(slices.Values(strings.Fields(want)))) {
				t.Errorf("%s has the labels %v, not %s", name, names, want)
			}
		}
	}
	for _, name := range []string{"smsc_http_requests_total", "smsc_sip_requests_total", "smsc_smpp_pdus_total", "smsc_messages_received_total"} {
		if !seen[name] {
			t.Errorf("%s has no series: nothing was tried", name)
		}
	}
}

// foreign complains of a label that is not ours, and of a value that a
// stranger gave.
func foreign(t *testing.T, family, name, value string) {
	t.Helper()
	if !slices.Contains(closed, name) {
		t.Errorf("%s has a label %s", family, name)
	}
	for _, word := range []string{"stranger", "98765", "127.0.0.1"} {
		if strings.Contains(strings.ToLower(value), word) {
			t.Errorf("%s{%s=%q} is a stranger's word", family, name, value)
		}
	}
}
