package cgrates

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// cgrEvent is the argument of the calls that move money, or could.
type cgrEvent struct {
	GetMaxUsage bool           `json:",omitempty"`
	Debit       bool           `json:",omitempty"`
	Flags       []string       `json:",omitempty"`
	Tenant      string         `json:",omitempty"`
	ID          string         // the server answers a repeat within seconds from memory
	Event       map[string]any // OriginID names it for ever
}

// reference names a bill at the server: that of a further life, or of what is
// left after a refund, is another one.
func reference(b message.Bill, tag string) string {
	ref := b.ID.String()
	if b.Life > 0 {
		ref += "-" + strconv.Itoa(int(b.Life))
	}
	return ref + tag
}

// event writes a bill for so many parts. It is the same whenever it is written.
func (c *Client) event(ref string, b message.Bill, units uint8) cgrEvent {
	payer := c.number(b.Payer)
	at := b.At.UTC().Format(time.RFC3339)
	return cgrEvent{Tenant: c.cfg.Tenant, ID: ref, Event: map[string]any{
		"OriginID": ref, "OriginHost": c.cfg.Node, "Source": "smsc", "ToR": "*sms",
		"RequestType": c.cfg.RequestType, "Category": c.cfg.Category, "Tenant": c.cfg.Tenant,
		"Account": payer, "Subject": payer, "Destination": c.number(b.To.Value),
		"SetupTime": at, "AnswerTime": at, "Usage": units,
	}}
}

// number spells an E.164 number as the server's prefixes do; names and short
// codes stay as they are.
func (c *Client) number(s string) string {
	if c.cfg.Plus {
		return s
	}
	return strings.TrimPrefix(s, "+")
}

// usage is a MaxUsage: a number, a string or null, by the mood of the server.
type usage struct{ n float64 }

// UnmarshalJSON reads any of them; what it cannot read is 0, which grants
// nothing.
func (u *usage) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		u.n = v
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil && !math.IsNaN(n) {
			u.n = n
		} else if d, err := time.ParseDuration(v); err == nil {
			u.n = float64(d)
		}
	}
	return nil
}

// covers tells whether all units are granted.
func (u usage) covers(units uint8) bool { return u.n >= float64(units) }
