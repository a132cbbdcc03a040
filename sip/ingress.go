package sip

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/tenant"
)

// What becomes of a method (spec sip §2).
const (
	methodServed = iota + 1
	methodRefused
)

// allowedMethods are those that somebody has written down (RFC 3261 §8.2.1).
var allowedMethods = map[string]int{
	"MESSAGE": methodServed, "OPTIONS": methodServed, "NOTIFY": methodServed, "CANCEL": methodServed, "ACK": methodServed,
	"REGISTER": methodServed, "INVITE": methodRefused, "BYE": methodRefused, "SUBSCRIBE": methodRefused,
	"PUBLISH": methodRefused, "INFO": methodRefused, "REFER": methodRefused, "UPDATE": methodRefused, "PRACK": methodRefused,
}

// allow is the value of Allow: REGISTER only where there are users or a core.
func (s *Server) allow() string {
	if set := s.links.Load(); set.users != nil || set.cores {
		return "MESSAGE, REGISTER, OPTIONS"
	}
	return "MESSAGE, OPTIONS"
}

// receive answers one request whose syntax is right. The order of the checks
// is that of spec sip §2.
func (s *Server) receive(x *exchange) {
	s.meters.open.Add(1)
	defer s.meters.open.Add(-1)
	if x.method == "ACK" {
		return
	}
	if x.version != "SIP/2.0" {
		s.meters.request("", "in", x.method)
		x.answer(response{status: 505})
		return
	}
	// The link is looked up before the method, for the sake of the counters
	// alone; whether it may do anything is decided after the method.
	who := s.links.Load().byAddress(x.flow.peer, imsContent(x.packet))
	s.noted(x, who)
	switch allowedMethods[x.method] {
	case methodServed:
	case methodRefused:
		x.answer(response{status: 405}.with("Allow", s.allow()))
		return
	default:
		x.answer(response{status: 501}.with("Allow", s.allow()))
		return
	}
	switch {
	case x.method == "CANCEL":
		s.cancel(x)
	case x.method == "NOTIFY" && who != nil && who.core != nil:
		s.ims.notified(x, who)
	case tagOf(x.get("To")) != "" || x.method == "NOTIFY":
		x.answer(response{status: 481}) // we hold no dialogs and no subscriptions (RFC 3261 §12.2.2)
	case s.draining.Load() && !s.ims.mayFinish(x, who):
		x.answer(response{status: 503}.with("Retry-After", retryAfter(10*time.Second)))
	case x.method == "OPTIONS":
		s.options(x, who)
	case x.method == "REGISTER" && who != nil && who.core != nil && (thirdParty(x.packet) || s.links.Load().users == nil):
		s.ims.registered(x, who)
	case x.method == "REGISTER":
		s.register(x)
	case who != nil && who.core != nil && x.get("Authorization") == "":
		s.ims.message(x, who)
	default:
		s.message(x)
	}
}

// noted counts a request of a link; nil: of nobody yet.
func (s *Server) noted(x *exchange, who *link) {
	if who != nil {
		x.link = who.name
		who.counters.in.Add(1)
		who.answered(x.began)
	}
	s.meters.request(x.link, "in", x.method)
}

// cancel answers CANCEL: a MESSAGE in progress goes on, because only INVITE
// can be cancelled (RFC 3261 §9.1).
func (s *Server) cancel(x *exchange) {
	of := *x.packet
	of.method = "MESSAGE"
	if s.end.answers.running(transactionKey(&of, x.via)) {
		x.answer(response{status: 200})
		return
	}
	x.answer(response{status: 481})
}

// options says what we can do (RFC 3261 §11.2); a stranger hears only that we
// are here.
func (s *Server) options(x *exchange, who *link) {
	f := checkRequire(x.packet)
	if f == nil {
		_, f = requestURI(x.packet)
	}
	if f != nil {
		x.answer(f.answer(s.cfg.Node))
		return
	}
	r := response{status: 200}
	if who != nil || s.homes.has(x.flow.peer.Addr(), x.began) {
		r = r.with("Allow", s.allow()).with("Accept", accepted).with("Accept-Encoding", "identity")
		if s.links.Load().users != nil {
			r = r.with("Supported", "path, outbound")
		}
	}
	x.answer(r)
}

