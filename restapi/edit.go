package restapi

import (
	"slices"

	"smsc/message"
	"smsc/translate"
)

// contentMembers are the members that make a new body.
var contentMembers = []string{
	"message_body", "tp_dcs_character_set", "tp_dcs_coding_group", "tp_dcs_compressed", "tp_dcs_has_message_class",
	"tp_dcs_message_class", "tp_user_data_header", "message_part_number", "message_parts", "message_reference",
	"raw_data_flag", "raw_sip_flag",
}

// edits tells whether d changes what was asked, not only where it stands.
func (d *draft) edits() bool {
	for name := range d.set {
		if fields[name] != nil && name != "deadletter" {
			return true
		}
	}
	return false
}

// draftOf is the draft that would make m again.
func draftOf(m *message.Message) *draft {
	quoted, raw := appendText(nil, m)
	text, _ := value{quoted}.text()
	d := &draft{
		text: text, raw: raw, rawSIP: m.Extra[extraRawSIP] != "",
		charset: m.Extra[extraCharset], group: m.Extra[extraGroup], udh: m.Body.UDH,
		compressed: m.Body.HasDCS && m.Body.DCS >= 0x20 && m.Body.DCS < 0x40,
		hasClass:   m.Body.Class != message.ClassNone,
	}
	if d.hasClass {
		d.class = uint8(m.Body.Class - 1)
	}
	if d.raw && d.charset == "" {
		d.charset = charsetOf(m)
	}
	if p := m.Body.Part; p != nil {
		d.partNumber, d.parts, d.reference = p.Seq, p.Total, p.Ref
	}
	return d
}

// rewrite applies the members of d to the copy m of a waiting message.
func (c *call) rewrite(d *draft, m *message.Message) error {
	if err := c.rewriteAddresses(d, m); err != nil {
		return err
	}
	if err := d.rewriteBody(m); err != nil {
		return err
	}
	c.rewriteExtras(d, m)
	if d.set["dest_smsc"] {
		if l := c.dir.Link(d.dest); l != nil && !c.seesDeclared(l) && !c.dir.Table().Usable(m.Account, d.dest) {
			return refuse("foreign_link", "dest_smsc names a link of somebody else")
		}
		m.Dest = d.dest
	}
	if d.set["status_report"] {
		m.Wants = wantsOf(d.report)
	}
	if d.set["status_callback"] {
		delete(m.Extra, extraCallback)
		delete(m.Extra, message.ExtraHome)
		if d.callback != "" {
			jsonCallback(m, d.callback)
		}
	}
	if d.set["deliver_after"] {
		m.NotBefore = d.after
	}
	if d.set["expires"] && !d.expires.IsZero() {
		m.Expires = d.expires
	}
	if d.set["priority"] {
		m.Priority = d.priority
	}
	if d.set["client_ref"] {
		m.Origin.Handle = d.clientRef
	}
	if d.set["deliver_after"] && !m.NotBefore.IsZero() && !m.NotBefore.Before(m.Expires) {
		return invalid("body.deliver_after", "must lie before expires")
	}
	return c.checkRawSIP(m)
}

// rewriteBody makes a new body where d changes any member of it.
func (d *draft) rewriteBody(m *message.Message) error {
	if !slices.ContainsFunc(contentMembers, func(name string) bool { return d.set[name] }) {
		return nil
	}
	body, err := d.bodyOf()
	if err == nil {
		err = d.checkGroup(body)
	}
	if err != nil {
		return err
	}
	n, err := translate.CountParts(body)
	if err != nil {
		return refuse("too_many_parts", "a message has at most 255 parts")
	}
	m.Body, m.Parts = body, uint8(n)
	return nil
}

// rewriteAddresses brings new numbers into their normal form, as the door
// does, and asks again whether the sender is allowed.
func (c *call) rewriteAddresses(d *draft, m *message.Message) error {
	if !d.set["source_msisdn"] && !d.set["destination_msisdn"] {
		return nil
	}
	as := *m
	if d.set["source_msisdn"] {
		if what := senderFault(d.from); d.from == "" || what != "" {
			return invalid("body.source_msisdn", or(what, "must not be empty"))
		}
		as.From = addressOf(d.from, d.fromTON, d.fromNPI, d.set["source_ton"] || d.set["source_npi"])
	}
	if d.set["destination_msisdn"] {
		if d.to == "" {
			return invalid("body.destination_msisdn", "must not be empty")
		}
		as.To = addressOf(d.to, d.toTON, d.toNPI, d.set["dest_ton"] || d.set["dest_npi"])
	}
	as = *c.normalised(&as)
	if err := as.To.Validate(); err != nil {
		return invalid("body.destination_msisdn", err.Error())
	}
	if !c.dir.MaySend(m.Account, as.From.Value) {
		return refuse("sender_not_allowed", "the account may not send from this number or name")
	}
	m.From, m.To = as.From, as.To
	return nil
}

// rewriteExtras notes the members that only Extra holds.
func (c *call) rewriteExtras(d *draft, m *message.Message) {
	text := func(member, key, v string) {
		switch {
		case !d.set[member]:
		case v == "":
			delete(m.Extra, key)
		default:
			m.Extra = with(m.Extra, key, v)
		}
	}
	mark := func(set bool) string {
		if set {
			return "1"
		}
		return ""
	}
	text("tp_dcs_character_set", extraCharset, d.charset)
	text("tp_dcs_coding_group", extraGroup, d.group)
	text("raw_data_flag", extraRaw, mark(d.raw))
	text("raw_sip_flag", extraRawSIP, mark(d.rawSIP))
	text("source_imsi", extraFromIMSI, d.fromIMSI)
	text("dest_imsi", extraToIMSI, d.toIMSI)
	if d.set["reply_path"] {
		esm := ""
		if d.replyPath {
			esm = replyPath
		}
		text("reply_path", extraESMClass, esm)
	}
	if d.set["tp_pid"] {
		text("tp_pid", extraPID, pidText(d.pid))
	}
}
