package main

import (
	"fmt"
	"strings"
	"testing"

	"smsc/tenant"
)

func TestPublicSourcesAreWarnedOfWhereUDPIsOpen(t *testing.T) {
	for name, test := range map[string]struct {
		listen, from string
		warned       string
	}{
		"a public host":           {"udp:0.0.0.0:5060", `"8.8.8.8"`, "8.8.8.8"},
		"everybody":               {"udp:192.0.2.1:5060", `"0.0.0.0/0"`, "0.0.0.0/0"},
		"everybody, IPv6":         {"udp:[::]:5060", `"::/0"`, "::/0"},
		"wider than a private":    {"udp:0.0.0.0:5060", `"172.16.0.0/8"`, "172.16.0.0/8"},
		"private":                 {"udp:0.0.0.0:5060", `"10.1.0.0/16", "192.168.7.7", "fd00::/8", "127.0.0.1"`, ""},
		"public, by TCP only":     {"tcp:0.0.0.0:5060", `"8.8.8.8"`, ""},
		"public, on loopback":     {"udp:127.0.0.1:5060", `"8.8.8.8"`, ""},
		"a mapped private subnet": {"udp:0.0.0.0:5060", `"::ffff:10.0.0.0/104"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			doc, faults := tenant.ParseDocument("t.yaml", fmt.Appendf(nil, "links:\n  - {name: peer, kind: sip, from: [%s]}\n", test.from), tenant.Insecure(true))
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			var c config
			var l listener
			if err := l.UnmarshalText([]byte(test.listen)); err != nil {
				t.Fatal(err)
			}
			c.Listen.SIP = []listener{l}
			w := strings.Join(c.forgeable(doc), "\n")
			if (test.warned == "") != (w == "") || !strings.Contains(w, test.warned) {
				t.Errorf("warned: %q", w)
			}
		})
	}
}
