package sip

import "net/netip"

func addr4(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

func mustAddrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
