package restapi

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"smsc/message"
	"smsc/translate"
)

// Keys of Message.Extra: what the submitter wrote and no other word holds.
const (
	extraCharset  = "rest.charset" // tp_dcs_character_set as given
	extraGroup    = "rest.group"   // tp_dcs_coding_group as given
	extraRaw      = "rest.raw"     // message_body came in hexadecimal
	extraRawSIP   = "rest.raw_sip"
	extraFromIMSI = "rest.source_imsi"
	extraToIMSI   = "rest.dest_imsi"
	extraPID      = "smpp.protocol_id"
	extraESMClass = "smpp.esm_class" // decimal; the reply path is all we set (SMPP 3.4 §5.2.12)
)

// replyPath is esm_class with the reply path bit alone.
const replyPath = "128"

// asksReply tells whether m asks for the reply path, whichever way it came.
func asksReply(m *message.Message) bool {
	esm, err := strconv.Atoi(m.Extra[extraESMClass])
	return err == nil && esm&0x80 != 0
}

// bodyOf makes the content of d: the alphabet that was asked for, or the
// smallest that can write the text.
func (d *draft) bodyOf() (message.Body, error) {
	b, err := d.content()
	if err != nil {
		return b, err
	}
	if d.hasClass {
		b.Class = message.Class(d.class + 1)
	}
	if d.udh != nil {
		udh, err := translate.ParseUDH(d.udh)
		if err != nil {
			return b, invalid("body.tp_user_data_header", "is not made of whole elements")
		}
		b.UDH, b.Part = d.udh, udh.Concat()
	}
	if d.set["message_part_number"] || d.set["message_parts"] {
		if d.partNumber == 0 || d.parts == 0 || d.partNumber > d.parts {
			return b, invalid("body.message_part_number", "must come with message_parts and not be above it")
		}
		if b.Part == nil && d.parts > 1 {
			b.Part = &message.Part{Kind: message.PartSAR, Ref: d.reference, Total: d.parts, Seq: d.partNumber}
		}
	}
	d.applyGroup(&b)
	return b, nil
}

// content makes the text or the octets.
func (d *draft) content() (message.Body, error) {
	switch {
	case d.rawSIP:
		return message.Body{Coding: message.Octets, Data: nonEmpty([]byte(d.text))}, nil
	case d.raw:
		return d.rawContent()
	case d.text == "" && d.udh == nil:
		return message.Body{}, invalid("body.message_body", "may be empty only with tp_user_data_header or raw_data_flag")
	}
	charset := d.charset
	if charset == "" && d.group == "message_waiting_store_ucs2" {
		charset = "ucs2"
	}
	switch charset {
	case "gsm7":
		if _, bad, ok := translate.EncodeGSM7(nil, d.text); !ok {
			return message.Body{}, notEncodable(d.text, bad, "gsm7")
		}
		return message.Body{Coding: message.GSM7, Text: d.text}, nil
	case "ucs2":
		return message.Body{Coding: message.UCS2, Text: d.text}, nil
	case "8bit":
		octets, bad, ok := latin1(d.text)
		if !ok {
			return message.Body{}, notEncodable(d.text, bad, "8bit")
		}
		return message.Body{Coding: message.Octets, Data: nonEmpty(octets)}, nil
	case "latin1":
		if _, bad, ok := latin1(d.text); !ok {
			return message.Body{}, notEncodable(d.text, bad, "latin1")
		}
	}
	return translate.TextBody(d.text), nil
}

// rawContent reads message_body as hexadecimal user data: 8-bit octets, GSM
// septets one an octet, UTF-16BE, or ISO-8859-1.
func (d *draft) rawContent() (message.Body, error) {
	octets, err := hex.DecodeString(d.text)
	if err != nil {
		return message.Body{}, invalid("body.message_body", "must be hexadecimal with raw_data_flag")
	}
	if d.compressed {
		return message.Body{Coding: message.Opaque, Data: nonEmpty(octets)}, nil
	}
	switch d.charset {
	case "gsm7":
		for _, o := range octets {
			if o > 0x7f {
				return message.Body{}, invalid("body.message_body", "must be septets, one an octet")
			}
		}
		return translate.GSM7Body(octets), nil
	case "ucs2":
		b, err := translate.UCS2Body(octets)
		if err != nil {
			return b, invalid("body.message_body", "must be UTF-16BE")
		}
		return b, nil
	case "latin1":
		runes := make([]rune, len(octets))
		for i, o := range octets {
			runes[i] = rune(o)
		}
		return translate.TextBody(string(runes)), nil
	}
	return message.Body{Coding: message.Octets, Data: nonEmpty(octets)}, nil
}

