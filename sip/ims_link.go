package sip

import (
	"net/netip"
	"reflect"
	"strings"
	"time"

	"smsc/tenant"
	"smsc/translate"
)

// core is what a link of kind ims has beside what every SIP link has.
type core struct {
	cfg    tenant.IMS
	centre translate.RPAddress // smsc_address, our RP-OA
	route  string              // the link's uri as Route, "" where it is an I-CSCF
}

// newCore reads the settings of a link of kind ims. A uri with lr is a fixed
// S-CSCF and stands in a Route header; without it is an I-CSCF, which finds the
// S-CSCF itself (TS 24.229 §5.3.2).
func newCore(cfg tenant.IMS) (*core, error) {
	c := &core{cfg: cfg}
	if u, err := parseURI(cfg.URI); err == nil {
		if _, loose := param(u.params, "lr"); loose {
			c.route = "<" + cfg.URI + ">"
		}
	}
	var err error
	c.centre, err = translate.RPAddressOf(cfg.SMSCAddress)
	return c, err
}

// trusts tells whether an address is the core's.
func (l *link) trusts(a netip.Addr) bool {
	for _, p := range l.from {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// imsContent tells whether a request is of the kind that only an IMS core
// sends: it decides where a core and a SIP peer share an address (spec sip
// §3).
func imsContent(p *packet) bool {
	switch p.method {
	case "MESSAGE":
		kind, _ := mediaType(p.get("Content-Type"))
		return kind == typeRPDU
	case "REGISTER":
		return thirdParty(p)
	case "NOTIFY":
		event, _ := cutParam(p.get("Event"))
		return strings.EqualFold(strings.TrimSpace(event), "reg")
	}
	return false
}

// thirdParty tells whether a REGISTER is made for another: From is the
// S-CSCF, To the user (TS 24.229 §5.4.1.7).
func thirdParty(p *packet) bool {
	from, _, err := nameAddr(p.get("From"))
	to, _, err2 := nameAddr(p.get("To"))
	if err != nil || err2 != nil {
		return false
	}
	return p.get("Authorization") == "" &&
		(from.user != to.user || !strings.EqualFold(from.host, to.host) || from.scheme != to.scheme)
}

// coreKeepalive is how often a core that is quiet is asked with OPTIONS. One
// that never answers them is judged by its MESSAGEs alone.
const coreKeepalive = 30 * time.Second

// sameCore tells whether the settings of a link of kind ims did not change.
func (l *link) sameCore(now *tenant.IMS) bool {
	if l.core == nil || now == nil {
		return l.core == nil && now == nil
	}
	return reflect.DeepEqual(l.core.cfg, *now)
}
