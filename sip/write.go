package sip

import (
	"encoding/hex"
	"hash/fnv"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// request writes the MESSAGE for the part under way (spec sip §4.2, §6,
// §10.1). Call-ID and From tag are the same in every attempt; the CSeq
// counts what was sent anew within one, credentials counting as one, so that
// an attempt that knows the challenge writes what the last one ended with.
func (s *Server) request(d *delivery, f flow, branch string) []byte {
	m := d.a.Message
	content, about := d.form()
	target := d.targetURI()
	proof, proven := d.l.proof.authorise("MESSAGE", target)
	if proven && d.cseq == 1 {
		d.cseq = 2 // as if the challenge had been asked for again
	}
	callID := s.callID(&d.a, d.at+1)

	b := make([]byte, 0, 768+len(content.octets))
	b = append(append(append(b, "MESSAGE "...), target...), " SIP/2.0\r\n"...)
	b = s.appendVia(b, f, branch)
	b = strconv.AppendInt(append(b, "Max-Forwards: "...), int64(forwards(m)), 10)
	b = append(b, "\r\n"...)
	if d.c != nil && d.c.routes != "" { // the route set (RFC 3261 §8.1.2)
		b = appendField(b, "Route", d.c.routes)
	}
	b = append(b, "From: "...)
	if name := m.Extra[extraDisplay]; name != "" {
		b = append(append(b, quoted(name)...), ' ')
	}
	b = appendAddress(append(b, "<sip:"...), m.From, m.Kind, d.l)
	b = append(append(b, '@'), s.cfg.Domain...)
	if m.From.Form() == message.FormInternational && d.l.e164() {
		b = append(b, ";user=phone"...)
	}
	b = append(b, ">;tag="...)
	b = append(append(b, tagFor(callID)...), "\r\n"...)
	b = append(append(append(b, "To: <"...), d.ownURI()...), ">\r\n"...)
	b = appendField(b, "Call-ID", callID)
	b = strconv.AppendUint(append(b, "CSeq: "...), uint64(d.cseq), 10)
	b = append(b, " MESSAGE\r\n"...)
	if proven {
		b = appendField(b, proof.name, proof.value)
	}
	b = appendOurs(b, m, about, content)
	b = appendField(b, "Content-Type", content.kind)
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(content.octets)), 10)
	return append(append(b, "\r\n\r\n"...), content.octets...)
}

func (s *Server) appendVia(b []byte, f flow, branch string) []byte {
	b = append(append(b, "Via: SIP/2.0/"...), f.transport.String()...)
	b = append(append(append(b, ' '), s.sentBy(f)...), ";branch="...)
	return append(append(b, branch...), ";rport\r\n"...)
}

// appendOurs writes Date, Expires, Subject and the X-headers.
func appendOurs(b []byte, m *message.Message, about message.ID, content form) []byte {
	now := time.Now().UTC()
	b = now.AppendFormat(append(b, "Date: "...), "Mon, 02 Jan 2006 15:04:05 GMT")
	b = append(b, "\r\n"...)
	if left := m.Expires.Sub(now); m.Extra[extraValidity] != "" && left > 0 {
		b = appendField(b, "Expires", strconv.Itoa(int(left/time.Second)))
	}
	if v := m.Extra[extraSubject]; v != "" {
		b = appendField(b, "Subject", v)
	}
	switch m.Priority {
	case 3:
		b = appendField(b, "Priority", "emergency")
	case 2:
		b = appendField(b, "Priority", "urgent")
	}
	b = append(append(append(b, xCoding+": "...), content.coding), "\r\n"...)
	for _, h := range content.headers {
		b = appendField(b, h.name, h.value)
	}
	if !m.Expires.IsZero() {
		b = m.Expires.UTC().AppendFormat(append(b, xValidity+": "...), xTime)
		b = append(b, "\r\n"...)
	}
	if bits := regDelivery(m); bits != "" && m.Kind == message.KindMessage {
		b = appendField(b, xRegDelivery, bits)
	}
	if m.Origin.Type == message.SourceSMPP && m.Origin.Link != "" {
		b = appendField(b, xSMSC, m.Origin.Link)
	}
	b = appendRuled(b, m)
	b = m.Accepted.UTC().AppendFormat(append(b, xDeliveryTime+": "...), xTime)
	b = append(b, "\r\n"+xID+": "...)
	return append(strconv.AppendUint(b, uint64(about), 10), "\r\n"...)
}

