package sip

import (
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"smsc/tenant"
)

// Flows of UDP through a NAT are kept open, and their end noticed, by OPTIONS
// (spec sip §11): every 50 T1 = 25 s, two silences end the binding.
const (
	pinholeEvery    = 50
	pinholeSlots    = 25 // so that the house does not ask all at once
	pinholeSilences = 2
)

// pinholes asks the devices behind NATs in turn until stop is closed.
func (s *Server) pinholes(stop <-chan struct{}) {
	beat := time.NewTicker(pinholeEvery * s.cfg.T1 / pinholeSlots)
	defer beat.Stop()
	seed := maphash.MakeSeed()
	for turn := uint64(0); ; turn++ {
		select {
		case <-stop:
			return
		case now := <-beat.C:
			if s.deps.Presence == nil || s.links.Load().users == nil {
				continue
			}
			s.homes.expire(now)
			mine := func(aor string) bool { return maphash.String(seed, aor)%pinholeSlots == turn%pinholeSlots }
			s.deps.Presence.EachFlow(mine, func(aor string, bindings []tenant.Binding) {
				for _, b := range bindings {
					if b.ByFlow && b.Transport == "UDP" {
						s.askDevice(aor, b)
					}
				}
			})
		}
	}
}

// device names a flow that is being watched.
type device struct{ aor, contact string }

// askDevice sends one OPTIONS through the pinhole.
func (s *Server) askDevice(aor string, b tenant.Binding) {
	c, ok := s.contactOf(aor, b)
	if !ok {
		return
	}
	key := device{aor, b.Contact}
	branch := s.end.clients.newBranch()
	s.meters.request("", "out", "OPTIONS")
	s.end.clients.start(&transaction{
		branch: branch, octets: s.optionsRequest(b.Contact, c.flow, branch), flow: c.flow,
		deadline: time.Now().Add(probeWait * s.cfg.T1),
		done: func(p *packet, err error) {
			if err == nil {
				s.meters.response("", "in", p.status)
				s.silent.remove(key)
				return
			}
			n, _ := s.silent.load(key)
			if n++; n < pinholeSilences {
				s.silent.store(key, n)
				return
			}
			s.silent.remove(key)
			s.end.spawn(func() { s.unreachable(aor, b) })
		},
	})
}

// unreachable ends a binding whose flow is dead, unless it was refreshed
// meanwhile; the next REGISTER brings it back.
func (s *Server) unreachable(aor string, b tenant.Binding) {
	err := s.deps.Presence.Change(s.clock.context(), aor, func(now []tenant.Binding) ([]tenant.Binding, error) {
		kept := slices.DeleteFunc(now, func(o tenant.Binding) bool {
			return o.Contact == b.Contact && o.Source == b.Source && o.Updated.Equal(b.Updated)
		})
		if len(kept) == len(now) {
			return nil, errUnchanged
		}
		return kept, nil
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		s.log.Error().Err(err).Msg("a dead flow could not be noted")
	}
}
