package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestMessagesToPhonesEndAsTheCoreAnswers holds the SIP rows of the table of
// outcomes (spec ims §4.4) for phones that never registered: what the core
// answers, and what becomes of the message.
func TestMessagesToPhonesEndAsTheCoreAnswers(t *testing.T) {
	s := newServer(t, "", "")
	core, err := newIMSCore(imsCoreConfig{listen: "udp:127.0.0.1:0", remote: loopback(s.sip), centre: imsCentre, react: func(a *phoneArrival) reaction {
		var r reaction
		_, _ = fmt.Sscanf(strings.TrimPrefix(a.to, "+1555127"), "%d", &r.status)
		return r
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(core.close)
	s.start(fmt.Sprintf(`links:
  - {name: ims, kind: ims, uri: "sip:%s;transport=udp", from: ["127.0.0.1/32"], smsc_address: "%s", serves: ["1555*"]}
`, core.peer.Addr(), imsCentre))
	type row struct{ becomes, because string }
	rows := map[int]row{200: {"delivered", ""}, 202: {"delivered", ""}, 403: {"retrying", "barred"}, 603: {"failed", "barred"}}
	for _, status := range []int{480, 430, 486, 600, 408, 504} {
		rows[status] = row{"retrying", "absent"}
	}
	for _, status := range []int{404, 410, 484, 604, 416} {
		rows[status] = row{"failed", "unknown_number"}
	}
	for _, status := range []int{405, 406, 415, 420, 488, 501, 606} {
		rows[status] = row{"failed", "bad_content"}
	}
	ids := map[int]int64{}
	for status := range rows {
		to := fmt.Sprintf("1555127%04d", status) // the core knows it with "+" either way
		if len(ids)%2 == 0 {
			to = "+" + to
		}
		ids[status] = s.postTo(to, "to a phone")
	}
	for status, want := range rows {
		if m := s.becomes(ids[status], want.becomes); orElse(m.Cause) != want.because {
			t.Errorf("%d: %s because %q, want %q", status, m.Status, orElse(m.Cause), want.because)
		}
	}
}
