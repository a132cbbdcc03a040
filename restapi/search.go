package restapi

import (
	"slices"
	"strings"

	"smsc/message"
)

// searched is what stands in a search box: a number, a reference, the name of
// a link, or a fragment of a text. One look at each record answers for all.
type searched struct {
	term   string
	digits string   // of a number, without plus and spaces; "" if it is none
	remote []string // how a next hop may have written the term, but for leading zeros
}

// readSearch reads the filter search; nil where nothing is asked. A record
// that matches holds one of the spellings as it stands.
func (c *call) readSearch() (keep func(message.Record) bool, spellings []string) {
	term := strings.TrimSpace(c.query.Get("search"))
	if term == "" {
		return nil, nil
	}
	s := searched{term: term}
	if id := strings.TrimLeft(term, "0"); id != "" && !strings.Contains(id, " ") {
		s.remote = []string{id, strings.ToLower(id), strings.ToUpper(id)}
	}
	spellings = append(spellings, term)
	spellings = append(spellings, s.remote...)
	if number := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "+", "").Replace(term); number != "" && strings.Trim(number, "0123456789") == "" {
		s.digits = strings.TrimPrefix(number, "00")
		spellings = append(spellings, s.digits)
	}
	slices.Sort(spellings)
	return s.matches, slices.Compact(spellings)
}

// matches tells whether one of the fields that people search by is what was
// typed: the whole of a name or reference, the start of a number, a part of
// the text.
func (s *searched) matches(r message.Record) bool {
	m := r.Message
	return strings.Contains(m.Body.Text, s.term) || s.number(m.From) || s.number(m.To) ||
		m.Origin.Handle == s.term || m.Origin.Link == s.term || m.Dest == s.term ||
		r.State.Link == s.term || strings.HasSuffix(r.State.WakeOn, ":"+s.term) ||
		slices.ContainsFunc(r.State.Segments, func(g message.Segment) bool {
			return slices.Contains(s.remote, strings.TrimLeft(g.Remote, "0"))
		})
}

func (s *searched) number(a message.Address) bool {
	return strings.HasPrefix(a.Value, s.term) || strings.HasPrefix(a.Given, s.term) ||
		s.digits != "" && strings.HasPrefix(a.Digits(), s.digits)
}
