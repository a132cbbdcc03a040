package tenant

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Subscriber is one user of an IMS core as a link has come to know it: by a
// third-party REGISTER (TS 24.229 §5.4.1.7), or by a message it sent. Rows are
// shared and read-only; [Subscribers.Change] replaces them whole.
type Subscriber struct {
	Link string `json:"link"`
	// Public are the public identities, URIs as the core spelt them, the one
	// that was registered or spoke first.
	Public []string `json:"public"`
	// Keys are their normal forms: digits of a number without "+", else
	// user@host in lower case. Whoever shares one of them is the same user.
	Keys []string `json:"keys"`
	IMSI string   `json:"imsi,omitempty"`
	// SCSCF is the URI of the S-CSCF that serves the user, Place the address
	// it speaks from, "udp 192.0.2.1:6060"; "" where the way is not known.
	SCSCF string `json:"scscf,omitempty"`
	Place string `json:"place,omitempty"`
	// SMSIP tells whether a contact has +g.3gpp.smsip (TS 24.341 §5.3.2.2).
	SMSIP Known `json:"smsip,omitempty"`
	// Text is the contact of a phone that takes texts and no short messages, ""
	// where there is none or another that does (RFC 3680).
	Text string `json:"text,omitempty"`
	// Instance is +sip.instance of the phone, "" if it is not known.
	Instance string `json:"instance,omitempty"`
	// State is what is known of the registration.
	State SubscriberState `json:"state"`

	Since   time.Time `json:"since"`   // first known without a gap
	Updated time.Time `json:"updated"` // last heard of
	Expires time.Time `json:"expires"` // the row means nothing from then on
}

// Known is a yes, a no, or neither.
type Known string

// Values of Known.
const (
	Unknown Known = ""
	Yes     Known = "yes"
	No      Known = "no"
)

// SubscriberState is what a row rests on.
type SubscriberState string

// Values of SubscriberState.
const (
	Heard        SubscriberState = "heard"        // it sent a message; nothing is known of a registration
	Registered   SubscriberState = "registered"   // the core said so
	Deregistered SubscriberState = "deregistered" // the core said so
)

// Has tells whether key is one of the user's identities.
func (s *Subscriber) Has(key string) bool { return slices.Contains(s.Keys, key) }

// Number returns the first identity that is a number, digits without "+"; ""
// if there is none.
func (s *Subscriber) Number() string {
	for _, k := range s.Keys {
		if k != "" && strings.Trim(k, "0123456789") == "" {
			return k
		}
	}
	return ""
}

// clone returns a copy that shares nothing that is written to.
func (s *Subscriber) clone() Subscriber {
	c := *s
	c.Public, c.Keys = slices.Clone(s.Public), slices.Clone(s.Keys)
	return c
}

// subscriberKind names the rows on the shelf, subscriberVersion begins each.
const (
	subscriberKind    = "subscriber"
	subscriberVersion = 1
)

func (s *Subscriber) encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return append([]byte{subscriberVersion}, b...), nil
}

// decodeSubscriber reads what encode wrote.
func decodeSubscriber(b []byte) (*Subscriber, error) {
	if len(b) == 0 || b[0] != subscriberVersion {
		return nil, fmt.Errorf("subscriber of an unknown version")
	}
	s := new(Subscriber)
	if err := json.Unmarshal(b[1:], s); err != nil {
		return nil, err
	}
	if s.Link == "" || len(s.Keys) == 0 {
		return nil, fmt.Errorf("subscriber without an identity")
	}
	return s, nil
}
