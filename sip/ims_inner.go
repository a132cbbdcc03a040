package sip

import (
	"strings"

	"smsc/tenant"
)

// inner is the phone's own REGISTER, which a core may pass on (TS 24.229
// §5.4.1.7A).
type inner struct {
	contacts []string
	imsi     string
	read     bool
}

// readInner finds message/sip in the body, alone or in a multipart. What
// cannot be read counts as not there.
func readInner(p *packet) (in inner) {
	kind, params := mediaType(p.get("Content-Type"))
	for _, part := range bodyParts(kind, params, p.body) {
		if part.kind != "message/sip" {
			continue
		}
		own, err := parsePacket(part.octets)
		if err != nil || own == nil || own.method != "REGISTER" {
			continue
		}
		in.read = true
		in.contacts, _ = own.list("Contact", maxContacts)
		in.imsi = imsiOf(own)
		return in
	}
	return in
}

type bodyPart struct {
	kind   string
	octets []byte
}

// bodyParts takes a body apart: one level of multipart is what cores send.
func bodyParts(kind, params string, body []byte) []bodyPart {
	boundary, ok := param(params, "boundary")
	if !strings.HasPrefix(kind, "multipart/") || !ok || boundary == "" {
		return []bodyPart{{kind, body}}
	}
	var all []bodyPart
	for n, piece := range strings.Split("\r\n"+string(body), "\r\n--"+boundary) {
		if n == 0 || strings.HasPrefix(piece, "--") || len(all) >= maxContacts {
			continue
		}
		_, piece, _ = strings.Cut(piece, "\r\n")
		head, content, ok := strings.Cut("\r\n"+piece, "\r\n\r\n")
		if !ok {
			continue
		}
		part := bodyPart{kind: "text/plain", octets: []byte(content)}
		for line := range strings.SplitSeq(head, "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			if sameName(expand(strings.TrimSpace(name)), "Content-Type") {
				part.kind, _ = mediaType(value)
			}
		}
		all = append(all, part)
	}
	return all
}

// imsiOf reads the private identity in the phone's credentials: its user part
// is an IMSI where its domain is made of it (TS 23.003 §13.3).
func imsiOf(own *packet) string {
	v := own.get("Authorization")
	d, ok := parseDigest(v)
	if !ok {
		return ""
	}
	user, host, _ := strings.Cut(d.user, "@")
	if !fromIMSI(uri{user: user, host: host}) {
		return ""
	}
	return user
}

// inner takes over what the phone itself said.
func (n *registration) inner(in inner) {
	if !in.read {
		return
	}
	if in.imsi != "" {
		n.imsi = in.imsi
	}
	if len(in.contacts) == 0 {
		return
	}
	n.smsip = tenant.No
	for _, c := range in.contacts {
		_, params, err := splitNameAddr(c)
		if err != nil {
			continue
		}
		if _, ok := param(params, "+g.3gpp.smsip"); ok {
			n.smsip = tenant.Yes
		}
		if v, ok := param(params, "+sip.instance"); ok && len(v) <= maxOtherValue && printable(v) {
			n.instance = v
		}
	}
}
