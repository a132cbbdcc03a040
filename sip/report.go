package sip

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/translate"
)

// report recognises a receipt about something we sent over this link (spec
// sip §8.3). taken is false where the request is an ordinary message.
func (s *Server) report(x *exchange, who *link, m *message.Message) (r response, taken bool) {
	if x.imdn != nil {
		return s.reportIMDN(x, who), true
	}
	marked, isMarked := x.once(xReceipt)
	if !isMarked && !who.cfg.Reports || s.deps.Reporter == nil {
		return r, false
	}
	text := m.Body.Text
	said, isReceipt := translate.ParseReceipt(text)
	if !isMarked && (!isReceipt || !strings.HasPrefix(strings.ToLower(text), "id:")) {
		return r, false
	}
	if isMarked {
		readMark(marked, &said)
	}
	news := message.News{Link: who.name, Outcome: translate.OutcomeOf(said)}
	for _, id := range []string{x.get(xID), said.ID} {
		if id != "" {
			news.Remote = append(news.Remote, id)
		}
	}
	own := s.inReplyTo(x, who, &news)
	if len(news.Remote) == 0 {
		return response{status: 200}, true // marked, but about nothing
	}
	err := s.tellNews(news)
	if errors.Is(err, message.ErrNotFound) && !isMarked && !own {
		remote, found := s.recall(who, m, said)
		if !found {
			return r, false // text that looks like a receipt, about nothing of ours
		}
		news.Remote = []string{remote}
		err = s.tellNews(news)
	}
	s.keepReport(x, &news)
	if err != nil && !errors.Is(err, message.ErrNotFound) {
		return s.refusal(err), true
	}
	return response{status: 200}, true
}

// keepReport writes down the octets of a report.
func (s *Server) keepReport(x *exchange, news *message.News) {
	s.deps.Captured.Keep(capture.Hop{Step: capture.Report, Form: capture.SIP, Link: news.Link, Remote: news.Remote,
		Failed: news.Outcome.Result == message.Refused}, "", x.octets)
}

// tellNews reports one piece of news.
func (s *Server) tellNews(news message.News) error {
	if errs := s.deps.Reporter.Report(s.clock.context(), news); len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// readMark takes stat and err from X-SMS-RECEIPT: "DELIVRD;err=000".
func readMark(mark string, into *translate.Receipt) {
	stat, params := cutParam(mark)
	into.Stat = strings.ToUpper(strings.Trim(stat, " \t"))
	if err, ok := param(params, "err"); ok {
		into.Err = err
	}
}

// inReplyTo adds the ids that a Call-ID of ours stands for; own tells that
// In-Reply-To names one that left by this link.
func (s *Server) inReplyTo(x *exchange, who *link, news *message.News) (own bool) {
	for one := range strings.SplitSeq(x.get("In-Reply-To"), ",") {
		own = s.meant(strings.Trim(one, " \t"), who, news) || own
	}
	return own
}

// meant adds the ids of what a Call-ID of ours on this link stands for.
func (s *Server) meant(callID string, who *link, news *message.News) bool {
	id, part, link, ok := s.parseCallID(callID)
	if !ok || link != who.name {
		return false
	}
	news.Remote = append(news.Remote, callID)
	if s.deps.Ledger == nil {
		return true
	}
	// The peer may have given an id of its own in its answer; that is then
	// what the message is known by.
	rec, err := s.deps.Ledger.Find(s.clock.context(), nil, id)
	if err != nil || rec.State.Link != who.name {
		return true
	}
	if ids := rec.State.Remote(); part <= len(ids) && ids[part-1] != "" {
		news.Remote = append(news.Remote, ids[part-1])
	}
	return true
}

// callID names one part of one message on one link, and its life: the same
// for every attempt, so that a peer which remembers takes it once.
func (s *Server) callID(a *message.Attempt, part int) string {
	b := strconv.AppendUint(make([]byte, 0, 64), uint64(a.Message.ID), 10)
	b = strconv.AppendInt(append(b, '.'), int64(part), 10)
	if a.Reopened > 0 {
		b = strconv.AppendUint(append(b, 'r'), uint64(a.Reopened), 10)
	}
	b = append(append(b, '.'), a.Link...)
	return string(append(append(b, '@'), s.cfg.Node...))
}

// parseCallID reads what callID wrote.
func (s *Server) parseCallID(v string) (id message.ID, part int, link string, ok bool) {
	left, node, ok := strings.Cut(v, "@")
	if !ok || node != s.cfg.Node {
		return 0, 0, "", false
	}
	num, rest, _ := strings.Cut(left, ".")
	index, link, ok := strings.Cut(rest, ".")
	index, _, _ = strings.Cut(index, "r")
	if id, ok2 := message.ParseID(num); ok && ok2 {
		part, err := strconv.Atoi(index)
		return id, part, link, err == nil && part > 0
	}
	return 0, 0, "", false
}

// late hears a final answer that came after timer F: a 2xx ends the message,
// anything else is dropped (spec sip §10.2).
func (s *Server) late(l *link, id message.ID, alone bool, p *packet) {
	s.meters.response(l.name, "in", p.status)
	if p.status/100 != 2 || !alone || s.deps.Editor == nil {
		return
	}
	o := s.outcome(l, p)
	if o.Result != message.Delivered {
		return // who reports will report
	}
	o.Detail = "late " + o.Detail
	s.end.spawn(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.deps.Editor.Conclude(ctx, nil, id, "sip:"+l.name, o); err != nil {
			s.log.Debug().Err(err).Str("link", l.name).Stringer("msg", id).Msg("late answer not wanted")
		}
	})
}
