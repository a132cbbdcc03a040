package routing

import "strings"

// Key returns the form in which prefixes and numbers are compared: without
// spaces, "-", ".", "(" and ")", then without one leading "+" or "00", letters
// in lower case (spec routing §3). "+44", "0044" and "44" are one prefix. It
// allocates only where something other than the front changes.
func Key(s string) string {
	if strings.ContainsAny(s, " -.()") {
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
