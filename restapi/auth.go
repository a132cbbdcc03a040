package restapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"smsc/tenant"
)

// authenticate finds out who is asking (spec rest §1.1). It returns nil where
// the request may go on; the identity then stands in c.id.
func (c *call) authenticate() *problem {
	addr, counted := strangerAddr(c.r.RemoteAddr)
	if counted && c.s.wrong.blocked(addr, c.start) {
		return &problem{code: "throttled", detail: "too many wrong credentials from this address", after: time.Minute}
	}
	id, given, ok := credential(c.r, c.dir)
	if !ok {
		if given && counted {
			c.s.wrong.add(addr, c.start)
		}
		return refuse("unauthorized", "a credential is needed that this server knows")
	}
	switch c.dir.Status(id.Account) {
	case tenant.Closed:
		return refuse("unauthorized", "a credential is needed that this server knows")
	case tenant.Suspended:
		return refuse("account_suspended", "the account is suspended")
	}
	c.id = id
	if !id.Role.Allows(c.route.need) {
		return refuse("forbidden", "this needs the role "+string(c.route.need))
	}
	if c.route.operator && id.Account != tenant.Operator {
		return refuse("forbidden", "this is the operator's")
	}
	return nil
}

// credential reads who r speaks for: Basic (RFC 7617 §2), Bearer (RFC 6750 §2.1) or a key. X-API-Key wins, because a proxy in front
// may own Authorization; the loser is not looked at. Nothing is ever taken
// from a query string. The directory compares digests of secrets, so the time
// it takes says nothing about them.
func credential(r *http.Request, dir *tenant.Directory) (id tenant.Identity, given, ok bool) {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		id, ok = dir.AuthenticateKey(key)
		return id, true, ok
	}
	authorization := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(authorization, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		id, ok = dir.AuthenticateKey(strings.TrimSpace(rest))
		return id, true, ok
	case strings.EqualFold(scheme, "Basic"):
		user, secret, parsed := r.BasicAuth()
		if !parsed {
			return id, true, false
		}
		id, ok = dir.Authenticate(user, secret)
		return id, true, ok
	}
	if authorization == "" && r.TLS != nil {
		id, ok = certificate(r.TLS, dir)
		return id, false, ok
	}
	return id, authorization != "", false
}

// certificate reads who a client certificate speaks for: the account that its
// subject names. Only one that the listener has verified counts.
func certificate(state *tls.ConnectionState, dir *tenant.Directory) (tenant.Identity, bool) {
	if len(state.VerifiedChains) == 0 {
		return tenant.Identity{}, false
	}
	name := state.VerifiedChains[0][0].Subject.CommonName
	a := dir.Account(name)
	if a == nil || a.Name != name {
		return tenant.Identity{}, false
	}
	return tenant.Identity{Account: a.Name, Name: "certificate", Role: tenant.Send}, true
}

// crossSite tells whether a browser marks r as sent by another site. A page
// of a stranger must not act with the credential of a proxy or a saved
// password; a GET without effect shows it nothing, as no CORS header is sent.
func crossSite(r *http.Request, effect bool) bool {
	if !effect && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	case "same-origin", "none":
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	_, host, found := strings.Cut(origin, "://")
	return !found || !strings.EqualFold(host, r.Host)
}

// strangerAddr returns the address whose wrong credentials are counted:
// everybody's but this machine's own.
func strangerAddr(remote string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	addr = addr.Unmap()
	if addr.Is6() {
		// One host has a whole /64.
		if p, err := addr.WithZone("").Prefix(64); err == nil && !addr.IsLoopback() {
			return p.Addr(), true
		}
	}
	return addr, !addr.IsLoopback()
}

// wrongKeys counts wrong credentials by address, for at most 10,000
// addresses: a flood from more than that only makes it forget.
type wrongKeys struct {
	mu    sync.Mutex
	max   int
	addrs map[netip.Addr]*wrongCount
}

type wrongCount struct {
	since time.Time // of the minute that is counted, or of the block
	n     int
}

const maxWrongAddrs = 10_000

func newWrongKeys(max int) *wrongKeys {
	return &wrongKeys{max: max, addrs: map[netip.Addr]*wrongCount{}}
}

// blocked tells whether addr has used its minute up.
func (w *wrongKeys) blocked(addr netip.Addr, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.addrs[addr]
	if c == nil {
		return false
	}
	if now.Sub(c.since) >= time.Minute {
		delete(w.addrs, addr)
		return false
	}
	return c.n >= w.max
}

// add counts one wrong credential. The one that reaches the limit starts the
// minute of the block.
func (w *wrongKeys) add(addr netip.Addr, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.addrs[addr]
	if c == nil || now.Sub(c.since) >= time.Minute {
		if len(w.addrs) >= maxWrongAddrs {
			clear(w.addrs)
		}
		c = &wrongCount{since: now}
		w.addrs[addr] = c
	}
	if c.n++; c.n == w.max {
		c.since = now
	}
}
