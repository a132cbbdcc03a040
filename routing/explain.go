package routing

import "smsc/message"

// Explanation is a plan and why it is so (spec routing §11). It marshals to
// the fields of the REST answer that routing knows of (spec rest §6).
type Explanation struct {
	Plan       Plan        `json:"-"`
	Outcome    string      `json:"outcome"` // forward drop auto_reply local hold no_route
	Hops       []Way       `json:"plan"`
	Charged    string      `json:"charged"`
	Steps      []Step      `json:"steps"`
	Considered []Candidate `json:"considered"`
}

// Way is one hop of an explained plan.
type Way struct {
	Route int     `json:"route,omitempty"`
	Link  string  `json:"dest_smsc"`
	Share float64 `json:"share,omitempty"` // of the routes that are its equals
}

// Step is one step of spec routing §2 and what it said.
type Step struct {
	Step    string `json:"step"`
	Account string `json:"account,omitempty"` // whose table; the caller may not see it
	Verdict string `json:"verdict"`           // no, chosen
	Why     string `json:"why,omitempty"`
}

// Candidate is a route that was looked at.
type Candidate struct {
	Route   int    `json:"route"`
	Account string `json:"account,omitempty"`
	Prefix  string `json:"called_prefix"`
	Target  string `json:"target"`
	Verdict string `json:"verdict"` // chosen, lost, no, disabled
	Why     string `json:"why,omitempty"`
}

// Explain runs the code of [Table.Plan] and says why for each candidate.
func (t *Table) Explain(m *message.Message) Explanation { return Explanation{} }

// Text is the explanation for people.
func (e Explanation) Text() string { return "" }
