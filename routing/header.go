package routing

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"smsc/message"
)

// setHeader is one header that a rule sets.
type setHeader struct {
	name  string // in lower case
	value value
}

// headerName is what rules may set: X- headers, but none that says something
// of the message itself (spec sip §6).
var (
	headerName = regexp.MustCompile(`^x-[a-z0-9-]{1,60}$`)
	ourHeader  = regexp.MustCompile(`^x-(sms-.*|smsc-id|m-class|reg-delivery|delivery-time)$`)
)

const maxHeader = 256 // octets of a value

// headers compiles the headers to take away and to set.
func (a *acts) headers(th *Then, fault faulter) {
	name := func(key, text string) string {
		n := strings.ToLower(text)
		if !headerName.MatchString(n) || ourHeader.MatchString(n) {
			fault(key, "%q is no X- header that rules may change", text)
		}
		return n
	}
	for _, text := range th.RemoveHeader {
		a.removeHeader = append(a.removeHeader, name("remove_header", text))
	}
	for _, text := range slices.Sorted(maps.Keys(th.SetHeader)) {
		key := "set_header." + text
		v, err := newValue(th.SetHeader[text])
		switch {
		case err != nil:
			fault(key, "%s", err)
		case v.program == nil && !fieldValue(v.plain):
			fault(key, "a value is 1 to %d printable characters of ASCII", maxHeader)
		}
		a.setHeader = append(a.setHeader, setHeader{name(key, text), v})
	}
}

// fieldValue tells whether text may stand in a header.
func fieldValue(text string) bool {
	return text != "" && len(text) <= maxHeader && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// headers takes away and sets headers. values are those of setHeader; one that
// cannot stand in a header is left out.
func (j *judging) headers(a *acts, values []string) []string {
	if len(a.removeHeader)+len(a.setHeader) == 0 {
		return nil
	}
	for _, name := range a.removeHeader {
		for _, kind := range []string{"sip.", "http.", message.ExtraHeader} {
			j.extra(kind+name, "")
		}
	}
	for i, h := range a.setHeader {
		if fieldValue(values[i]) {
			j.extra("sip."+h.name, values[i]) // later rules and URLs see it as if it had come so
			j.extra(message.ExtraHeader+h.name, values[i])
			j.ruled()
		}
	}
	return []string{"headers"}
}
