package routing

import "strings"

// Key returns the form in which prefixes and numbers are compared: without
// spaces, "-", ".", "(" and ")", then without one leading "+" or "00", letters
// in lower case (spec routing §3). "+44", "0044" and "44" are one prefix. It
// allocates only where something other than the front changes.
func Key(s string) string {
	if t, ok := strings.CutPrefix(s, "+"); numeric(t) && (ok || !strings.HasPrefix(t, "00")) {
		return t // as nearly all are that messages have
	}
	if spaced(s) {
		s = strings.Map(func(r rune) rune {
			switch r {
			case ' ', '-', '.', '(', ')':
				return -1
			}
			return r
		}, s)
	}
	if t, ok := strings.CutPrefix(s, "+"); ok {
		return strings.ToLower(t)
	}
	return strings.ToLower(strings.TrimPrefix(s, "00"))
}

// numeric tells whether s holds digits alone.
func numeric(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// spaced tells whether s holds what only divides a number for people.
func spaced(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ', '-', '.', '(', ')':
			return true
		}
	}
	return false
}
