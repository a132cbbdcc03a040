package sip

import "strings"

// list returns the values of all fields of a name, split at commas; false if
// there are more than limit.
func (p *packet) list(name string, limit int) ([]string, bool) {
	var all []string
	for i := range p.headers {
		if !sameName(p.headers[i].name, name) {
			continue
		}
		for rest := p.headers[i].value; rest != ""; {
			var one string
			one, rest = cutOutsideQuotes(rest, ',')
			if one = strings.Trim(one, " \t"); one == "" {
				continue
			}
			if all = append(all, one); len(all) > limit {
				return nil, false
			}
		}
	}
	return all, true
}

// uris returns the SIP URIs of a header such as Path; false if one is none.
func (p *packet) uris(name string, limit int) ([]string, bool) {
	values, ok := p.list(name, limit)
	if !ok {
		return nil, false
	}
	for i, v := range values {
		spec, _, err := splitNameAddr(v)
		if err != nil || strings.ContainsAny(spec, "<>\" \t") || hasControl(spec) {
			return nil, false
		}
		if u, err := parseURI(spec); err != nil || u.scheme != "sip" && u.scheme != "sips" {
			return nil, false
		}
		values[i] = spec
	}
	return values, true
}

// supports tells whether Supported names an extension.
func (p *packet) supports(extension string) bool {
	values, _ := p.list("Supported", maxHeaders)
	for _, v := range values {
		if sameName(v, extension) {
			return true
		}
	}
	return false
}

// hasParam tells whether a URI has a parameter.
func hasParam(s, name string) bool {
	u, err := parseURI(s)
	if err != nil {
		return false
	}
	_, has := param(u.params, name)
	return has
}
