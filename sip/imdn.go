package sip

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/translate"
)

// imdnID is the imdn.Message-ID of what we send: the Call-ID without its host
// and link, because "@" may not stand in it (RFC 3862 §3.1).
func (s *Server) imdnID(a *message.Attempt, part int) string {
	id, _, _ := strings.Cut(s.callID(a, part), "."+a.Link+"@")
	return id
}

// reportIMDN hands on what a notification says of a message that left by
// this link. It is answered 200 also where nothing fits (spec sip §8.3).
func (s *Server) reportIMDN(x *exchange, who *link) response {
	taken := response{status: 200}
	news := message.News{Link: who.name, Outcome: translate.OutcomeOfIMDN(*x.imdn)}
	if !s.meant(x.imdn.MessageID+"."+who.name+"@"+s.cfg.Node, who, &news) || s.deps.Reporter == nil {
		return taken
	}
	s.keepReport(x, &news)
	if err := s.tellNews(news); err != nil && !errors.Is(err, message.ErrNotFound) {
		return s.refusal(err)
	}
	return taken
}

// enveloped puts a form into message/cpim (RFC 3862), as the dialect cpim has
// it. asks tells that a notification of the delivery is wished (RFC 5438
// §7.1.1.3).
func enveloped(inner form, from, to, id string, now time.Time, asks bool) form {
	c := translate.CPIM{
		From: "sip:" + from, To: to, DateTime: now, MessageID: id,
		ContentType: inner.kind, Disposition: inner.disposition, Content: inner.octets,
	}
	if asks {
		c.Wish = translate.WishDelivered | translate.WishFailed
	}
	inner.kind, inner.octets, inner.disposition = typeCPIM, translate.AppendCPIM(nil, c), ""
	return inner
}

// notificationForm writes a receipt as an IMDN (RFC 5438 §7.2.1.1); false
// for a state of which none is sent.
func notificationForm(about *message.About, recipient string) (form, bool) {
	id := about.Extra[extraIMDN]
	if id == "" {
		id = strconv.FormatUint(uint64(about.ID), 10)
	}
	imdn, final := translate.IMDNOf(about, id)
	imdn.Recipient = recipient
	f := form{kind: typeIMDN, coding: '0', octets: translate.AppendIMDN(nil, imdn), disposition: "notification"}
	if about.Handle != "" && !hasControl(about.Handle) {
		f.headers = append(f.headers, header{"In-Reply-To", about.Handle})
	}
	return f, final
}

// asksIMDN tells whether a message leaves with the wish for a notification.
func (d *delivery) asksIMDN() bool {
	return d.cpim && d.a.Message.Wants&message.WantFinal != 0 && d.a.Message.Kind == message.KindMessage
}

// otherForm takes the form that a peer says it accepts instead, once in an
// attempt (spec sip §5).
func (d *delivery) otherForm(p *packet) bool {
	if d.reformed || d.a.Message.Kind != message.KindMessage {
		return false
	}
	want := typeCPIM
	if d.cpim {
		want = strings.SplitN(formOf(d.bodies[d.at]).kind, ";", 2)[0]
	}
	accept, _ := p.list("Accept", maxHeaders)
	for _, v := range accept {
		if kind, _ := mediaType(v); kind == want {
			d.cpim, d.reformed = !d.cpim, true
			return true
		}
	}
	return false
}
