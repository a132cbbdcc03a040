package sip

import (
	"crypto/md5" //nolint:gosec // RFC 3261 §22 demands it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
)

// Digest access authentication (RFC 3261 §22, RFC 7616, RFC 8760), both ways.

// algorithms we know, the strongest first (RFC 8760 §2.1, RFC 8760 §2.3).
var algorithms = []struct {
	name string
	rank int
	make func() hash.Hash
}{
	{"SHA-512-256", 3, sha512.New512_256},
	{"SHA-256", 2, sha256.New},
	{"MD5", 1, md5.New},
}

// algorithm finds one by its token, case ignored; none given is MD5.
func algorithm(token string) (make func() hash.Hash, rank int) {
	if token == "" {
		token = "MD5"
	}
	for _, a := range algorithms {
		if sameName(a.name, token) {
			return a.make, a.rank
		}
	}
	return nil, 0
}

// digestFields are the parameters of a challenge or of credentials.
type digestFields struct {
	realm, nonce, opaque, algorithm string
	qop                             string
	stale                           bool
	user, uri, response, cnonce, nc string
}

// parseDigest reads a WWW-Authenticate or Authorization value; false if it is
// of another scheme.
func parseDigest(value string) (d digestFields, ok bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !sameName(scheme, "Digest") {
		return d, false
	}
	stale := ""
	fields := map[string]*string{
		"realm": &d.realm, "nonce": &d.nonce, "opaque": &d.opaque, "algorithm": &d.algorithm, "qop": &d.qop, "stale": &stale,
		"username": &d.user, "uri": &d.uri, "response": &d.response, "cnonce": &d.cnonce, "nc": &d.nc,
	}
	for rest != "" {
		var one string
		one, rest = cutOutsideQuotes(rest, ',')
		key, v, _ := strings.Cut(one, "=")
		v = strings.Trim(v, " \t")
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = strings.ReplaceAll(strings.ReplaceAll(v[1:len(v)-1], `\"`, `"`), `\\`, `\`)
		}
		if field := fields[strings.ToLower(strings.Trim(key, " \t"))]; field != nil {
			*field = v
		}
	}
	d.stale = strings.EqualFold(stale, "true")
	return d, true
}

// expected computes the response that proves the password (RFC 7616 §3.4.1),
// in lower-case hex of the length of its hash (RFC 8760 §2.2).
func (d digestFields) expected(method, password string) (string, bool) {
	make, _ := algorithm(d.algorithm)
	if make == nil {
		return "", false
	}
	sum := func(parts ...string) string {
		h := make()
		_, _ = h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	a1, a2 := sum(d.user, d.realm, password), sum(method, d.uri)
	if d.qop == "" {
		return sum(a1, d.nonce, a2), true
	}
	return sum(a1, d.nonce, d.nc, d.cnonce, d.qop, a2), true
}
