package message

import (
	"strings"
	"unicode/utf8"
)

// Ruled is what message rules did to a message at the door beside what can be
// seen of it (spec routing §8.2).
type Ruled struct {
	Account string // of arrival, where a rule gave the message to another; else ""
	Via     bool   // Dest was chosen by a rule, whose owner may use that link
	// The types of number that leave, whatever the sender's were.
	Calling, Called NumberType
}

// NumberType is a type of number that a rule gave.
type NumberType struct {
	Set      bool
	TON, NPI uint8
}

// Route tells whether a rule chose Dest; nil is what no rule has touched.
func (r *Ruled) Route() bool { return r != nil && r.Via }

// ExtraHeader begins the keys of Message.Extra that hold headers which rules
// have set: what follows is the name in lower case. They leave with the
// message where its next hop takes headers.
const ExtraHeader = "header."

// Arrival is the account that a message came to, before any rule gave it to
// another.
func (m *Message) Arrival() string {
	if m.Ruled != nil && m.Ruled.Account != "" {
		return m.Ruled.Account
	}
	return m.Account
}

// Detour is the way that rules chose for a message under way.
type Detour struct {
	Link    string // this link alone; "" as routing says
	Account string // routed as if it were that account's; "" its own
	Count   uint8  // how often a rule sent it elsewhere
}

// MaxNotes is how many characters of notes rules may leave with one message
// (spec routing §8.2).
const MaxNotes = 200

// Remark adds the note of a rule; what is beyond MaxNotes is cut off.
func (s *State) Remark(note string) {
	if s.Notes != "" {
		note = s.Notes + "; " + note
	}
	if utf8.RuneCountInString(note) > MaxNotes {
		note = string([]rune(note)[:MaxNotes])
	}
	s.Notes = strings.ToValidUTF8(note, "")
}
