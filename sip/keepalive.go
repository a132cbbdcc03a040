package sip

import (
	"errors"
	"strconv"
	"time"
)

// Probing of peers (spec sip §10.3), in units of T1: 1 s between looks, 4 s
// for an answer, 10 s between probes while down, 60 s after ten of them.
const (
	probeTick   = 2
	probeWait   = 8
	probeSoon   = 20
	probeLater  = 120
	silencesMax = 3
)

// probe is what OPTIONS say of a peer. link.mu guards it.
type probe struct {
	running  bool
	next     time.Time
	last     time.Time
	answered bool // ever: one that never did is judged by its MESSAGEs alone
	silences int
}

// isDown tells whether the lane of the link is closed.
func (l *link) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.up
}

// keepalive asks every peer that has been quiet for its keepalive.
func (s *Server) keepalive(stop <-chan struct{}) {
	beat := time.NewTicker(probeTick * s.cfg.T1)
	defer beat.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-beat.C:
			for _, l := range s.links.Load().order {
				if l.wantsProbe(now, s.cfg.T1) {
					s.ask(l)
				}
				for _, at := range l.doubtful(now) {
					s.askPlace(l, at, func(p *packet, _ error) {
						if p == nil || p.status == 503 || p.status == 408 {
							l.shun(at, 0, time.Now())
						} else {
							l.pardon(at)
						}
					})
				}
			}
		}
	}
}

// wantsProbe tells whether it is time to ask, and notes that it is done.
func (l *link) wantsProbe(now time.Time, t1 time.Duration) bool {
	every := time.Duration(l.cfg.Keepalive)
	if l.peer.host == "" || every <= 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.probe.running || now.Before(l.probe.next):
		return false
	case l.up && l.probe.silences == 0 && now.Sub(l.lastAnswer) < every:
		return false
	}
	l.begins(now, t1)
	return true
}

// begins notes a probe and when the next is due. l.mu is held.
func (l *link) begins(now time.Time, t1 time.Duration) {
	l.probe.running, l.probe.last = true, now
	switch {
	case l.up:
		l.probe.next = now.Add(time.Duration(l.cfg.Keepalive))
	case l.probe.silences < silencesMax+10:
		l.probe.next = now.Add(probeSoon * t1)
	default:
		l.probe.next = now.Add(probeLater * t1)
	}
}

// probeNow asks a peer that is down because a message came for it: once a
// second at most.
func (s *Server) probeNow(l *link) {
	now := time.Now()
	l.mu.Lock()
	ask := !l.probe.running && now.Sub(l.probe.last) >= probeTick*s.cfg.T1
	if ask {
		l.begins(now, s.cfg.T1)
	}
	l.mu.Unlock()
	if ask {
		s.ask(l)
	}
}

// ask sends one OPTIONS to the first place of the peer.
func (s *Server) ask(l *link) {
	s.places(l, func(places []place, err error) {
		if err != nil {
			s.silence(l, "peer not resolved: "+err.Error())
			return
		}
		s.askPlace(l, places[0], func(p *packet, err error) {
			switch {
			case err != nil:
				l.shun(places[0], 0, time.Now())
				s.silence(l, "no answer to OPTIONS: "+err.Error())
			case p.status == 503 || p.status == 408:
				s.silence(l, "OPTIONS: "+detail(p))
			default:
				l.pardon(places[0])
				s.alive(l)
			}
		})
	})
}

// askPlace sends one OPTIONS and tells its answer.
func (s *Server) askPlace(l *link, to place, done func(*packet, error)) {
	if to.transport == transportUDP {
		s.startProbe(l, flow{transport: transportUDP, peer: to.addr, socket: s.end.socketFor(to.addr.Addr())}, done)
		return
	}
	s.end.connect(to, func(st *stream, err error) {
		if err != nil {
			done(nil, errors.Join(errUnsent, err))
			return
		}
		s.startProbe(l, flow{transport: to.transport, peer: to.addr, stream: st}, done)
	})
}

func (s *Server) startProbe(l *link, f flow, done func(*packet, error)) {
	branch := s.end.clients.newBranch()
	target := l.peer.scheme() + l.peer.hostPort()
	if l.peer.params != "" {
		target += ";" + l.peer.params
	}
	s.meters.request(l.name, "out", "OPTIONS")
	s.end.clients.start(&transaction{
		branch: branch, octets: s.optionsRequest(target, f, branch), flow: f,
		deadline: time.Now().Add(probeWait * s.cfg.T1),
		done: func(p *packet, err error) {
			if err == nil {
				s.meters.response(l.name, "in", p.status)
			}
			done(p, err)
		},
	})
}

func (s *Server) optionsRequest(target string, f flow, branch string) []byte {
	callID := branch[len(cookie):] + "@" + s.cfg.Node
	b := append(append(append([]byte(nil), "OPTIONS "...), target...), " SIP/2.0\r\n"...)
	b = s.appendVia(b, f, branch)
	b = appendField(b, "Max-Forwards", strconv.Itoa(70))
	b = appendField(b, "From", "<sip:"+s.cfg.Domain+">;tag="+tagFor(callID))
	b = appendField(b, "To", "<"+target+">")
	b = appendField(b, "Call-ID", callID)
	b = appendField(b, "CSeq", "1 OPTIONS")
	return append(b, "Content-Length: 0\r\n\r\n"...)
}

// alive opens the lane of a peer that answered.
func (s *Server) alive(l *link) {
	now := time.Now()
	l.mu.Lock()
	was := l.up
	l.probe.running, l.probe.answered, l.probe.silences = false, true, 0
	l.lastAnswer = now
	if !was {
		l.up, l.since = true, now
		l.probe.next = now.Add(time.Duration(l.cfg.Keepalive))
	}
	l.mu.Unlock()
	if !was {
		s.log.Info().Str("link", l.name).Msg("peer answers again")
		s.tell(l.name, true)
	}
}

// silence counts an OPTIONS without a good answer; the third closes the lane
// of a peer that used to answer.
func (s *Server) silence(l *link, why string) {
	now := time.Now()
	l.mu.Lock()
	l.probe.running = false
	l.probe.silences++
	l.lastError = why
	falls := l.up && l.probe.answered && l.probe.silences >= silencesMax
	if l.up && !falls && l.probe.answered {
		l.probe.next = now.Add(probeTick * s.cfg.T1) // be sure soon
	}
	if falls {
		l.up, l.since = false, now
		l.probe.next = now.Add(probeSoon * s.cfg.T1)
	}
	l.mu.Unlock()
	if falls {
		s.log.Warn().Str("link", l.name).Str("why", why).Msg("peer is silent: lane closed")
		s.tell(l.name, false)
	}
}
