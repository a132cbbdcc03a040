package restapi

import (
	"strconv"
	"strings"

	"smsc/message"
	"smsc/translate"
)

// appendCost writes an amount with all of its six places.
func appendCost(dst []byte, a message.Amount) []byte {
	text := a.String()
	dst = append(dst, text...)
	at := strings.IndexByte(text, '.')
	if at < 0 {
		return append(dst, ".000000"...)
	}
	return append(dst, "000000"[:6-(len(text)-at-1)]...)
}

// appendNormal writes the normal form of numbers, by which routing went.
func appendNormal(dst []byte, m *message.Message) []byte {
	if m.From.IsNumber() {
		dst = appendString(append(dst, `,"source_e164":`...), m.From.Value)
	}
	if m.To.IsNumber() {
		dst = appendString(append(dst, `,"destination_e164":`...), m.To.Value)
	}
	return dst
}

// appendFull writes the fields of example 5 from status on. One who sees the
// message only because it goes over his link is not told what is between us
// and its owner.
func (c *call) appendFull(dst []byte, r message.Record) []byte {
	m, s := r.Message, &r.State
	owner := c.owns(m)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, r.Status()...)
	dst = append(dst, `","sid":"`...)
	dst = c.s.sids.append(dst, m.ID)
	dst = append(dst, '"')
	if owner {
		dst = append(dst, `,"account":`...)
		dst = appendString(dst, m.Account)
	}
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, m.Kind.String()...)
	dst = append(dst, `","source_smsc":`...)
	dst = appendString(dst, c.linkName(m.Origin.Link))
	dst = append(dst, `,"source_type":"`...)
	dst = append(dst, m.Origin.Type.String()...)
	dst = append(dst, `","tp_dcs_character_set":"`...)
	dst = append(dst, charsetOf(m)...)
	dst = append(dst, `","tp_dcs_coding_group":"`...)
	dst = append(dst, groupOf(m)...)
	dst = append(dst, `","tp_user_data_header":`...)
	dst = appendUDH(dst, m.Body.UDH)
	dst = append(dst, `,"deadletter":`...)
	dst = strconv.AppendBool(dst, s.Phase == message.Failed || s.Phase == message.Expired)
	dst = append(dst, `,"encoding":"`...)
	dst = append(dst, m.Body.Coding.String()...)
	dst = append(dst, `","parts":`...)
	dst = strconv.AppendInt(dst, int64(max(parts(m), 1)), 10)
	if owner {
		dst = append(dst, `,"cost":"`...)
		dst = append(appendCost(dst, message.Amount(s.Charge.Cost)), `","cost_unit":`...)
		dst = appendString(dst, c.s.cfg.CostUnit)
	}
	dst = append(dst, `,"status_report":"`...)
	dst = append(dst, m.Wants.String()...)
	dst = append(dst, '"')
	if owner {
		dst = append(dst, `,"client_ref":`...)
		dst = appendStringOrNull(dst, m.Origin.Handle)
	}
	return c.appendFate(dst, r)
}