// appendRuled writes the headers that message rules have set.
func appendRuled(b []byte, m *message.Message) []byte {
	if m.Ruled == nil {
		return b
	}
	var names []string
	for key := range m.Extra {
		if name, ok := strings.CutPrefix(key, message.ExtraHeader); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b = appendField(b, textproto.CanonicalMIMEHeaderKey(name), m.Extra[message.ExtraHeader+name])
	}
	return b
}

// forwards is Max-Forwards: one less than what came in (RFC 7332).
func forwards(m *message.Message) int {
	if n, err := strconv.Atoi(m.Extra[extraForwards]); err == nil && n > 0 {
		return min(n-1, 70)
	}
	if m.Origin.Type == message.SourceSIP {
		return 69
	}
	return 70
}

// tagFor derives the From tag from the Call-ID.
func tagFor(callID string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(callID))
	return hex.EncodeToString(h.Sum(nil))
}

// appendAddress writes the user part of an address: numbers without "+" in
// the restcomm dialect, which takes one for text. A receipt spells its
// numbers as the one it goes to did.
func appendAddress(b []byte, a message.Address, kind message.Kind, l *link) []byte {
	if kind == message.KindReceipt && a.Given != "" {
		if number, ok := readNumber(a.Given, false); ok {
			return appendUser(b, number)
		}
	}
	if !a.IsNumber() || l.e164() {
		return appendUser(b, a.Value)
	}
	return appendUser(b, a.Digits())
}

// form is the content of the part under way and the id it speaks of.
func (d *delivery) form() (f form, about message.ID) {
	m := d.a.Message
	receipt := m.Kind == message.KindReceipt && m.About != nil
	notifies := receipt && d.l.cfg.Receipts == "imdn"
	switch {
	case !receipt && !d.cpim:
		return formOf(d.bodies[d.at]), m.ID
	case receipt && !notifies:
		return receiptForm(m.About), m.About.ID
	}
	from := string(appendAddress(nil, m.From, m.Kind, d.l)) + "@" + d.s.cfg.Domain
	if about = m.ID; notifies {
		f, _ = notificationForm(m.About, "sip:"+from)
		about = m.About.ID
	} else {
		f = formOf(d.bodies[d.at])
	}
	return enveloped(f, from, d.ownURI(), d.s.imdnID(&d.a, d.at+1), time.Now(), d.asksIMDN()), about
}

// e164 tells whether numbers are written with "+" and user=phone (spec sip
// §4.2).
func (l *link) e164() bool { return l.users || l.cfg.Dialect == "cpim" }

// ownURI is the recipient at the link's peer, or the AOR of a user.
func (d *delivery) ownURI() string {
	if d.c != nil {
		return d.c.to
	}
	b := append(make([]byte, 0, 64), d.l.peer.scheme()...)
	b = appendAddress(b, d.a.Message.To, d.a.Message.Kind, d.l)
	b = append(append(b, '@'), d.l.peer.hostPort()...)
	if d.l.peer.params != "" {
		b = append(append(b, ';'), d.l.peer.params...)
	}
	return string(b)
}

// targetURI is the Request-URI: the recipient, or where we were sent on to.
func (d *delivery) targetURI() string {
	if d.c != nil {
		return withoutHeaders(d.c.binding.Contact) // RFC 4475 §3.3.14
	}
	if d.target.host == "" {
		return d.ownURI()
	}
	u := d.target
	b := append(make([]byte, 0, 64), "sip:"...)
	if user, ok := unescape(u.user); ok && user != "" {
		b = append(appendUser(b, user), '@')
	}
	b = append(b, u.host...)
	if u.port != 0 {
		b = strconv.AppendInt(append(b, ':'), int64(u.port), 10)
	}
	return string(b)
}
