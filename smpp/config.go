// Package smpp is the edge that speaks SMPP 3.4: the server that ESMEs bind
// to (links of kind esme) and the client that binds to carriers (kind
// carrier). Ingress turns requests into messages and hands them to the
// Acceptor; egress is a Courier that makes one try over one session. The
// package refuses to store, to retry, to queue beyond a session's window,
// and to know other protocols.
package smpp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
)

// Config is what is fixed when the edge starts.
type Config struct {
	Name string // system_id in bind answers; cut to 15 octets
	// Listen holds addresses such as "tcp:127.0.0.1:2775" and "tls::2776".
	Listen []string
	TLS    *tls.Config // of tls listeners
	// MaxValidity bounds validity_period and schedule_delivery_time; 240 h.
	MaxValidity time.Duration

	reconnect   time.Duration // first delay of a client; 1 s
	outbindLook time.Duration // how often links with an outbind are looked at; 5 s
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	var faults []error
	for i, l := range c.Listen {
		scheme, address, ok := strings.Cut(l, ":")
		switch {
		case !ok || !strings.Contains(address, ":"):
			faults = append(faults, fmt.Errorf("listen.smpp[%d]: %q is not scheme:host:port", i, l))
		case scheme == "tls" && c.TLS == nil:
			faults = append(faults, fmt.Errorf("listen.smpp[%d]: tls without a certificate", i))
		case scheme != "tcp" && scheme != "tls":
			faults = append(faults, fmt.Errorf("listen.smpp[%d]: %q is neither tcp nor tls", i, scheme))
		}
	}
	if c.MaxValidity < 0 {
		faults = append(faults, errors.New("delivery.validity.max: below zero"))
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if c.MaxValidity == 0 {
		c.MaxValidity = 240 * time.Hour
	}
	if c.reconnect == 0 {
		c.reconnect = time.Second
	}
	if c.outbindLook == 0 {
		c.outbindLook = outbindLook
	}
	c.Name = c.Name[:min(len(c.Name), 15)]
	return c
}

// Deps are the rooms that the edge speaks to.
type Deps struct {
	Acceptor  message.Acceptor
	Door      message.Doorkeeper // asked before a submission is read; nil: nobody is
	Reporter  message.Reporter
	Ledger    message.Ledger
	Editor    message.Editor
	Directory func() *tenant.Directory
	Shelf     Shelf         // short ids of 3.3 peers, set_dpf
	Mint      *message.Mint // ids of groups; that of the door, so that none is twice
	// Waiting tells whether messages wait for a link: then an ESME with an
	// outbind is called. nil: nobody is.
	Waiting func(link string) bool
	// Ready tells why nothing can be stored now, nil if all is well; nil: it
	// always is.
	Ready func() error
	// Bound hears of each session that was bound, and of its end. It must not
	// block. nil: nobody does.
	Bound func(BindNews)
	// Captured keeps the octets of what messages come and go in; nil: nobody.
	Captured *capture.Ring
}
