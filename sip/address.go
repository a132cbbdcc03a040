package sip

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"smsc/message"
)

// readAddress makes an address of the user part of a URI (spec sip §4.1).
// The zero Address says that there is no user part.
func readAddress(u uri) (message.Address, *fault) {
	raw, phone := u.user, false
	if u.scheme == "tel" {
		raw, phone = u.opaque, true
	} else if v, ok := param(u.params, "user"); ok {
		phone = sameName(v, "phone")
	}
	if raw == "" {
		return message.Address{}, nil
	}
	given, ok := unescape(raw)
	if !ok {
		return message.Address{}, refuse(400, "user part is not UTF-8 text")
	}
	// Parameters belong to a number (RFC 3966), but are part of a name.
	digits, _, _ := strings.Cut(raw, ";")
	if digits, ok = unescape(digits); ok {
		if number, ok := readNumber(digits, phone); ok {
			return address(number, given), nil
		}
	}
	if u.scheme == "tel" {
		return message.Address{}, refuse(400, "tel URI is not a number")
	}
	a := address(given, given)
	if a.Validate() != nil {
		return message.Address{}, refuse(400, "user part cannot be an address")
	}
	return a, nil
}

func address(value, given string) message.Address {
	if value == given {
		return message.Address{Value: value}
	}
	return message.Address{Value: value, Given: given}
}

// readNumber takes visual separators away (RFC 3966 §5.1.1): an optional "+",
// then 1 to 20 of 0-9 * #, at least one of them a digit.
func readNumber(s string, phone bool) (string, bool) {
	if bareNumber(s) {
		return s, true
	}
	b := make([]byte, 0, len(s))
	n, digit := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '-' || c == '.' || c == '(' || c == ')' || c == ' ':
			continue
		case c == '+' && len(b) == 0:
			b = append(b, c)
			continue
		case c >= '0' && c <= '9':
			digit = true
			b = append(b, c)
		case c == '*' || c == '#', phone && c|0x20 >= 'a' && c|0x20 <= 'c':
			b = append(b, c)
		default:
			return "", false
		}
		n++
	}
	if b = b[:len(b):len(b)]; !digit || n > 20 {
		return "", false
	}
	if b[0] == '+' && strings.ContainsAny(string(b), "*#abcABC") {
		return "", false // no country has such numbers
	}
	return string(b), true
}

// bareNumber tells whether s is nothing but 1 to 20 digits, "+" before them or
// not.
func bareNumber(s string) bool {
	s = strings.TrimPrefix(s, "+")
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 20
}

// unescape decodes %HH (RFC 3261 §19.1.2); false for a broken escape, and for
// what is then not UTF-8 or has control characters.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				b = append(b, s[i])
				continue
			}
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := nibble(s[i+1]), nibble(s[i+2])
			if hi > 15 || lo > 15 {
				return "", false
			}
			b = append(b, hi<<4|lo)
			i += 2
		}
		s = string(b)
	}
	return s, utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// userChar may stand unescaped in a user part: unreserved and "&=+$,;?/"
// (RFC 3261 §25.1). "#" of a number is escaped, "*" is not.
var userChar = charset("-_.!~*'()&=+$,;?/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

// appendUser writes a user part, escaped.
func appendUser(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		if c := s[i]; userChar[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// requestURI reads the Request-URI (RFC 3261 §8.2.2.1).
func requestURI(p *packet) (uri, *fault) {
	if len(p.target) > maxURI {
		return uri{}, refuse(414, "Request-URI is longer than 1024 octets")
	}
	u, err := parseURI(p.target)
	switch {
	case err != nil:
		return u, refuse(400, "Request-URI: %s", err.Error())
	case u.scheme == "sips" && !p.flow.transport.secure(): // RFC 5630 §3.3, RFC 3428 §11.2
		return u, refuse(416, "sips needs TLS")
	case !served(u.scheme):
		return u, refuse(416, "URI scheme %s is not served", shown(u.scheme))
	}
	return u, nil
}

// served tells whether addresses of a scheme are understood.
func served(scheme string) bool { return scheme == "sip" || scheme == "sips" || scheme == "tel" }

// foreignScheme tells whether a Request-URI begins with a scheme that is not
// served, whatever follows it (RFC 3986 §3.1).
func foreignScheme(target string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(target), ":")
	if !ok || scheme == "" || scheme[0] < 'a' || scheme[0] > 'z' {
		return false
	}
	return strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" && !served(scheme)
}

// recipient reads the destination: the Request-URI, where the sender wants it
// now (RFC 3261 §8.2.2.1); To only when the Request-URI has no user and its
// host is ours.
func recipient(p *packet, ours func(host string, port int) bool) (message.Address, *fault) {
	u, f := requestURI(p)
	if f != nil {
		return message.Address{}, f
	}
	a, f := readAddress(u)
	if f != nil || !a.IsZero() {
		return a, f
	}
	if !ours(u.host, u.port) {
		return a, refuse(484, "Request-URI has no user part")
	}
	if u, _, err := nameAddr(p.get("To")); err == nil {
		a, f = readAddress(u)
	}
	if f == nil && a.IsZero() {
		f = refuse(484, "neither Request-URI nor To has a user part")
	}
	return a, f
}

// sender reads From; where that is anonymous the first number of
// P-Asserted-Identity, which only identified peers may give (RFC 3325 §9.1).
func sender(p *packet) (message.Address, *fault) {
	u, _, err := nameAddr(p.get("From"))
	if err != nil {
		return message.Address{}, refuse(400, "header From: %s", err.Error())
	}
	switch u.scheme {
	case "sip", "sips", "tel":
	default:
		return message.Address{}, refuse(400, "header From: URI scheme %s is not served", shown(u.scheme))
	}
	a, f := readAddress(u)
	if f != nil {
		return a, f
	}
	hidden := strings.EqualFold(a.Value, "anonymous") || strings.HasSuffix(strings.ToLower(u.host), ".invalid")
	if !a.IsZero() && !hidden {
		return a, nil
	}
	asserted, _ := p.list("P-Asserted-Identity", maxHeaders)
	for _, one := range asserted {
		if u, _, err := nameAddr(one); err == nil {
			if a, f := readAddress(u); f == nil && a.IsNumber() {
				return a, nil
			}
		}
	}
	return message.Address{}, refuse(400, "header From names nobody")
}