// identify finds the link that speaks (spec sip §3): by digest (RFC 3428 §11.1),
// else by certificate, else by address. ok is false when the request is answered already.
func (s *Server) identify(x *exchange) (who *link, user string, ok bool) {
	set := s.links.Load()
	for i := range x.headers {
		if !sameName(x.headers[i].name, "Authorization") {
			continue
		}
		d, isDigest := parseDigest(x.headers[i].value)
		if !isDigest || d.realm != s.verifier.realm {
			continue
		}
		who = set.byUser[d.user]
		password, user := "", (*tenant.User)(nil)
		if who != nil {
			password = who.cfg.Password
		}
		if l, named := s.userNamed(set, d.user); named != nil {
			who, user, password = l, named, named.Password
		}
		// An unknown user is judged like a known one, so that names cannot be
		// tried out by the clock.
		switch verdict, ours := s.verifier.judge(d, x.packet, password, x.began); {
		case verdict == digestRight && who != nil && password != "":
			s.proven(x, user)
			return who, d.user, s.active(x, who)
		case verdict == digestStale && who != nil && password != "":
			s.challenge(x, true)
		default:
			if ours && !set.knows(x.flow.peer.Addr()) {
				s.guard.failed(x.flow.peer.Addr(), x.began)
				if s.guard.guessed(strings.ToLower(clip(d.user, 64)), x.began) {
					s.pause(slowDelay)
				}
			}
			s.challenge(x, false)
		}
		return nil, "", false
	}
	if x.method == "REGISTER" { // an address never proves a user
		s.challenge(x, false)
		return nil, "", false
	}
	if who = set.byCertificate(x.flow.stream); who != nil {
		return who, "", s.active(x, who)
	}
	if who = set.byAddress(x.flow.peer, false); who != nil {
		return who, "", s.active(x, who)
	}
	if len(set.byUser) > 0 || set.users != nil {
		s.challenge(x, false)
	} else {
		x.answer(refuse(403, "source is not known").answer(s.cfg.Node))
	}
	return nil, "", false
}

// pause holds one request back, not longer than the server lives.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.end.stop:
	}
}

func (s *Server) challenge(x *exchange, stale bool) {
	x.answer(response{status: 401, headers: s.verifier.challenge(x.flow.peer.Addr(), stale, x.began)})
}

// active refuses a link whose account is suspended or closed.
func (s *Server) active(x *exchange, who *link) bool {
	x.link = who.name
	if s.deps.Directory == nil {
		return true
	}
	if status := s.deps.Directory().Status(who.account); status != tenant.Active {
		x.answer(refuse(403, "account is %s", status).answer(s.cfg.Node))
		return false
	}
	return true
}

// checkRequire refuses extensions but those known (RFC 3261 §8.2.2.3):
// MESSAGE needs none.
func checkRequire(p *packet, known ...string) *fault {
	var unknown []string
	for i := range p.headers {
		if !sameName(p.headers[i].name, "Require") {
			continue
		}
		for one := range strings.SplitSeq(p.headers[i].value, ",") {
			if one = strings.Trim(one, " \t"); one != "" && isToken(one) && !slices.ContainsFunc(known, func(k string) bool { return sameName(k, one) }) {
				unknown = append(unknown, one)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	f := refuse(420, "").with("Unsupported", strings.Join(unknown, ", "))
	f.plain = true
	return f
}

// retryAfter writes a delay of whole seconds, spread by a fifth so that those
// who are sent away do not come back together.
func retryAfter(d time.Duration) string {
	n := d.Seconds() * (0.8 + 0.4*rand.Float64())
	return strconv.Itoa(max(1, int(n+0.5)))
}
