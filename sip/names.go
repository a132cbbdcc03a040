package sip

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

var errNoName = errors.New("the name has no address")

// names finds the places of a peer (RFC 3263 §4). The system's resolver gives
// SRV and addresses, so that its files hold as everywhere; only NAPTR, which
// it does not know, is asked for by ourselves.
type names struct {
	resolver *net.Resolver
	servers  []string // for NAPTR, host:port
}

// newNames asks the server "host:port", or the system's where it is "".
func newNames(server string) *names {
	if server == "" {
		n := &names{resolver: net.DefaultResolver}
		if c, err := dns.ClientConfigFromFile("/etc/resolv.conf"); err == nil {
			for _, s := range c.Servers {
				n.servers = append(n.servers, net.JoinHostPort(s, c.Port))
			}
		}
		return n
	}
	var d net.Dialer
	return &names{servers: []string{server}, resolver: &net.Resolver{PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.DialContext(ctx, network, server)
		}}}
}

// service is one way to a domain: a transport and where its SRV records are.
type service struct {
	transport transport
	srv       string
}

// find returns the places of a target in the order to try (RFC 3263 §4.1 and
// RFC 3263 §4.2).
func (n *names) find(ctx context.Context, t target) ([]place, error) {
	host := strings.TrimSuffix(t.host, ".")
	if t.port != 0 {
		return n.hosts(ctx, t, t.transport, host, uint16(t.port))
	}
	services := n.naptr(ctx, t, host)
	if len(services) == 0 {
		services = t.services(host)
	}
	var all []place
	for _, sv := range services {
		_, records, err := n.resolver.LookupSRV(ctx, "", "", sv.srv)
		if err != nil {
			continue
		}
		for _, r := range records { // sorted by priority, drawn by weight (RFC 2782)
			if r.Target == "." {
				continue // the service is not there, and says so
			}
			found, err := n.hosts(ctx, t, sv.transport, r.Target, r.Port)
			if err == nil {
				all = append(all, found...)
			}
			if len(all) >= maxPlaces {
				return all[:maxPlaces], nil
			}
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return n.hosts(ctx, t, t.transport, host, uint16(t.portOr()))
}

// hosts returns the addresses of one host, IPv4 first.
func (n *names) hosts(ctx context.Context, t target, by transport, host string, port uint16) ([]place, error) {
	found, err := n.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.Unmap().BitLen() - b.Unmap().BitLen() })
	all := make([]place, 0, len(found))
	for _, a := range found[:min(len(found), maxPlaces)] {
		p := t.at(netip.AddrPortFrom(a.Unmap(), port))
		if p.transport = by; by == transportTLS && p.name == "" {
			p.name = t.host
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, errNoName
	}
	return all, nil
}

// naptr returns the services that the domain names itself, in its order,
// those that the target allows. A resolver that is slow or refuses is passed
// over: SRV stands on its own.
func (n *names) naptr(ctx context.Context, t target, host string) []service {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	query := new(dns.Msg)
	query.SetQuestion(dns.Fqdn(host), dns.TypeNAPTR)
	query.SetEdns0(1232, false)
	client := &dns.Client{}
	for _, server := range n.servers {
		answer, _, err := client.ExchangeContext(ctx, query, server)
		if err != nil || answer.Rcode != dns.RcodeSuccess {
			continue
		}
		var records []*dns.NAPTR
		for _, rr := range answer.Answer {
			if r, ok := rr.(*dns.NAPTR); ok && strings.EqualFold(r.Flags, "s") {
				records = append(records, r)
			}
		}
		slices.SortStableFunc(records, func(a, b *dns.NAPTR) int {
			return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
		})
		var all []service
		for _, r := range records {
			if by, ok := naptrServices[strings.ToUpper(r.Service)]; ok && t.allows(by) {
				all = append(all, service{by, r.Replacement})
			}
		}
		return all
	}
	return nil
}

// naptrServices are those of RFC 3263 §4.1 and RFC 7118 §8 that we can dial.
var naptrServices = map[string]transport{"SIP+D2U": transportUDP, "SIP+D2T": transportTCP, "SIPS+D2T": transportTLS}

// allows tells whether a target may be reached by a transport.
func (t target) allows(by transport) bool {
	switch {
	case t.sips:
		return by == transportTLS
	case t.explicit:
		return by == t.transport
	}
	return true
}

// services are the SRV names to ask for where the domain names none: UDP
// first, for that is what a URI without transport means.
func (t target) services(host string) []service {
	all := []service{{transportUDP, "_sip._udp." + host}, {transportTCP, "_sip._tcp." + host}, {transportTLS, "_sips._tcp." + host}}
	return slices.DeleteFunc(all, func(s service) bool { return !t.allows(s.transport) })
}