// applyGroup writes a data coding that says more than alphabet and class
// (TS 23.038 §4). A waiting indication is set active, of the voicemail kind.
func (d *draft) applyGroup(b *message.Body) {
	class := uint8(0)
	if d.hasClass {
		class = 0x10 | d.class
	}
	alphabet := uint8(0)
	switch b.Coding {
	case message.Octets:
		alphabet = 0x04
	case message.UCS2:
		alphabet = 0x08
	}
	switch {
	case d.compressed:
		b.DCS, b.HasDCS = 0x20|alphabet|class, true
	case d.group == "auto_deletion":
		b.DCS, b.HasDCS = 0x40|alphabet|class, true
	case d.group == "message_waiting_discard":
		b.DCS, b.HasDCS = 0xC8, true
	case d.group == "message_waiting_store":
		b.DCS, b.HasDCS = 0xD8, true
	case d.group == "message_waiting_store_ucs2":
		b.DCS, b.HasDCS = 0xE8, true
	}
}

// checkGroup refuses groups that contradict the alphabet.
func (d *draft) checkGroup(b message.Body) error {
	waiting := strings.HasPrefix(d.group, "message_waiting_")
	switch {
	case d.compressed && !d.raw:
		return invalid("body.tp_dcs_compressed", "is possible with raw_data_flag only")
	case waiting && d.hasClass:
		return invalid("body.tp_dcs_coding_group", "a waiting indication has no class")
	case d.group == "message_waiting_store_ucs2" && b.Coding != message.UCS2,
		waiting && d.group != "message_waiting_store_ucs2" && b.Coding != message.GSM7:
		return invalid("body.tp_dcs_coding_group", "does not fit the character set of the text")
	case d.group == "data_coding_message_class" && b.Coding == message.UCS2 && d.hasClass:
		return invalid("body.tp_dcs_coding_group", "knows no ucs2; use general_data_coding")
	}
	return nil
}

// latin1 encodes text as ISO-8859-1, or returns the first character that is
// none of it.
func latin1(text string) (octets []byte, bad rune, ok bool) {
	octets = make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, r, false
		}
		octets = append(octets, byte(r))
	}
	return octets, 0, true
}

// notEncodable names the position of the first character that charset lacks,
// counted in characters from 1, and not the character: it is message text.
func notEncodable(text string, bad rune, charset string) *problem {
	at := 1
	if i := strings.IndexRune(text, bad); i >= 0 {
		at = utf8.RuneCountInString(text[:i]) + 1
	}
	what := "character " + strconv.Itoa(at) + " cannot be written in " + charset
	return &problem{code: "not_encodable", cause: message.BadContent, detail: what,
		faults: []fault{{location: "body.message_body", message: what}}}
}

// nonEmpty keeps a body of no octets apart from a body of text.
func nonEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// appendText writes message_body, and tells whether it is hexadecimal.
func appendText(dst []byte, m *message.Message) (out []byte, raw bool) {
	b := &m.Body
	if b.IsText() {
		if m.Extra[extraRaw] == "" {
			return appendString(dst, b.Text), false
		}
		return appendHex(dst, translate.UserData(*b)), true
	}
	switch {
	case m.Extra[extraRawSIP] != "":
		return appendString(dst, string(b.Data)), false
	case m.Extra[extraCharset] == "8bit" && m.Extra[extraRaw] == "":
		runes := make([]rune, len(b.Data))
		for i, o := range b.Data {
			runes[i] = rune(o)
		}
		return appendString(dst, string(runes)), false
	}
	return appendHex(dst, b.Data), true
}

// charsetOf is tp_dcs_character_set: as given, else what the body is in.
func charsetOf(m *message.Message) string {
	if c := m.Extra[extraCharset]; c != "" {
		return c
	}
	switch m.Body.Coding {
	case message.GSM7:
		return "gsm7"
	case message.UCS2:
		return "ucs2"
	}
	return "8bit"
}

// groupOf is tp_dcs_coding_group: as given, else read from the data coding.
func groupOf(m *message.Message) string {
	if g := m.Extra[extraGroup]; g != "" {
		return g
	}
	if m.Body.HasDCS {
		switch dcs := m.Body.DCS; {
		case dcs >= 0xf0:
			return "data_coding_message_class"
		case dcs >= 0xe0:
			return "message_waiting_store_ucs2"
		case dcs >= 0xd0:
			return "message_waiting_store"
		case dcs >= 0xc0:
			return "message_waiting_discard"
		case dcs >= 0x40 && dcs < 0x80:
			return "auto_deletion"
		}
	}
	return "general_data_coding"
}
