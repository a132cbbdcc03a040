package routing

import (
	"time"
)

// Rule is a message processing rule (spec routing §8).
type Rule struct {
	Name     string `yaml:"name"`
	Account  string `yaml:"account,omitempty"` // it holds for it and all below
	On       string `yaml:"on,omitempty"`      // arrival | temporary | failure
	Priority int    `yaml:"priority"`          // lower first within the account
	When     When   `yaml:"when,omitempty"`
	Then     Then   `yaml:"then,omitempty"`
	Stop     bool   `yaml:"stop,omitempty"` // no later rule of this account and trigger
	Enabled  bool   `yaml:"enabled"`

	Description string `yaml:"description,omitempty"`
}

// Clone returns a copy that shares no pointer. Lists and maps are shared: they
// are never written in place.
func (r Rule) Clone() Rule {
	r.When = *r.When.clone()
	t := &r.Then
	t.Copy, t.Text, t.Retry, t.Reroute = dup(t.Copy), dup(t.Text), dup(t.Retry), dup(t.Reroute)
	t.CalledTON, t.CalledNPI, t.CallingTON, t.CallingNPI = dup(t.CalledTON), dup(t.CalledNPI), dup(t.CallingTON), dup(t.CallingNPI)
	return r
}

func (w When) clone() *When {
	w.TLV, w.Percent, w.UDH = dup(w.TLV), dup(w.Percent), dup(w.UDH)
	w.Receipt, w.Hosted, w.Registered = dup(w.Receipt), dup(w.Hosted), dup(w.Registered)
	if w.Not != nil {
		w.Not = w.Not.clone()
	}
	return &w
}

