package sip

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // RFC 3261 §22 demands it
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Digest access authentication (RFC 3261 §22, RFC 7616, RFC 8760), both ways.

const (
	nonceLife = 5 * time.Minute
	maxNonces = 65_536 // nonces in use whose counts are remembered
)

// algorithms we know, the strongest first.
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
	for rest != "" {
		var one string
		one, rest = cutOutsideQuotes(rest, ',')
		key, v, _ := strings.Cut(one, "=")
		v = strings.Trim(v, " \t")
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = strings.ReplaceAll(strings.ReplaceAll(v[1:len(v)-1], `\"`, `"`), `\\`, `\`)
		}
		switch strings.ToLower(strings.Trim(key, " \t")) {
		case "realm":
			d.realm = v
		case "nonce":
			d.nonce = v
		case "opaque":
			d.opaque = v
		case "algorithm":
			d.algorithm = v
		case "qop":
			d.qop = v
		case "stale":
			d.stale = strings.EqualFold(v, "true")
		case "username":
			d.user = v
		case "uri":
			d.uri = v
		case "response":
			d.response = v
		case "cnonce":
			d.cnonce = v
		case "nc":
			d.nc = v
		}
	}
	return d, true
}

// expected computes the response that proves the password (RFC 7616 §3.4.1).
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

// verdict is what credentials prove.
type digestVerdict uint8

const (
	digestWrong digestVerdict = iota // or none for us
	digestStale                      // right, but the nonce is old, spent or unknown
	digestRight
)

// verifier asks for proof and judges it. Its nonces carry their own time and
// the source they were given to, so that asking keeps nothing.
type verifier struct {
	realm string
	key   [32]byte

	mu     sync.Mutex
	counts map[string]*nonceCount
	order  []string // of counts, oldest first
	lost   time.Time
}

// nonceCount is which nc of a nonce were seen: the highest and the 64 below.
type nonceCount struct {
	high uint32
	seen uint64
}

func newVerifier(realm string) *verifier {
	v := &verifier{realm: realm, counts: make(map[string]*nonceCount)}
	_, _ = rand.Read(v.key[:])
	return v
}

// challenge returns the two WWW-Authenticate values, SHA-256 first (RFC 8760
// §2.4).
func (v *verifier) challenge(from netip.Addr, stale bool, now time.Time) []header {
	nonce := v.nonce(from, now)
	all := make([]header, 0, 2)
	for _, alg := range []string{"SHA-256", "MD5"} {
		b := `Digest realm=` + quoted(v.realm) + `, nonce="` + nonce + `", algorithm=` + alg + `, qop="auth"`
		if stale {
			b += `, stale=true`
		}
		all = append(all, header{"WWW-Authenticate", b})
	}
	return all
}

func (v *verifier) nonce(from netip.Addr, at time.Time) string {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixNano()))
	copy(b[8:], v.seal(from, b[:8]))
	return hex.EncodeToString(b[:])
}

func (v *verifier) seal(from netip.Addr, stamp []byte) []byte {
	h := hmac.New(sha256.New, v.key[:])
	_, _ = h.Write(stamp)
	_, _ = h.Write(from.AsSlice())
	return h.Sum(nil)[:16]
}

// made returns when we gave nonce to from; false if we did not.
func (v *verifier) made(nonce string, from netip.Addr) (time.Time, bool) {
	b, err := hex.DecodeString(nonce)
	if err != nil || len(b) != 24 || !hmac.Equal(b[8:], v.seal(from, b[:8])) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))), true
}

// judge holds credentials against a password. ours tells that the nonce was
// one of ours: only then does a wrong answer prove where it came from.
func (v *verifier) judge(d digestFields, p *packet, password string, now time.Time) (verdict digestVerdict, ours bool) {
	at, ours := v.made(d.nonce, p.flow.peer.Addr())
	_, rank := algorithm(d.algorithm)
	if rank == 0 || d.qop == "" && rank != 1 || d.qop != "" && !sameName(d.qop, "auth") || !d.names(p) {
		return digestWrong, ours
	}
	want, _ := d.expected(p.method, password)
	if subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(d.response))) != 1 {
		return digestWrong, ours
	}
	if !ours || now.Sub(at) > nonceLife || d.qop != "" && !v.fresh(d, at) {
		return digestStale, ours
	}
	return digestRight, ours
}

// names tells whether the uri of credentials fits the request: a SIP or tel
// URI whose user, if it has one, is that of the Request-URI or To. The rest
// may differ: proxies rewrite it.
func (d digestFields) names(p *packet) bool {
	u, err := parseURI(d.uri)
	if err != nil {
		return false
	}
	claimed, f := readAddress(u)
	if f != nil || (u.scheme != "sip" && u.scheme != "sips" && u.scheme != "tel") {
		return false
	}
	if claimed.IsZero() {
		return true
	}
	if t, err := parseURI(p.target); err == nil {
		if a, f := readAddress(t); f == nil && a.Value == claimed.Value {
			return true
		}
	}
	t, _, err := nameAddr(p.get("To"))
	if err != nil {
		return false
	}
	a, f := readAddress(t)
	return f == nil && a.Value == claimed.Value
}

// fresh tells whether the nc of credentials is new for its nonce, and notes
// it. A nonce whose counts were forgotten is not fresh.
func (v *verifier) fresh(d digestFields, made time.Time) bool {
	n64, err := strconv.ParseUint(d.nc, 16, 32)
	n := uint32(n64)
	if err != nil || n == 0 {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.counts[d.nonce]
	if c == nil {
		if !made.After(v.lost) {
			return false
		}
		c = &nonceCount{}
		v.counts[d.nonce] = c
		if v.order = append(v.order, d.nonce); len(v.order) > maxNonces {
			v.forget()
		}
	}
	switch {
	case n > c.high:
		if shift := n - c.high; shift >= 64 {
			c.seen = 0
		} else {
			c.seen <<= shift
		}
		c.high = n
		c.seen |= 1
		return true
	case c.high-n >= 64 || c.seen&(1<<(c.high-n)) != 0:
		return false
	}
	c.seen |= 1 << (c.high - n)
	return true
}

// forget drops the older half; what was made before the youngest of it is
// stale from now on.
func (v *verifier) forget() {
	half := len(v.order) / 2
	for _, nonce := range v.order[:half] {
		if b, err := hex.DecodeString(nonce); err == nil && len(b) == 24 {
			if at := time.Unix(0, int64(binary.BigEndian.Uint64(b))); at.After(v.lost) {
				v.lost = at
			}
		}
		delete(v.counts, nonce)
	}
	v.order = append(v.order[:0], v.order[half:]...)
}

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
