package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// table writes aligned columns for people.
type table struct {
	w       *tabwriter.Writer
	columns int
}

func newTable(out io.Writer, columns ...string) *table {
	t := &table{w: tabwriter.NewWriter(out, 0, 8, 2, ' ', 0), columns: len(columns)}
	t.row(toAny(columns)...)
	return t
}

func toAny(words []string) []any {
	all := make([]any, len(words))
	for i, w := range words {
		all[i] = w
	}
	return all
}

// row adds a line. What cannot be shown in one line is made to fit: an address
// or a text of a stranger must not move the reader's cursor.
func (t *table) row(cells ...any) {
	words := make([]string, len(cells))
	for i, c := range cells {
		if words[i] = oneLine(fmt.Sprint(c)); words[i] == "" {
			words[i] = "-"
		}
	}
	fmt.Fprintln(t.w, strings.Join(words, "\t"))
}

func (t *table) flush() error { return t.w.Flush() }

// oneLine replaces control characters by spaces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// shorten cuts s to at most n characters, the last one being an ellipsis.
func shorten(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}

// printJSON writes a server's JSON, indented, with its keys in their order.
func printJSON(out io.Writer, body []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return fmt.Errorf("the server did not answer in JSON: %w", err)
	}
	b.WriteByte('\n')
	_, err := out.Write(b.Bytes())
	return err
}

// printValue writes a value of ours as printJSON does a server's.
func printValue(out io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return printJSON(out, body)
}

// fields prints the members of a JSON object one a line, in their order.
func fields(out io.Writer, body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("the server did not answer in JSON: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		fmt.Fprintf(w, "%v\t%s\n", name, plain(value))
	}
	return w.Flush()
}

// plain is a JSON value without the quotes of a string; null is "-".
func plain(value json.RawMessage) string {
	var s string
	switch {
	case string(value) == "null":
		return "-"
	case json.Unmarshal(value, &s) == nil:
		return oneLine(s)
	}
	return string(value)
}
