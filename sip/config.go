package sip

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Config is what the SIP edge is told at start. Zero values take the default
// that is named beside the field.
type Config struct {
	Node      string // node name in Via branches, Call-IDs and Warnings: "smsc1"
	Domain    string // realm, and host of From; default: the first listener's address
	Advertise string // host or host:port for Via; default: the listener's address
	// Listen holds "transport:address:port", such as "udp:127.0.0.1:5060" and
	// "wss:[::1]:443"; transports are udp, tcp, tls, ws, wss; port 0 is any.
	Listen []string
	// TLS holds the certificate of the tls and wss listeners, which also
	// proves us to peers that ask, and the authorities whose client
	// certificates are believed. nil: no such listener can be opened.
	TLS *tls.Config

	// Digest names the algorithms that challenges offer, "sha-256" and "md5";
	// empty is both (RFC 8760 §2.4). Old phones give up at a challenge they do
	// not know and need "md5" alone; without "md5" no MD5 is accepted.
	Digest []string

	// Volatile says that nothing is kept on disk: a 202 then carries the
	// Warning "accepted, not stored" (spec sip §9.1).
	Volatile bool

	// DNS is the server to ask for names, "host:port"; default: the system's.
	DNS string

	T1 time.Duration // RTT estimate, RFC 3261 §17.1.1.1; 500 ms
	T2 time.Duration // longest gap between retransmissions; 4 s
	// Silence ends a client transaction (timer F) and a server's memory of its
	// answer (timer J); 64*T1 = 32 s. Shorter only in tests.
	Silence time.Duration

	InProgress   int           // requests being handled at once, beyond: 503; 10,000
	Answers      int           // answers of UDP kept for retransmissions; 50,000
	Connections  int           // streams, both directions; 10,000
	PerSource    int           // streams of one address outside every link's from; 200
	WriteTimeout time.Duration // one write on a stream; 5 s
	Idle         time.Duration // a stream without an octet; 15 min
	HandleWait   time.Duration // the store has so long before a 503; 20 s
	EndWait      time.Duration // transaction mode waits so long for the end; 25 s
	Dial         time.Duration // a connection to a peer; 4 s
}

// defaults returns c with every zero field filled in.
func (c Config) defaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	num := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	if c.Node == "" {
		c.Node = "smsc"
	}
	set(&c.T1, 500*time.Millisecond)
	set(&c.T2, 8*c.T1)
	set(&c.Silence, 64*c.T1)
	num(&c.InProgress, 10_000)
	num(&c.Answers, 50_000)
	num(&c.Connections, 10_000)
	num(&c.PerSource, 200)
	set(&c.WriteTimeout, 5*time.Second)
	set(&c.Idle, 15*time.Minute)
	set(&c.HandleWait, 20*time.Second)
	set(&c.EndWait, 25*time.Second)
	set(&c.Dial, 4*time.Second)
	return c
}

// Validate returns every fault of c, each beginning with the path of the
// setting as smsc.yaml spells it.
func (c Config) Validate() []error {
	var faults []error
	if !isToken(c.Node) && c.Node != "" {
		faults = append(faults, fmt.Errorf("name: %q is not a SIP token (letters, digits, - . _)", c.Node))
	}
	for i, l := range c.Listen {
		entry, err := parseListener(l)
		if err == nil && entry.transport.secure() && c.TLS == nil {
			err = errors.New("needs tls.cert and tls.key")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("listen.sip[%d]: %w", i, err))
		}
	}
	for i, word := range c.Digest {
		if !sameName(word, "sha-256") && !sameName(word, "md5") {
			faults = append(faults, fmt.Errorf("sip.digest[%d]: %q is not sha-256 or md5", i, word))
		}
	}
	if c.Domain != "" && !isHost(c.Domain) {
		faults = append(faults, fmt.Errorf("sip.domain: %q is not a host", c.Domain))
	}
	if c.Advertise != "" && !isHostPort(c.Advertise) {
		faults = append(faults, fmt.Errorf("sip.advertise: %q is not a host or host:port", c.Advertise))
	}
	return faults
}

// listener is one entry of Config.Listen.
type listener struct {
	transport transport
	addr      netip.AddrPort
}

func parseListener(s string) (listener, error) {
	kind, addr, ok := strings.Cut(s, ":")
	if !ok {
		return listener{}, errors.New("want transport:address:port, such as udp:127.0.0.1:5060")
	}
	var l listener
	if l.transport, ok = parseTransport(kind); !ok {
		return l, fmt.Errorf("transport %q is unknown: use udp, tcp, tls, ws or wss", kind)
	}
	var err error
	if strings.HasPrefix(addr, ":") {
		addr = "[::]" + addr
	}
	if strings.HasPrefix(addr, "localhost:") {
		addr = "127.0.0.1" + strings.TrimPrefix(addr, "localhost")
	}
	if l.addr, err = netip.ParseAddrPort(addr); err != nil {
		return l, fmt.Errorf("%q is not an IP address with a port", addr)
	}
	return l, nil
}

// isHostPort tells whether s can stand in a URI after the "@": a name or an
// address, with or without a port.
func isHostPort(s string) bool {
	u, err := parseURI("sip:" + s)
	return err == nil && u.user == "" && u.host != "" && u.params == ""
}