func dup[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// Trigger is when rules are asked.
type Trigger uint8

const (
	OnArrival   Trigger = iota // once, before the message is stored
	OnTemporary                // a round ended without success, another would follow
	OnFailure                  // about to end as failed or expired
	triggers
)

var triggerWords = [triggers]string{"arrival", "temporary", "failure"}

func (t Trigger) String() string { return triggerWords[t%triggers] }

// Words is a list of which any may hold; one may stand without the list.
type Words []string

// Lone says that one element may stand for the list.
func (Words) Lone() {}

// When is what a rule looks at: all that is given must hold (spec routing
// §8.1).
type When struct {
	Account       Words             `yaml:"account,omitempty"` // name, or name/* with all below
	OriginAccount Words             `yaml:"origin_account,omitempty"`
	Called        Words             `yaml:"called,omitempty"` // RE2 over the whole value
	Calling       Words             `yaml:"calling,omitempty"`
	CalledPrefix  Words             `yaml:"called_prefix,omitempty"`
	CallingPrefix Words             `yaml:"calling_prefix,omitempty"`
	CalledKind    Words             `yaml:"called_kind,omitempty"` // international national short name
	CallingKind   Words             `yaml:"calling_kind,omitempty"`
	CalledTON     Words             `yaml:"called_ton,omitempty"`
	CalledNPI     Words             `yaml:"called_npi,omitempty"`
	CallingTON    Words             `yaml:"calling_ton,omitempty"`
	CallingNPI    Words             `yaml:"calling_npi,omitempty"`
	SourceType    Words             `yaml:"source_type,omitempty"`
	SourceSMSC    Words             `yaml:"source_smsc,omitempty"`
	SourceUser    Words             `yaml:"source_user,omitempty"` // RE2
	DestSMSC      Words             `yaml:"dest_smsc,omitempty"`   // link tried last
	DestType      Words             `yaml:"dest_type,omitempty"`
	Cause         Words             `yaml:"cause,omitempty"`
	Rounds        string            `yaml:"rounds,omitempty"` // n, ">=3", "2..5"
	TLV           *TLVMatch         `yaml:"tlv,omitempty"`
	Percent       *int              `yaml:"percent,omitempty"`
	Text          Words             `yaml:"text,omitempty"` // RE2, searched
	Coding        Words             `yaml:"coding,omitempty"`
	Class         Words             `yaml:"class,omitempty"`
	UDH           *bool             `yaml:"udh,omitempty"`
	Port          Words             `yaml:"port,omitempty"`
	Parts         string            `yaml:"parts,omitempty"`
	Characters    string            `yaml:"characters,omitempty"`
	Priority      string            `yaml:"priority,omitempty"`
	ServiceType   Words             `yaml:"service_type,omitempty"` // RE2
	ProtocolID    Words             `yaml:"protocol_id,omitempty"`
	Header        map[string]string `yaml:"header,omitempty"` // name: RE2
	Receipt       *bool             `yaml:"receipt,omitempty"`
	Hosted        *bool             `yaml:"hosted,omitempty"`
	Registered    *bool             `yaml:"registered,omitempty"`
	IMSI          Words             `yaml:"imsi,omitempty"` // RE2
	ServingNode   Words             `yaml:"serving_node,omitempty"`
	Hours         Words             `yaml:"hours,omitempty"`
	Days          Words             `yaml:"days,omitempty"`
	Expr          string            `yaml:"expr,omitempty"`
	Not           *When             `yaml:"not,omitempty"`
}

// TLVMatch looks at one optional parameter (SMPP 3.4 §3.2.4).
type TLVMatch struct {
	Tag   int    `yaml:"tag"`
	As    string `yaml:"as,omitempty"`    // int, string or hex (default)
	Match string `yaml:"match,omitempty"` // RE2; of an int: n, ">3", "2..5"
}

// Then is what a rule does, in the order of the fields (spec routing §8.2).
// Text that begins with "=" is an expression.
type Then struct {
	Drop        bool        `yaml:"drop,omitempty"`
	Reject      string      `yaml:"reject,omitempty"` // cause
	Fail        string      `yaml:"fail,omitempty"`   // cause
	Copy        *Copy       `yaml:"copy,omitempty"`
	AutoReply   string      `yaml:"auto_reply,omitempty"`
	Account     string      `yaml:"account,omitempty"`
	Called      Rewrites    `yaml:"called,omitempty"`
	Calling     Rewrites    `yaml:"calling,omitempty"`
	CalledTON   *int        `yaml:"called_ton,omitempty"`
	CalledNPI   *int        `yaml:"called_npi,omitempty"`
	CallingTON  *int        `yaml:"calling_ton,omitempty"`
	CallingNPI  *int        `yaml:"calling_npi,omitempty"`
	Text        *TextChange `yaml:"text,omitempty"` // beside reject: what the sender is told
	Class       string      `yaml:"class,omitempty"`
	Priority    string      `yaml:"priority,omitempty"`
	Validity    string      `yaml:"validity,omitempty"`
	Delay       string      `yaml:"delay,omitempty"`
	Receipts    string      `yaml:"receipts,omitempty"`
	ServiceType string      `yaml:"service_type,omitempty"`
	ProtocolID  string      `yaml:"protocol_id,omitempty"`
	RemoveTLV   Words       `yaml:"remove_tlv,omitempty"`
	SetTLV      Words       `yaml:"set_tlv,omitempty"` // "0x1401=hex"
	// RemoveHeader and SetHeader name X- headers; a value may be an expression.
	RemoveHeader Words             `yaml:"remove_header,omitempty"`
	SetHeader    map[string]string `yaml:"set_header,omitempty"`
	Charged      string            `yaml:"charged,omitempty"`
	Route        string            `yaml:"route,omitempty"`
	Retry        *Retry            `yaml:"retry,omitempty"`
	Reroute      *Reroute          `yaml:"reroute,omitempty"`
	Note         string            `yaml:"note,omitempty"`
}

// Copy is a second message, as the first one arrived: charged to nobody,
// without receipts, and passed by all rules.
type Copy struct {
	Called   string `yaml:"called,omitempty"`
	Calling  string `yaml:"calling,omitempty"`
	Account  string `yaml:"account,omitempty"`
	DestSMSC string `yaml:"dest_smsc,omitempty"`
}

// TextChange rewrites the text of a message. Alone, as a word, it is what a
// rejected sender is told, or the whole text.
type TextChange struct {
	Match   string `yaml:"match,omitempty"` // RE2, every place
	Replace string `yaml:"replace,omitempty"`
	Set     string `yaml:"set,omitempty"`
}

// SetLone takes the text that stands alone.
func (t *TextChange) SetLone(s string) { t.Set = s }

// Retry is when the next round begins.
type Retry struct {
	After time.Duration `yaml:"after"`
}

// Reroute is another way for a message under way: one link, or the routes of
// an account.
type Reroute struct {
	Link    string `yaml:"link,omitempty"`
	Account string `yaml:"account,omitempty"`
}

// SetLone takes a link that stands alone.
func (r *Reroute) SetLone(s string) { r.Link = s }
