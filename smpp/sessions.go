package smpp

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"time"

	"smsc/smpp/pdu"
)

// SessionState is how one bound session stands.
type SessionState struct {
	ID         string // unique within the link
	Peer       string // its address
	Bind       string // transmitter, receiver or transceiver
	Client     bool   // we bound to the peer
	Since      time.Time
	LastAt     time.Time     // when the peer last sent anything
	Asked      time.Duration // how long an enquire_link of ours is unanswered; 0: none is
	WindowUsed int           // requests of ours without an answer
	WindowSize int
	Inbound    int // requests of the peer without an answer
}

// Sessions lists the bound sessions of a link that are in use, the oldest first.
func (e *Edge) Sessions(link string) []SessionState {
	l := e.line(link)
	if l == nil {
		return nil
	}
	var all []SessionState
	for _, s := range l.inUse() {
		all = append(all, s.report())
	}
	slices.SortFunc(all, func(a, b SessionState) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Disconnect unbinds one session of a link, once its open requests are
// answered; false if there is none of that id. A carrier is bound to again.
func (e *Edge) Disconnect(link, id string) bool {
	l := e.line(link)
	if l == nil {
		return false
	}
	for _, s := range l.all() {
		if s.id() != id {
			continue
		}
		l.log.Info().Str("peer", s.peerText).Str("session", id).Msg("disconnect")
		e.wg.Go(func() { s.Unbind(s.o().ResponseTimeout) })
		return true
	}
	return false
}

// id names the session: by the moment it began, which no two share in
// practice.
func (s *Session) id() string { return strconv.FormatInt(s.since.UnixNano(), 36) }

func (s *Session) report() SessionState {
	st := SessionState{
		ID: s.id(), Peer: s.peerText, Bind: bindWord(s.Bound()), Client: !s.server.Load(), Since: s.since,
		LastAt: s.since.Add(time.Duration(s.readAt.Load())), WindowUsed: s.Load(), WindowSize: s.Window(), Inbound: int(s.inbound.Load()),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != 0 {
		st.Asked = time.Duration(s.clock() - s.asked)
	}
	return st
}

func bindWord(c pdu.Command) string {
	switch c {
	case pdu.BindTransmitter:
		return "transmitter"
	case pdu.BindReceiver:
		return "receiver"
	}
	return "transceiver"
}

// BindNews says that a session was bound, or that a bound one ended.
type BindNews struct {
	Link, ID, Peer, Bind string
	Opened               bool
	Why                  string // it ended; "" in good order
}

// hear tells the house of a bind, where it wants to hear.
func (e *Edge) hear(s *Session, link string, opened bool, why error) {
	if e.deps.Bound == nil {
		return
	}
	n := BindNews{Link: link, ID: s.id(), Peer: s.peerText, Bind: bindWord(pdu.Command(s.bind.Load())), Opened: opened}
	if why != nil && !errors.Is(why, errUnbound) {
		n.Why = why.Error()
	}
	e.deps.Bound(n)
}
