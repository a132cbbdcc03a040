package sip

import (
	"strconv"
	"strings"

	"smsc/message"
)

// smsOverIP makes the S-CSCF choose a contact that takes short messages
// (RFC 3841 §9.2, TS 24.341 §5.3.3.4.1).
const smsOverIP = "*;+g.3gpp.smsip;require;explicit"

// typeRPDU is the content of all that a phone and a service centre say to
// each other (TS 24.341 §7.1).
const typeRPDU = "application/vnd.3gpp.sms"

// envelope is a MESSAGE to a subscriber (TS 24.341 annex B.6): an RPDU, or a
// text for a phone that takes none.
type envelope struct {
	uri       string // Request-URI and To
	callID    string
	inReplyTo string // "" for what answers nothing
	content   string // Content-Type; "" is an RPDU
	from      string // URI in From; "" is our identity
	octets    []byte
}

// appendEnvelope writes what follows Route.
func (i *ims) appendEnvelope(b []byte, l *link, e *envelope, cseq int) []byte {
	own := i.identity(l)
	from := e.from
	if from == "" {
		from = own
	}
	b = append(append(append(b, "From: <"...), from...), ">;tag="...)
	b = append(append(b, tagFor(e.callID)...), "\r\nTo: <"...)
	b = append(append(b, e.uri...), ">\r\n"...)
	b = appendField(b, "Call-ID", e.callID)
	b = strconv.AppendInt(append(b, "CSeq: "...), int64(cseq), 10)
	b = append(b, " MESSAGE\r\n"...)
	if e.inReplyTo != "" {
		b = appendField(b, "In-Reply-To", e.inReplyTo)
	}
	b = append(append(append(b, "P-Asserted-Identity: <"...), own...), ">\r\n"...)
	kind := e.content
	if kind == "" {
		kind = typeRPDU
		b = appendField(b, "Request-Disposition", "no-fork")
		b = appendField(b, "Accept-Contact", smsOverIP)
	}
	b = appendField(b, "Content-Type", kind)
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(e.octets)), 10)
	return append(append(b, "\r\n\r\n"...), e.octets...)
}

// partName says which part of which message a request of ours carries, and in
// which try. It is the Call-ID, so that a report finds its message after a
// restart and on any node without a table (spec ims §4.1).
type partName struct {
	id      message.ID
	part    int // from 1
	attempt int
}

func (i *ims) callID(n partName) string {
	b := strconv.AppendUint(make([]byte, 0, 48), uint64(n.id), 10)
	b = strconv.AppendInt(append(b, '.'), int64(n.part), 10)
	b = strconv.AppendInt(append(b, '.'), int64(n.attempt), 10)
	return string(append(append(b, '@'), i.s.cfg.Node...))
}

// readPartName reads what callID wrote, on any node.
func readPartName(callID string) (n partName, ok bool) {
	left, _, _ := strings.Cut(callID, "@")
	fields := strings.Split(left, ".")
	if len(fields) != 3 {
		return n, false
	}
	if n.id, ok = message.ParseID(fields[0]); !ok {
		return n, false
	}
	var err, err2 error
	n.part, err = strconv.Atoi(fields[1])
	n.attempt, err2 = strconv.Atoi(fields[2])
	return n, err == nil && err2 == nil && n.part >= 1 && n.part <= message.MaxParts && n.attempt >= 1
}
