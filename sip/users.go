package sip

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// userNamed returns the user that credentials name, and its link: the AOR alone,
// or with our domain behind it as some phones write it.
func (s *Server) userNamed(set *linkSet, name string) (*link, *tenant.User) {
	if set.users == nil {
		return nil, nil
	}
	if aor, host, ok := strings.Cut(name, "@"); ok && strings.EqualFold(host, s.cfg.Domain) {
		name = aor
	}
	declared, user := set.users.UserNamed(name)
	if user == nil || set.byName[declared.Name] == nil {
		return nil, nil
	}
	return set.byName[declared.Name], user
}

// proven notes that a user gave the right password, whatever it asked for.
func (s *Server) proven(x *exchange, user *tenant.User) {
	x.user = user
	if user != nil && s.deps.Presence != nil {
		s.deps.Presence.Sighted(user.AOR)
	}
}

// userSender is the sender of a user: its number, else its AOR. From must
// name one of them in any notation, or a sender that the account lists (spec
// sip §3).
func (s *Server) userSender(who *link, user *tenant.User, from message.Address) (message.Address, *fault) {
	set := s.links.Load()
	if _, named := set.users.User(from.Value); named == user {
		own := user.AOR
		if user.MSISDN != "" {
			own = user.MSISDN
		}
		return message.Address{Value: own}, nil
	}
	if a := set.users.Account(who.account); a != nil && len(a.Senders) > 0 && set.users.MaySend(who.account, from.Value) {
		return from, nil
	}
	return from, refuse(403, "sender not allowed")
}

// userRecipient gives the name of a user its declared spelling. A user may
// write to any number, but to names of our own domain only: we are no open
// relay (spec sip §4.1).
func (s *Server) userRecipient(who *link, p *packet, to message.Address) (message.Address, *fault) {
	set := s.links.Load()
	if set.users == nil || to.IsNumber() {
		return to, nil
	}
	u, err := parseURI(p.target)
	home := err == nil && (u.host == "" || s.ours(u.host, u.port))
	if _, user := set.users.UserNamed(to.Value); user != nil && home {
		return message.Address{Value: user.AOR}, nil
	}
	if who.users && !home {
		return to, refuse(404, "foreign domain")
	}
	return to, nil
}

// wake makes what waits for a user due: it is back (spec sip §11).
func (s *Server) wake(user *tenant.User) {
	if s.deps.Reporter == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.HandleWait)
	defer cancel()
	keys := []string{"aor:" + user.AOR}
	if digits := (message.Address{Value: user.MSISDN}).Digits(); digits != "" {
		// Whether the sender wrote "+" depends on its account's number plan.
		keys = append(keys, "number:+"+digits, "aor:"+digits)
	}
	for _, key := range keys {
		s.deps.Reporter.Awake(ctx, key)
	}
}

// homes are the addresses that registered users speak from: no strangers, as
// long as the binding lives.
type homes struct {
	until syncMap[netip.Addr, time.Time]
}

func (h *homes) add(a netip.Addr, until time.Time) {
	if was, ok := h.until.load(a); !ok || was.Before(until) {
		h.until.store(a, until)
	}
}

func (h *homes) has(a netip.Addr, now time.Time) bool {
	until, ok := h.until.load(a)
	return ok && now.Before(until)
}

func (h *homes) expire(now time.Time) {
	h.until.each(func(a netip.Addr, until time.Time) {
		if !now.Before(until) {
			h.until.remove(a)
		}
	})
}
