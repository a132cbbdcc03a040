package restapi

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// prop is one field of a record, in order.
type prop struct {
	name  string // in JSON; XML has the same words in camel case
	value any    // string, nil, int, bool, or a list of props
}

type record []prop

// failForeign answers with p in the shape of the accounts API. Its clients
// know no 422.
func (c *call) failForeign(p *problem) {
	status := p.statusCode()
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	if status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", `Basic realm="smsc"`)
	}
	word := strings.ToUpper(p.code)
	if status == http.StatusTooManyRequests {
		word = "SMS_LIMIT_EXCEEDED"
	}
	r := record{{"message", p.foreignText()}, {"error", word}}
	if c.foreign.json {
		c.send(status, "application/json", r.json(nil))
		return
	}
	body := r.xml([]byte(xml.Header + "<RestcommResponse>"))
	c.send(status, "application/xml", append(body, "</RestcommResponse>"...))
}

// foreignText is all that p says, in the one text that this API has for it.
func (p *problem) foreignText() string {
	if p.code != "unfit" {
		return or(p.detail, codes[p.code].title)
	}
	all := make([]string, 0, len(p.faults))
	for _, f := range p.faults {
		all = append(all, f.message)
	}
	return strings.Join(all, "; ")
}

// made is when an object came to be and was last changed: what is known of
// the object declared, else of what the accounts API keeps beside it.
func (c *call) made(s section, name string, kept *row) (created, updated any) {
	at := c.dir.Stamp(string(s), name)
	created = restcommTime(or(at.Created, or(kept.Inserted, c.s.started)))
	if kept.Updated.After(at.Updated) {
		at.Updated = kept.Updated
	}
	return created, restcommTime(or(at.Updated, c.s.started))
}

// sendRecord answers with one record.
func (c *call) sendRecord(status int, element string, r record) error {
	if c.foreign.json {
		return c.json(status, r.json(nil))
	}
	body := append([]byte(xml.Header+"<RestcommResponse><"), element...)
	body = append(r.xml(append(body, '>')), "</"...)
	c.send(status, "application/xml", append(append(body, element...), "></RestcommResponse>"...))
	return nil
}

// page is which part of a list is asked for.
type page struct{ number, size, total int }

// readPage reads Page and PageSize.
func (c *call) readPage() (p page, err error) {
	p.size = 50
	for name, into := range map[string]*int{"Page": &p.number, "PageSize": &p.size} {
		if s := c.query.Get(name); s != "" {
			if *into, err = strconv.Atoi(s); err != nil || *into < 0 {
				return p, invalid(name, "must be a whole number")
			}
		}
	}
	if p.size < 1 || p.size > 1000 {
		return p, invalid("PageSize", "must be from 1 to 1000")
	}
	return p, nil
}

// sendPage answers with one page of a list. The oddities are the published
// ones: num_pages is the index of the last page, start and end are strings,
// absent links the string "null".
func (c *call) sendPage(key, elements, element string, p page, rows []record) error {
	pages := p.total / p.size
	if p.number > pages {
		return invalid("Page", "is beyond the last page")
	}
	path := strings.TrimSuffix(c.r.URL.Path, ".json")
	if !c.foreign.json {
		path = strings.TrimPrefix(path, "/restcomm")
	} else {
		path += ".json"
	}
	link := func(n int) string {
		if n < 0 || n > pages {
			return "null"
		}
		query := url.Values{}
		for k, v := range c.query {
			query[k] = v
		}
		query.Set("Page", strconv.Itoa(n))
		query.Set("PageSize", strconv.Itoa(p.size))
		return path + "?" + query.Encode()
	}
	start := p.number * p.size
	head := record{{"page", p.number}, {"num_pages", pages}, {"page_size", p.size}, {"total", p.total}, {"start", strconv.Itoa(start)},
		{"end", strconv.Itoa(start + len(rows))}, {"uri", path}, {"first_page_uri", link(0)}, {"previous_page_uri", link(p.number - 1)},
		{"next_page_uri", link(p.number + 1)}, {"last_page_uri", link(pages)}}
	if c.foreign.json {
		body := head.json(nil)
		body = appendString(append(body[:len(body)-1], ','), key)
		return c.json(http.StatusOK, append(appendRecords(append(body, ':'), rows), '}'))
	}
	body := append([]byte(xml.Header+"<RestcommResponse><"), elements...)
	for _, h := range head {
		body = fmt.Appendf(body, ` %s="`, strings.ReplaceAll(h.name, "_", ""))
		body = append(escapeXML(body, fmt.Sprint(h.value)), '"')
	}
	return c.sendElements(append(body, '>'), elements, element, rows)
}

// sendList answers with a whole list: a bare array in JSON.
func (c *call) sendList(elements, element string, rows []record) error {
	if c.foreign.json {
		return c.json(http.StatusOK, appendRecords(nil, rows))
	}
	return c.sendElements([]byte(xml.Header+"<RestcommResponse><"+elements+">"), elements, element, rows)
}

func (c *call) sendElements(body []byte, elements, element string, rows []record) error {
	for _, r := range rows {
		body = append(r.xml(append(append(append(body, '<'), element...), '>')), "</"+element+">"...)
	}
	c.send(http.StatusOK, "application/xml", append(append(append(body, "</"...), elements...), "></RestcommResponse>"...))
	return nil
}

func appendRecords(dst []byte, rows []record) []byte {
	dst = append(dst, '[')
	for i, r := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.json(dst)
	}
	return append(dst, ']')
}

// json writes r as a JSON object.
func (r record) json(dst []byte) []byte {
	dst = append(dst, '{')
	for i, p := range r {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, p.name), ':')
		switch v := p.value.(type) {
		case nil:
			dst = append(dst, "null"...)
		case string:
			dst = appendString(dst, v)
		case record:
			dst = v.json(dst)
		default: // numbers and truth
			dst = fmt.Append(dst, v)
		}
	}
	return append(dst, '}')
}

// xml writes r as elements; what is null is an empty one.
func (r record) xml(dst []byte) []byte {
	for _, p := range r {
		name := camel(p.name)
		if name == "Uri" {
			// XML speaks of its own form.
			if s, ok := p.value.(string); ok {
				p.value = strings.TrimSuffix(strings.TrimPrefix(strings.Replace(s, ".json/", "/", 1), "/restcomm"), ".json")
			}
		}
		switch v := p.value.(type) {
		case nil:
			dst = append(append(append(dst, '<'), name...), "/>"...)
			continue
		case record:
			dst = append(v.xml(append(append(append(dst, '<'), name...), '>')), "</"...)
		default:
			dst = append(append(append(dst, '<'), name...), '>')
			dst = append(escapeXML(dst, fmt.Sprint(v)), "</"...)
		}
		dst = append(append(dst, name...), '>')
	}
	return dst
}

func escapeXML(dst []byte, s string) []byte {
	b := bytes.NewBuffer(dst)
	_ = xml.EscapeText(b, []byte(s)) // a buffer takes everything
	return b.Bytes()
}

// camel turns date_created into DateCreated.
func camel(name string) string {
	var s strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		if word != "" {
			s.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return s.String()
}
