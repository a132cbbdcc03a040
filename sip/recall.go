package sip

import (
	"context"
	"strings"
	"time"

	"smsc/message"
	"smsc/translate"
)

// Bounds of the search for what a receipt without a known id is about.
const (
	recallWithin = 24 * time.Hour // receipts about older messages are not tried
	recallWait   = 2 * time.Second
	recallNewest = 20 // messages between the same two numbers that are looked at
)

// recall finds what a receipt is about that names no id of ours (spec sip
// §8.3): the newest unreported message of the link with From and To swapped
// and the same first characters. Only peers that never told an id of their
// own are believed so far, and one search at a time is made for a link: it
// reads the ledger.
func (s *Server) recall(who *link, m *message.Message, said translate.Receipt) (remote string, ok bool) {
	if s.deps.Ledger == nil || who.tells.Load() || !who.recalling.CompareAndSwap(false, true) {
		return "", false
	}
	defer who.recalling.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), recallWait)
	defer cancel()
	kind := message.KindMessage
	all, err := s.deps.Ledger.List(ctx, message.Query{
		Kind: &kind, Statuses: []string{"sent"}, Link: who.name, From: m.To.Digits(), To: m.From.Digits(),
		Since: time.Now().Add(-recallWithin), Desc: true, Limit: recallNewest,
	})
	if err != nil {
		s.log.Debug().Err(err).Str("link", who.name).Msg("what a receipt is about was not found in time")
	}
	for i := range all {
		if remote, ok := s.unreported(who, &all[i], said); ok {
			return remote, true
		}
	}
	return "", false
}

// unreported returns the Call-ID of the first part of a message that is not
// reported yet, if the message reads as the receipt says.
func (s *Server) unreported(who *link, r *message.Record, said translate.Receipt) (remote string, ok bool) {
	if strings.TrimRight(translate.Excerpt(r.Message.Body), " ") != strings.TrimRight(said.Text, " ") {
		return "", false
	}
	for _, g := range r.State.Segments {
		_, _, link, ours := s.parseCallID(g.Remote)
		if g.Result == message.Relayed && ours && link == who.name {
			return g.Remote, true
		}
	}
	return "", false
}