// appendFate writes what has become of the message so far.
func (c *call) appendFate(dst []byte, r message.Record) []byte {
	s := &r.State
	dst = append(dst, `,"link":`...)
	dst = appendStringOrNull(dst, c.linkName(s.Link))
	dst = append(dst, `,"route":`...)
	if id := c.routeOf(r); id > 0 {
		dst = strconv.AppendInt(dst, int64(id), 10)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"cause":`...)
	dst = appendStringOrNull(dst, r.Cause().String())
	dst = append(dst, `,"detail":`...)
	dst = appendStringOrNull(dst, s.Last.Detail)
	dst = append(dst, `,"remote_ids":[`...)
	for comma, i := false, 0; i < len(s.Segments); i++ {
		id := s.Segments[i].Remote
		if id == "" {
			continue // refused: the next hop has no name for it
		}
		if comma {
			dst = append(dst, ',')
		}
		dst, comma = appendString(dst, id), true
	}
	dst = append(dst, `],"delivered_at":`...)
	dst = appendTime(dst, deliverTime(r))
	dst = append(dst, `,"last_attempt_at":`...)
	dst = appendTime(dst, lastAttempt(s))
	dst = append(dst, `,"done_at":`...)
	dst = appendTime(dst, s.Ended)
	dst = append(dst, `,"leased_until":`...)
	return appendTime(dst, leasedUntil(r))
}

// appendContentIfSet writes what a frontend cannot deliver without, where the
// submitter set it or the text alone does not say it.
func appendContentIfSet(dst []byte, r message.Record, raw bool) []byte {
	m := r.Message
	if m.Extra[extraCharset] != "" || m.Body.Coding == message.Octets || m.Body.Coding == message.Opaque ||
		m.Body.Coding == message.UCS2 && m.Body.IsText() && translate.FitsGSM7(m.Body.Text) {
		dst = append(dst, `,"tp_dcs_character_set":"`...)
		dst = append(append(dst, charsetOf(m)...), '"')
	}
	if g := groupOf(m); g != "general_data_coding" {
		dst = append(dst, `,"tp_dcs_coding_group":"`...)
		dst = append(append(dst, g...), '"')
	}
	if m.Body.UDH != nil {
		dst = append(dst, `,"tp_user_data_header":`...)
		dst = appendUDH(dst, m.Body.UDH)
	}
	return appendRest(dst, r, raw)
}

// appendRest writes the fields of spec rest §2.1 that no example has, where
// they are set.
func appendRest(dst []byte, r message.Record, raw bool) []byte {
	m := r.Message
	text := func(name, v string) {
		if v != "" {
			dst = append(append(append(dst, `,"`...), name...), `":`...)
			dst = appendString(dst, v)
		}
	}
	number := func(name string, n int) {
		dst = append(append(append(dst, `,"`...), name...), `":`...)
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	flag := func(name string, set bool) {
		if set {
			dst = append(append(append(dst, `,"`...), name...), `":true`...)
		}
	}
	text("source_imsi", m.Extra[extraFromIMSI])
	text("dest_imsi", m.Extra[extraToIMSI])
	flag("tp_dcs_compressed", m.Body.HasDCS && m.Body.DCS >= 0x20 && m.Body.DCS < 0x40)
	if m.Body.Class != message.ClassNone {
		flag("tp_dcs_has_message_class", true)
		number("tp_dcs_message_class", int(m.Body.Class-1))
	}
	if p := m.Body.Part; p != nil {
		number("message_part_number", int(p.Seq))
		number("message_parts", int(p.Total))
		number("message_reference", int(p.Ref))
	}
	flag("raw_data_flag", raw)
	flag("raw_sip_flag", m.Extra[extraRawSIP] != "")
	if pid, err := strconv.Atoi(m.Extra[extraPID]); err == nil {
		number("tp_pid", pid)
	}
	if m.Priority > 0 {
		number("priority", int(m.Priority))
	}
	flag("reply_path", asksReply(m))
	return dst
}

// appendUDH writes a header as its information elements, one that repeats an
// element or is broken as "raw".
func appendUDH(dst, udh []byte) []byte {
	if len(udh) == 0 {
		return append(dst, "null"...)
	}
	start := len(dst)
	dst = append(dst, '{')
	last := -1
	for e := udh[1:]; len(e) > 0; {
		if len(e) < 2 || len(e) < 2+int(e[1]) || int(e[0]) <= last {
			// Ascending order is how it is sent again: anything else would
			// come back as another header.
			dst = append(dst[:start], `{"raw":`...)
			return append(appendHex(dst, udh), '}')
		}
		if last >= 0 {
			dst = append(dst, ',')
		}
		last = int(e[0])
		dst = append(appendHex(dst, e[:1]), ':')
		dst = appendHex(dst, e[2:2+int(e[1])])
		e = e[2+int(e[1]):]
	}
	return append(dst, '}')
}
