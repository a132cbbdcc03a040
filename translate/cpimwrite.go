package translate

import (
	"strings"
	"time"
)

// AppendCPIM appends a message/cpim body (spec sip §5): From, To, DateTime,
// the name space and Message-ID of IMDN where there is one, the wish for
// notifications, then the inner part as it is. Controls in what others said
// become spaces, so that no value can add a line; a URI is written between
// angle brackets without them.
func AppendCPIM(dst []byte, c CPIM) []byte {
	line := func(name, value string) {
		dst = append(append(append(append(dst, name...), ": "...), cpimValue(value)...), "\r\n"...)
	}
	if c.From != "" {
		line("From", "<"+bareURI(c.From)+">")
	}
	if c.To != "" {
		line("To", "<"+bareURI(c.To)+">")
	}
	if !c.DateTime.IsZero() {
		line("DateTime", c.DateTime.Format(time.RFC3339))
	}
	if c.Subject != "" {
		line("Subject", escapeCPIM(c.Subject))
	}
	if c.MessageID != "" || c.Wish != 0 {
		line("NS", "imdn <"+imdnNamespace+">")
	}
	if c.MessageID != "" {
		line("imdn.Message-ID", escapeCPIM(c.MessageID))
	}
	if c.Wish != 0 {
		line("imdn.Disposition-Notification", c.Wish.String())
	}
	dst = append(dst, "\r\n"...)
	if c.ContentType != "" {
		line("Content-Type", c.ContentType)
	}
	if c.Disposition != "" {
		line("Content-Disposition", c.Disposition)
	}
	return append(append(dst, "\r\n"...), c.Content...)
}

// String returns the words of RFC 5438 §6.2, separated by commas.
func (w Wish) String() string {
	var words []string
	for _, known := range wishes {
		if w&known.wish != 0 {
			words = append(words, known.word)
		}
	}
	return strings.Join(words, ", ")
}

// cpimValue keeps a value on its line.
func cpimValue(s string) string {
	if !hasControl(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 {
			return ' '
		}
		return r
	}, s)
}

// bareURI drops what would end the brackets or open an escape.
func bareURI(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '<' || r == '>' || r == '\\' {
			return -1
		}
		return r
	}, s)
}

func escapeCPIM(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }
