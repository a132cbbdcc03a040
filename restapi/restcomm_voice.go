package restapi

import (
	"slices"
	"strings"
	"unicode"
)

// Parameters of products that also carry calls are stored and given back, so
// that clients which set them find them again. Nothing is ever called.

const (
	numberKind = "rest.number" // what is kept of a hosted number beside its declaration
	maxVoice   = 32            // parameters of one object
)

var voicePrefixes = [...]string{"Voice", "Ussd", "Refer"}

// voiceGiven returns those parameters of the request, by the names that
// records have for them.
func (c *call) voiceGiven() (map[string]any, error) {
	given := map[string]any{}
	for name, v := range c.foreign.form {
		if !slices.ContainsFunc(voicePrefixes[:], func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		letters := strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) < 0
		if len(given) == maxVoice || !letters || len(name) > 64 || len(v[0]) > 2048 {
			return nil, &problem{code: "invalid", detail: "at most 32 parameters Voice..., Ussd... and Refer... of letters, with values of at most 2048 octets"}
		}
		given[snake(name)] = v[0]
	}
	return given, nil
}

// snake turns VoiceUrl into voice_url.
func snake(name string) string {
	var s strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			s.WriteByte('_')
		}
		s.WriteRune(unicode.ToLower(r))
	}
	return s.String()
}

// withVoice appends what is stored of those parameters to a record.
func withVoice(r record, stored map[string]any) record {
	var names []string
	for name := range stored {
		if slices.ContainsFunc(voicePrefixes[:], func(p string) bool { return strings.HasPrefix(name, strings.ToLower(p)+"_") }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		value, _ := stored[name].(string)
		r = append(r, prop{name, orNull(value)})
	}
	return r
}

// keepVoice stores what the request says of voice about an object.
func (c *call) keepVoice(kind, sid string, given map[string]any) error {
	if len(given) == 0 {
		return nil
	}
	_, err := c.keep(kind, sid, c.foreign.account.Name, setting(given))
	return err
}
