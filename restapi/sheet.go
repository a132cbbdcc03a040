package restapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// sheet is a list of rows that frontends keep here: locations, SS7 events,
// MMS. Rows live on the shelf; memory holds only their keys, at most
// maxRows of them.
type sheet struct {
	kind    string // on the shelf
	columns []column
	life    time.Duration // of a row; 0: until it is deleted or expires
	maxRows int

	mu     sync.Mutex
	loaded bool
	last   uint64
	keys   map[string]uint64 // row by its natural key
	about  map[uint64]uint64 // the message that a row speaks of, by row
	ids    []uint64          // in order
}

// column is one field of a row.
type column struct {
	name     string
	take     func(v any) (any, bool)
	what     string // that it must be
	required bool
}

// row is one row as it is stored.
type row struct {
	ID       uint64         `json:"id"`
	Account  string         `json:"account"`
	Inserted time.Time      `json:"inserted_at"`
	Updated  time.Time      `json:"updated_at"`
	Fields   map[string]any `json:"fields"`

	live *Registration // it stands for one that is not stored here
}

// text returns a field as text.
func (r *row) text(name string) string {
	s, _ := r.Fields[name].(string)
	return s
}

// at returns a field as a time.
func (r *row) at(name string) time.Time {
	t, _ := time.Parse(time.RFC3339, r.text(name))
	return t
}

func textColumn(name string, most int) column {
	return column{name: name, what: fmt.Sprintf("a string of at most %d octets", most), take: func(v any) (any, bool) {
		s, ok := v.(string)
		return s, ok && len(s) <= most
	}}
}

func wordColumn(name string, words ...string) column {
	return column{name: name, what: "one of " + strings.Join(words, ", "), take: func(v any) (any, bool) {
		s, ok := v.(string)
		for _, w := range words {
			if ok && s == w {
				return s, true
			}
		}
		return nil, false
	}}
}

func boolColumn(name string) column {
	return column{name: name, what: "true or false", take: func(v any) (any, bool) { b, ok := v.(bool); return b, ok }}
}

func numberColumn(name string) column {
	return column{name: name, what: "a whole number, 0 or more", take: func(v any) (any, bool) {
		n, ok := v.(json.Number)
		i, err := n.Int64()
		return i, ok && err == nil && i >= 0
	}}
}

func timeColumn(name string) column {
	return column{name: name, what: "a time as in RFC 3339", take: func(v any) (any, bool) {
		s, _ := v.(string)
		t, err := time.Parse(time.RFC3339, s)
		return t.UTC().Truncate(time.Second).Format(time.RFC3339), err == nil
	}}
}

// partsColumn is the list of parts of a multimedia message.
func partsColumn(name string) column {
	return column{name: name, what: "a list of objects with content_type, name and data in base64", take: func(v any) (any, bool) {
		list, ok := v.([]any)
		for _, p := range list {
			part, isMap := p.(map[string]any)
			data, _ := part["data"].(string)
			_, err := base64.StdEncoding.DecodeString(data)
			ok = ok && isMap && err == nil
		}
		return list, ok
	}}
}

func required(c column) column {
	c.required = true
	return c
}

// read checks the members of a body against the columns. What no column knows
// is ignored, because real frontends send more than the documents say.
func (s *sheet) read(body map[string]any, patch bool) (map[string]any, error) {
	fields := map[string]any{}
	p := &problem{code: "invalid"}
	for _, c := range s.columns {
		v, given := body[c.name]
		switch {
		case !given || v == nil && !c.required:
			if given {
				fields[c.name] = nil
			}
			if c.required && !patch {
				p.faults = append(p.faults, fault{location: "body." + c.name, message: "is required"})
			}
		default:
			value, ok := c.take(v)
			if !ok || c.required && value == "" {
				p.faults = append(p.faults, fault{location: "body." + c.name, message: "must be " + c.what})
			}
			fields[c.name] = value
		}
	}
	if len(p.faults) > 0 {
		p.detail = strings.TrimPrefix(p.faults[0].location, "body.") + ": " + p.faults[0].message
		return nil, p
	}
	return fields, nil
}

// load reads the keys of all rows, once.
func (s *sheet) load(ctx context.Context, shelf Shelf, key func(*row) string) error {
	if s.loaded {
		return nil
	}
	s.keys, s.about = map[string]uint64{}, map[uint64]uint64{}
	err := shelf.Each(ctx, s.kind, func(_ string, value []byte) bool {
		if r, err := readRow(value); err == nil {
			s.last = max(s.last, r.ID)
			s.ids = append(s.ids, r.ID)
			s.noteAbout(r)
			if k := key(r); k != "" {
				s.keys[k] = r.ID
			}
		}
		return true
	})
	s.loaded = err == nil
	return err
}

func readRow(value []byte) (*row, error) {
	var r row
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	return &r, d.Decode(&r)
}

func rowKey(id uint64) string { return fmt.Sprintf("%016d", id) }

// get returns one row, nil if there is none.
func (s *sheet) get(ctx context.Context, shelf Shelf, id uint64) (*row, error) {
	value, ok, err := shelf.Get(ctx, s.kind, rowKey(id))
	if err != nil || !ok {
		return nil, err
	}
	return readRow(value)
}

// put stores a row. A new one gets its id here; the oldest give way when
// there are too many.
func (s *sheet) put(ctx context.Context, shelf Shelf, r *row, key string) error {
	if r.ID == 0 {
		s.last++
		r.ID = s.last
		s.ids = append(s.ids, r.ID)
	}
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	lapse := r.at("expires")
	if s.life > 0 {
		lapse = r.Inserted.Add(s.life)
	}
	if err := shelf.Set(ctx, s.kind, rowKey(r.ID), value, lapse); err != nil {
		return err
	}
	if key != "" {
		s.keys[key] = r.ID
	}
	s.noteAbout(r)
	for len(s.ids) > s.maxRows {
		if err := shelf.Delete(ctx, s.kind, rowKey(s.ids[0])); err != nil {
			return err
		}
		delete(s.about, s.ids[0])
		s.ids = s.ids[1:]
	}
	return nil
}

// each calls f for the rows of accounts in reach, in the order of their ids.
func (s *sheet) each(ctx context.Context, shelf Shelf, f func(*row) bool) error {
	return shelf.Each(ctx, s.kind, func(_ string, value []byte) bool {
		r, err := readRow(value)
		return err != nil || f(r)
	})
}

// append writes a row: its id, every column, and its times.
func (s *sheet) append(dst []byte, r *row) ([]byte, error) {
	dst = fmt.Appendf(dst, `{"id":%d`, r.ID)
	for _, c := range s.columns {
		text, err := jsonText(r.Fields[c.name])
		if err != nil {
			return nil, err
		}
		dst = append(append(append(append(dst, `,"`...), c.name...), `":`...), text...)
	}
	dst = append(appendTime(append(dst, `,"inserted_at":`...), r.Inserted), `,"updated_at":`...)
	dst = appendTime(dst, r.Updated)
	if r.live != nil {
		dst = append(dst, `,"registered":true`...)
	}
	return append(dst, '}'), nil
}

// jsonText is v as JSON with < > & unescaped.
func jsonText(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
