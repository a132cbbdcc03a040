package tenant

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// words that YAML readers take for something else than text.
var words = map[string]bool{"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true, "nan": true, "inf": true}

// quote writes text bare where every reader takes it for the same text, else
// in double quotes.
func quote(s string) string {
	bare := s != "" && !words[strings.ToLower(s)] && len(s) < 128
	for i := 0; bare && i < len(s); i++ {
		c := rune(s[i])
		digit := c >= '0' && c <= '9'
		bare = wordRune(c) && (i > 0 || !digit) || i > 0 && (c == '_' || c == '-' || c == '.')
	}
	// A duration begins with a digit and is no number: 30s.
	if bare || isDuration(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func isDuration(s string) bool {
	n, ok := strings.CutSuffix(s, "s")
	_, err := strconv.ParseUint(n, 10, 32)
	return ok && err == nil
}
