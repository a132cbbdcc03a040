package sip

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
)

// credential answers the challenges of one peer. It keeps the last nonce, so
// that only the first request pays for a challenge.
type credential struct {
	user, password string

	mu   sync.Mutex
	have bool
	last digestFields
	nc   uint32
	name string // of the header: Authorization or Proxy-Authorization
}

// learn takes the strongest challenge of a 401 or 407 that we can answer;
// false if there is none (RFC 8760 §2.4). stale tells that the password was
// right and only the nonce old.
func (c *credential) learn(p *packet) (stale, ok bool) {
	ask, answer := "WWW-Authenticate", "Authorization"
	if p.status == 407 {
		ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
	}
	best := 0
	var chosen digestFields
	for i := range p.headers {
		if !sameName(p.headers[i].name, ask) {
			continue
		}
		d, isDigest := parseDigest(p.headers[i].value)
		_, rank := algorithm(d.algorithm)
		if isDigest && rank > best && d.nonce != "" && (d.qop == "" || offers(d.qop)) {
			best, chosen = rank, d
		}
	}
	if best == 0 || c.user == "" && c.password == "" {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.have, c.last, c.nc, c.name = true, chosen, 0, answer
	return chosen.stale, true
}

// offers tells whether "auth" is in a list of qop values.
func offers(qop string) bool {
	for _, one := range strings.Split(qop, ",") {
		if sameName(strings.Trim(one, " \t"), "auth") {
			return true
		}
	}
	return false
}

// authorise returns the header that proves us for one request, false while
// no challenge is known.
func (c *credential) authorise(method, target string) (header, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.have {
		return header{}, false
	}
	c.nc++
	d := c.last
	d.user, d.uri = c.user, target
	if d.qop != "" {
		var b [8]byte
		_, _ = rand.Read(b[:])
		d.qop, d.cnonce, d.nc = "auth", hex.EncodeToString(b[:]), hex8(c.nc)
	}
	d.response, _ = d.expected(method, c.password)
	v := `Digest username=` + quoted(d.user) + `, realm=` + quoted(d.realm) + `, nonce=` + quoted(d.nonce) +
		`, uri=` + quoted(d.uri) + `, response="` + d.response + `"`
	if d.algorithm != "" {
		v += `, algorithm=` + d.algorithm
	}
	if d.opaque != "" {
		v += `, opaque=` + quoted(d.opaque)
	}
	if d.qop != "" {
		v += `, qop=auth, nc=` + d.nc + `, cnonce="` + d.cnonce + `"`
	}
	return header{c.name, v}, true
}

func hex8(n uint32) string {
	s := strconv.FormatUint(uint64(n), 16)
	return strings.Repeat("0", 8-len(s)) + s
}
