package main

import (
	"fmt"
	"net/netip"
	"slices"

	"smsc/tenant"
)

// notPublic are the ranges that no stranger's packets come from where routers
// do their duty.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// warnings are those of the document and of both files together.
func (c *config) warnings(doc tenant.Document) []string {
	return append(doc.Warnings(), c.forgeable(doc)...)
}

// forgeable warns of links that trust public addresses while a listener takes
// UDP: who forges a source address needs no answer to have a message taken
// (spec sip §13).
func (c *config) forgeable(doc tenant.Document) []string {
	open := slices.ContainsFunc(c.Listen.SIP, func(l listener) bool { return l.transport == "udp" && !l.loopback() })
	if !open {
		return nil
	}
	var all []string
	for _, l := range doc.Links {
		var from []string
		switch {
		case l.SIP != nil:
			from = l.SIP.From
		case l.IMS != nil:
			from = l.IMS.From
		}
		for _, s := range from {
			if p, err := tenant.ParsePrefix(s); err == nil && public(p) {
				all = append(all, fmt.Sprintf("link %s: from trusts %s, a public address, and listen.sip takes UDP: whoever forges it sends in the link's name; use TLS with certificates, or filter at the border", l.Name, s))
			}
		}
	}
	return all
}

// public tells whether any address of p may be a stranger's.
func public(p netip.Prefix) bool {
	return !slices.ContainsFunc(notPublic, func(own netip.Prefix) bool { return own.Bits() <= p.Bits() && own.Contains(p.Addr()) })
}
