package capture

import (
	"bytes"
	"slices"
	"strings"
)

// blanked stands for what is not kept, whatever its length was.
const blanked = "***"

// secretFields are the header fields whose value is not kept (RFC 3261 §22,
// RFC 9110 §11.6, our own X-API-Key).
var secretFields = [...]string{"Authorization", "Proxy-Authorization", "Authentication-Info", "Proxy-Authentication-Info", "X-API-Key", "Cookie", "Set-Cookie"}

// secretNames are the parameters of forms and queries whose value is not kept.
var secretNames = [...]string{"password", "passwd", "pass", "pw", "token", "authtoken", "secret", "key", "apikey", "api_key", "api-key", "access_token"}

// Octets that are looked at to find the end of an authority, and the start of
// the name of a parameter: what is hostile costs no more than what is not.
const (
	maxAuthority = 512
	maxName      = 16
)

// binds tells whether a PDU is one of those that carry a password: the three
// binds and outbind (SMPP 3.4 §4.1).
func binds(pdu []byte) bool {
	if len(pdu) < 8 || pdu[4] != 0 || pdu[5] != 0 || pdu[6] != 0 {
		return false
	}
	c := pdu[7]
	return c == 0x01 || c == 0x02 || c == 0x09 || c == 0x0B
}

// blank takes the secrets out of b; cut says that b was longer.
func blank(b []byte, f Form, cut bool) []byte {
	if f != SIP && f != HTTP {
		return b
	}
	b, end := blankFields(b)
	if f == SIP { // the body is the message
		return clip(blankUsers(b, end, cut && end == len(b), afterScheme))
	}
	b = blankNames(b)
	for _, word := range [...]string{"://", `:\/\/`, "%3A%2F%2F"} {
		b = blankUsers(b, len(b), cut, func(b []byte) int { return afterWord(b, word) })
	}
	return clip(b)
}

func clip(b []byte) []byte { return b[:min(len(b), MaxOctets)] }

// blankFields takes the values of secret fields out of the head, with their
// folded lines, and returns where the head ends.
func blankFields(b []byte) (out []byte, end int) {
	secret := false
	for at := 0; at < len(b); {
		stop := len(b)
		if n := bytes.IndexByte(b[at:], '\n'); n >= 0 {
			stop = at + n + 1
		}
		line := b[at:stop]
		for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
			line = line[:len(line)-1]
		}
		if len(line) == 0 {
			return b, at
		}
		from := at
		if line[0] != ' ' && line[0] != '\t' {
			if secret = maySecret(line[0]); secret {
				colon := bytes.IndexByte(line, ':')
				secret = colon > 0 && isSecret(bytes.TrimRight(line[:colon], " \t"))
				from = at + colon + 1
			}
		}
		if secret {
			was := len(b)
			b = slices.Replace(b, from, at+len(line), []byte(" "+blanked)...)
			stop += len(b) - was
		}
		at = stop
	}
	return b, len(b)
}

// maySecret spares most lines the comparison.
func maySecret(first byte) bool {
	switch first | 0x20 {
	case 'a', 'p', 'x', 'c', 's':
		return true
	}
	return false
}

func isSecret(name []byte) bool {
	return slices.ContainsFunc(secretFields[:], func(s string) bool { return len(s) == len(name) && strings.EqualFold(s, string(name)) })
}

// blankUsers takes passwords out of the URIs of b[:end]; next tells where the
// authority of the next one begins, -1 if there is none. Of a URI that b breaks
// off in, nobody knows what it was.
func blankUsers(b []byte, end int, cut bool, next func([]byte) int) []byte {
	for at := 0; at < end; {
		n := next(b[at:end])
		if n < 0 {
			break
		}
		at += n
		from, to, found := password(b[at:end], cut)
		if !found {
			continue
		}
		was := len(b)
		b = slices.Replace(b, at+from, at+to, []byte(blanked)...)
		end += len(b) - was
	}
	return b
}

// afterScheme returns where the first SIP URI goes on behind its scheme.
func afterScheme(b []byte) int {
	for at := 0; ; at++ {
		n := bytes.IndexByte(b[at:], ':')
		if n < 0 {
			return -1
		}
		at += n
		last := at
		if last > 3 && b[last-1]|0x20 == 's' {
			last-- // sips
		}
		if last >= 3 && b[last-1]|0x20 == 'p' && b[last-2]|0x20 == 'i' && b[last-3]|0x20 == 's' {
			return at + 1
		}
	}
}

// password finds the password of an authority: what stands between the first
// colon and the "@", in a form written %3A and %40. What is longer than an
// authority can be is taken for one all the same.
func password(b []byte, cut bool) (from, to int, found bool) {
	if len(b) > maxAuthority {
		b, cut = b[:maxAuthority], true
	}
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '@', c == '%' && bytes.HasPrefix(b[i:], []byte("%40")):
			return from, i, from > 0
		case from == 0 && c == ':':
			from = i + 1
		case from == 0 && c == '%' && len(b) >= i+3 && strings.EqualFold(string(b[i:i+3]), "%3A"):
			from = i + 3
		case c <= ' ', c == '/', c == '?', c == '#', c == '<', c == '>', c == '"', c == '\\', c == '%' && len(b) >= i+3 && strings.EqualFold(string(b[i:i+3]), "%2F"):
			return 0, 0, false
		}
	}
	return from, len(b), cut && from > 0
}

// blankNames takes the values of secret parameters out of queries and forms.
func blankNames(b []byte) []byte {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '=')
		if n < 0 {
			return b
		}
		at += n + 1
		name := b[max(0, at-1-maxName) : at-1]
		name = name[bytes.LastIndexAny(name, "&?\n")+1:]
		if !slices.ContainsFunc(secretNames[:], func(s string) bool { return len(s) == len(name) && strings.EqualFold(s, string(name)) }) {
			continue
		}
		to := bytes.IndexAny(b[at:], "& \r\n\"")
		if to < 0 {
			to = len(b) - at
		}
		b = slices.Replace(b, at, at+to, []byte(blanked)...)
	}
}

// afterWord returns where b goes on behind a word in capital or small letters,
// -1 if it has none.
func afterWord(b []byte, word string) int {
	for at := 0; at < len(b); at++ {
		n := bytes.IndexByte(b[at:], word[0])
		if n < 0 {
			break
		}
		at += n
		if end := at + len(word); end <= len(b) && strings.EqualFold(string(b[at:end]), word) {
			return end
		}
	}
	return -1
}
