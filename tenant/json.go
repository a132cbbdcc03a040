package tenant

import (
	"bytes"
	"encoding/json"
)

// JSON writes the document with the keys, the order and the values of
// [Document.YAML]. ParseDocument reads it too.
func (d *Document) JSON(secrets bool) []byte {
	w := &writer{hide: !secrets, json: true}
	w.document(d)
	w.WriteByte('}')
	return w.Bytes()
}

// LinksJSON writes each link as it stands in [Document.JSON].
func LinksJSON(links []*Link, secrets bool) []json.RawMessage {
	w := &writer{hide: !secrets, json: true}
	ends := make([]int, len(links))
	for i, l := range links {
		w.fresh = true
		if w.link(l); w.fresh { // everything has its default
			w.WriteByte('{')
		}
		w.WriteByte('}')
		ends[i] = w.Len()
	}
	rows, from := make([]json.RawMessage, len(links)), 0
	for i, end := range ends {
		rows[i], from = w.Bytes()[from:end:end], end
	}
	return rows
}

// quoteJSON writes a string. Unlike the JSON library's default it leaves <, >
// and & as they are.
func (w *writer) quoteJSON(s string) {
	plain := true
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		w.WriteByte('"')
		w.WriteString(s)
		w.WriteByte('"')
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always has a form
	w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
