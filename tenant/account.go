package tenant

import (
	"strings"

	"smsc/message"
)

// Operator is the root of the tree of accounts. It always exists.
const Operator = "operator"

// Status is whether an account may act. It holds for the whole subtree.
type Status string

const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Closed    Status = "closed"
)

// Role is what a credential may do (spec rest §1.1).
type Role string

const (
	Read  Role = "read"  // every GET in reach, secrets hidden
	Send  Role = "send"  // Read, and: submit, poll, change messages
	Admin Role = "admin" // Send, and: change what is declared, see secrets
)

// Allows tells whether r includes what needs role need.
func (r Role) Allows(need Role) bool { return rank(r) >= rank(need) && rank(r) > 0 }

func rank(r Role) int {
	switch r {
	case Read:
		return 1
	case Send:
		return 2
	case Admin:
		return 3
	}
	return 0
}

// Account is a tenant in the tree of tenants.
type Account struct {
	Name    string   `yaml:"name"`
	Parent  string   `yaml:"parent,omitempty"` // "" only for the root
	SID     string   `yaml:"sid,omitempty"`    // AC + 32 hex, made if empty
	Token   string   `yaml:"token,omitempty"`  // secret
	Keys    []Key    `yaml:"keys,omitempty"`
	Status  Status   `yaml:"status,omitempty"`
	Senders []string `yaml:"senders,omitempty"` // allowed sources, exact or "prefix*"; empty: any
	Limits  Limits   `yaml:"limits,omitempty"`
	// Charged is yes, no or default: the parent's word.
	Charged string `yaml:"charged,omitempty"`
	// Payer is who the account is at the charging server; with balances it may
	// name an account above whose balance pays. Empty: the account itself.
	Payer string `yaml:"payer,omitempty"`
	// Rates are prices of one part by called prefix, "" for all others. An
	// account that has none has those of the nearest one above.
	Rates map[string]message.Amount `yaml:"rates,omitempty"`
	// Overdraft is how far below nothing the balance may fall.
	Overdraft message.Amount `yaml:"overdraft,omitempty"`
	// Numbering is the number plan for digits without "+"; nil: the parent's.
	Numbering *Numbering `yaml:"numbering,omitempty"`
}

// Key is a further API key of an account.
type Key struct {
	Name string `yaml:"name"`
	Key  string `yaml:"key"` // secret
	Role Role   `yaml:"role"`
}

// Limits are counted in parts; 0 is none.
type Limits struct {
	PerSecond int `yaml:"per_second,omitempty"`
	PerMinute int `yaml:"per_minute,omitempty"`
	PerHour   int `yaml:"per_hour,omitempty"`
	PerDay    int `yaml:"per_day,omitempty"`
	Backlog   int `yaml:"backlog,omitempty"` // messages not yet ended
}

// Numbering is how an account writes numbers (spec routing §7).
type Numbering struct {
	Country       string   `yaml:"country,omitempty"`       // "44"
	Trunk         string   `yaml:"trunk,omitempty"`         // "0"
	International []string `yaml:"international,omitempty"` // ["00", "+"]
	ShortMax      int      `yaml:"short_max,omitempty"`     // up to so many digits: a short code
	Bare          string   `yaml:"bare,omitempty"`          // international | national
}

// MaySend tells whether a sender in normal form is among a's senders.
func (a *Account) MaySend(sender string) bool {
	if len(a.Senders) == 0 {
		return true
	}
	sender = strings.TrimPrefix(sender, "+")
	for _, s := range a.Senders {
		s = strings.TrimPrefix(s, "+")
		if p, ok := strings.CutSuffix(s, "*"); ok && strings.HasPrefix(strings.ToLower(sender), strings.ToLower(p)) || strings.EqualFold(s, sender) {
			return true
		}
	}
	return false
}

// Number is a hosted number: where messages to it go.
type Number struct {
	Number  string `yaml:"number"`
	Account string `yaml:"account,omitempty"`
	Link    string `yaml:"link,omitempty"`
	// FriendlyName is what people call it.
	FriendlyName string `yaml:"friendly_name,omitempty"`
	// SMSURL is asked for each message to the number, SMSFallbackURL where
	// that fails (spec rest §4.5); Application is the sid of one that stands
	// for an SMSURL. Either wins over Link.
	SMSURL            string `yaml:"sms_url,omitempty"`
	SMSMethod         string `yaml:"sms_method,omitempty"` // POST (default) | GET
	SMSFallbackURL    string `yaml:"sms_fallback_url,omitempty"`
	SMSFallbackMethod string `yaml:"sms_fallback_method,omitempty"`
	Application       string `yaml:"application,omitempty"`
}

// Callback is the built-in link over which the URLs of hosted numbers and
// status callbacks are asked.
const Callback = "callback"

// Calls tells whether messages to n are handed to a URL.
func (n *Number) Calls() bool { return n.SMSURL != "" || n.Application != "" }
