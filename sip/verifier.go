package sip

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	nonceLife = 5 * time.Minute
	maxNonces = 65_536 // nonces in use whose counts are remembered
)

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
	realm  string
	offers []string // algorithms of the challenges, the strongest first
	key    [32]byte

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

func newVerifier(realm string, allowed ...string) *verifier {
	v := &verifier{realm: realm, counts: make(map[string]*nonceCount)}
	_, _ = rand.Read(v.key[:])
	for _, alg := range []string{"SHA-256", "MD5"} {
		if len(allowed) == 0 || slices.ContainsFunc(allowed, func(a string) bool { return sameName(a, alg) }) {
			v.offers = append(v.offers, alg)
		}
	}
	return v
}

// challenge returns the two WWW-Authenticate values, SHA-256 first (RFC 8760
// §2.4).
func (v *verifier) challenge(from netip.Addr, stale bool, now time.Time) []header {
	nonce := v.nonce(from, now)
	all := make([]header, 0, 2)
	for _, alg := range v.offers {
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
	if rank == 1 && !slices.Contains(v.offers, "MD5") {
		return digestWrong, ours
	}
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
