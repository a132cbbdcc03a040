package sip

import (
	"errors"
	"strings"
)

// nameAddr reads a From, To or Contact value: the URI and what follows it
// (RFC 3261 §20.10).
func nameAddr(value string) (u uri, params string, err error) {
	spec, params, err := splitNameAddr(value)
	if err == nil {
		u, err = parseURI(spec)
	}
	return u, params, err
}

// splitNameAddr finds the URI in a name-addr with brackets, or an addr-spec,
// whose parameters are the header's.
func splitNameAddr(value string) (spec, params string, err error) {
	rest := value
	if strings.HasPrefix(strings.TrimLeft(rest, " \t"), `"`) {
		rest = strings.TrimLeft(rest, " \t")
		end := quoteEnd(rest)
		if end < 0 {
			return "", "", errors.New("quoted name does not end")
		}
		rest = rest[end:]
	}
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		shut := strings.IndexByte(rest[open:], '>')
		if shut < 0 {
			return "", "", errors.New("'<' without '>'")
		}
		return strings.TrimSpace(rest[open+1 : open+shut]), rest[open+shut+1:], nil
	}
	spec, params, _ = strings.Cut(rest, ";")
	return strings.TrimSpace(spec), params, nil
}

// displayName returns the name before the URI of a name-addr, unquoted.
func displayName(value string) string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, `"`) {
		end := quoteEnd(value)
		if end < 0 {
			return ""
		}
		return strings.ReplaceAll(strings.ReplaceAll(value[1:end-1], `\"`, `"`), `\\`, `\`)
	}
	if name, _, ok := strings.Cut(value, "<"); ok {
		return strings.TrimSpace(name)
	}
	return ""
}

// tagOf returns the tag of a From or To value, "" if it has none.
func tagOf(value string) string {
	_, params, err := splitNameAddr(value)
	if err != nil {
		return ""
	}
	tag, _ := param(params, "tag")
	return tag
}

// param finds a parameter in ";a=b ; C = d": names in any case, blanks around
// ";" and "=" allowed (RFC 3261 §7.3.1), quoted values without their quotes.
func param(params, name string) (string, bool) {
	for params != "" {
		var one string
		one, params = cutParam(params)
		key, value, _ := strings.Cut(one, "=")
		if sameName(strings.Trim(key, " \t"), name) {
			return unquoted(strings.Trim(value, " \t")), true
		}
	}
	return "", false
}

// unquoted returns what a quoted string says (RFC 3261 §25.1); what is none, or
// not as a whole, is returned as it stands.
func unquoted(s string) string {
	if len(s) < 2 || s[0] != '"' || quoteEnd(s) != len(s) {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// cutParam takes the text before the first ";" outside quotes.
func cutParam(s string) (one, rest string) {
	return cutOutsideQuotes(s, ';')
}

// cutOutsideQuotes splits s at the first sep outside quotes and brackets.
func cutOutsideQuotes(s string, sep byte) (one, rest string) {
	at := strings.IndexByte(s, sep)
	if at < 0 {
		return s, ""
	}
	if strings.IndexByte(s[:at], '"') < 0 && strings.IndexByte(s[:at], '<') < 0 {
		return s[:at], s[at+1:]
	}
	quoted, bracket := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == sep && !bracket:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// quoteEnd returns the index after the quoted string that s begins with, -1
// if it does not end.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// sameName compares header and parameter names: ASCII, case ignored.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// isToken tells whether s is a token of RFC 3261 §25.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenChar[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenChar = charset("-.!%*_+`'~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

func charset(s string) (set [256]bool) {
	for i := 0; i < len(s); i++ {
		set[s[i]] = true
	}
	return set
}

// hasControl tells whether s has a character that could end a line or hide
// one: nothing of the kind passes from one side to the other.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// isHost tells whether s can be the host of a URI or a Via.
func isHost(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return strings.Trim(s[1:len(s)-1], "0123456789abcdefABCDEF:.%") == "" && len(s) > 3
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
