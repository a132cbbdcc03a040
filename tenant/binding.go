package tenant

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// Binding is one device of a user: where it can be reached, until when
// (RFC 3261 §10.3). The edge that took it reads the URIs; nobody else does.
type Binding struct {
	Contact   string         `json:"contact"`            // URI, without the angle brackets
	Path      []string       `json:"path,omitempty"`     // URIs of Path, topmost first (RFC 3327 §5.3)
	Q         int            `json:"q"`                  // preference in thousandths, 0 to 1000
	Instance  string         `json:"instance,omitempty"` // +sip.instance, "" if it gave none
	RegID     int            `json:"reg_id,omitempty"`   // RFC 5626 §4.2, 0 if it gave none
	CallID    string         `json:"call_id"`
	CSeq      uint32         `json:"cseq"`
	UserAgent string         `json:"user_agent,omitempty"`
	Transport string         `json:"transport"`      // as in Via: UDP TCP TLS WS WSS
	Source    netip.AddrPort `json:"source"`         // where the REGISTER came from
	Local     netip.AddrPort `json:"local,omitzero"` // of UDP: our socket it came to
	// ByFlow says that only the way the REGISTER came leads back: a
	// connection, or a pinhole in a NAT (RFC 5626 §5.3, RFC 7118 §5).
	ByFlow bool `json:"by_flow,omitempty"`
	// Outbound says that reg-id was honoured (RFC 5626 §6).
	Outbound bool      `json:"outbound,omitempty"`
	Since    time.Time `json:"since"`   // first registered
	Updated  time.Time `json:"updated"` // last refreshed
	Expires  time.Time `json:"expires"`
}

// Registration is one user with the devices that are registered now.
type Registration struct {
	Link     string
	AOR      string
	MSISDN   string
	Seen     time.Time // last authenticated request; zero: never
	Bindings []Binding
}

// presenceKind names the records of registrations on the shelf.
const presenceKind = "presence"

// presenceVersion begins every record of a registration on the shelf.
const presenceVersion = 1

// stored is a registration on the shelf.
type stored struct {
	AOR      string    `json:"aor"`
	Seen     time.Time `json:"seen"`
	Bindings []Binding `json:"bindings,omitempty"`
}

func (s *stored) encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return append([]byte{presenceVersion}, b...), nil
}

// decodeStored reads what encode wrote.
func decodeStored(b []byte) (*stored, error) {
	if len(b) == 0 || b[0] != presenceVersion {
		return nil, fmt.Errorf("registration of an unknown version")
	}
	s := new(stored)
	if err := json.Unmarshal(b[1:], s); err != nil {
		return nil, err
	}
	return s, nil
}

// live returns the bindings that have not expired at now; the slice is shared
// where all are.
func live(all []Binding, now time.Time) []Binding {
	for i := range all {
		if all[i].Expires.After(now) {
			continue
		}
		kept := append(make([]Binding, 0, len(all)), all[:i]...)
		for _, b := range all[i+1:] {
			if b.Expires.After(now) {
				kept = append(kept, b)
			}
		}
		return kept
	}
	return all
}
