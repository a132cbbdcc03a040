package sip

import (
	"strings"
	"testing"
)

func TestChallengesOfferWhatIsAllowedAndNothingElseCounts(t *testing.T) {
	for _, c := range []struct {
		allowed []string
		offers  string
		md5     int
	}{{nil, "SHA-256 MD5", 200}, {[]string{"md5"}, "MD5", 200}, {[]string{"sha-256"}, "SHA-256", 401}} {
		cfg := quick()
		cfg.Digest = c.allowed
		h := open(t, cfg, people)
		p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
		var offered []string
		a := p.answer(draft{method: "REGISTER", kind: "-", to: "<sip:alice@smsc.test>"}.String())
		for _, f := range a.headers {
			if d, ok := parseDigest(f.value); ok && f.name == "WWW-Authenticate" {
				offered = append(offered, d.algorithm)
			}
		}
		if strings.Join(offered, " ") != c.offers {
			t.Errorf("%v offers %v", c.allowed, offered)
		}
		for i, f := range a.headers {
			if f.name == "WWW-Authenticate" { // answer it as MD5, whatever it says
				a.headers[i].value = strings.Replace(f.value, "SHA-256", "MD5", 1)
			}
		}
		p.proof.learn(a)
		if got := p.register(""); got.status != c.md5 && !(c.md5 == 401 && got.status == 200 && p.proof.last.algorithm == "SHA-256") {
			t.Errorf("%v: MD5 gets %d", c.allowed, got.status)
		}
	}
}
