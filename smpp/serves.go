package smpp

import (
	"regexp"
	"slices"
	"strings"

	"smsc/smpp/pdu"
)

// serves is the address_range of a bind: which recipients this session of
// its link is for (SMPP 3.4 §5.2.7). It chooses among the sessions of one
// link alone, and never draws traffic to a link: a client could otherwise
// claim the numbers of another.
type serves struct {
	text string
	expr *regexp.Regexp
}

// rangeOf reads address_range as a regular expression; nil where it names
// none, or is not one.
func rangeOf(b *pdu.Bind) *serves {
	text := string(b.AddressRange)
	if text == "" {
		return nil
	}
	expr, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	return &serves{text, expr}
}

// matches tells whether a recipient lies in the range, with or without "+".
func (r *serves) matches(to string) bool {
	return r != nil && (r.expr.MatchString(strings.TrimPrefix(to, "+")) || r.expr.MatchString(to))
}

// differ tells whether sessions declare different ranges.
func differ(sessions []*Session) bool {
	text := func(s *Session) string {
		if s.serves == nil {
			return ""
		}
		return s.serves.text
	}
	return slices.ContainsFunc(sessions, func(s *Session) bool { return text(s) != text(sessions[0]) })
}

// serving returns the sessions whose range holds to, all if none does.
func serving(sessions []*Session, to string) []*Session {
	var some []*Session
	for _, s := range sessions {
		if s.serves.matches(to) {
			some = append(some, s)
		}
	}
	if some == nil {
		return sessions
	}
	return some
}
