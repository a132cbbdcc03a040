package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// flowREST is a client of the HTTP interfaces.
type flowREST struct {
	flow *flow
	ask  func() *flowEvent // asks the last GET once more
	tray *flowTray         // answers to all else
	owed int               // of them, still to be looked at
}

// do sends a request; a GET is sent by the line that expects its answer.
func (a *flowREST) do(l *flowLine) error {
	method := l.verb
	if len(l.args) == 0 || l.args[0].key != "" {
		return fmt.Errorf("write METHOD /path")
	}
	url := a.flow.house.url() + a.flow.expand(l.args[0].value)
	body := a.flow.expand(l.body)
	header := http.Header{"X-Api-Key": {testKey}}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	for _, arg := range l.args[1:] {
		header.Set(arg.key, a.flow.expand(arg.value))
	}
	ask := func() *flowEvent { return askHTTP(method, url, header, body) }
	if a.ask = nil; method == http.MethodGet {
		a.ask = ask
		return nil
	}
	if a.tray == nil {
		a.tray = newFlowTray()
	}
	a.owed++
	go func() { a.tray.put(ask()) }()
	return nil
}

func (a *flowREST) expect(l *flowLine) error {
	limit := l.limit()
	if a.ask == nil {
		if a.owed == 0 {
			return fmt.Errorf("nothing was asked")
		}
		a.owed--
		e := a.tray.take(limit)
		if e == nil {
			return fmt.Errorf("no answer within %s", limit)
		}
		e.length(l)
		return l.match(e)
	}
	for end := time.Now().Add(limit); ; time.Sleep(30 * time.Millisecond) {
		e := a.ask()
		e.length(l)
		err := l.match(e)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

func (a *flowREST) left() []string {
	var all []string
	for ; a.owed > 0; a.owed-- {
		if e := a.tray.take(flowPatience); e == nil || e.bad {
			all = append(all, fmt.Sprint(e))
		}
	}
	return all
}

func (a *flowREST) close() {}

// askHTTP asks once.
func askHTTP(method, url string, header http.Header, body string) *flowEvent {
	failed := func(err error) *flowEvent { return &flowEvent{verb: "no answer: " + err.Error(), bad: true} }
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return failed(err)
	}
	req.Header = header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return failed(err)
	}
	defer resp.Body.Close()
	octets, err := io.ReadAll(resp.Body)
	if err != nil {
		return failed(err)
	}
	e := &flowEvent{verb: strconv.Itoa(resp.StatusCode), open: true, bad: resp.StatusCode >= 300, fields: []flowField{{name: "body", value: string(octets)}}}
	for name, values := range resp.Header {
		e.fields = append(e.fields, flowField{name: name, value: strings.Join(values, ", ")})
	}
	d := json.NewDecoder(bytes.NewReader(octets))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		e.flatten("", v)
	}
	return e
}

// flatten writes a JSON value as fields: data.id, 0.status.
func (e *flowEvent) flatten(path string, v any) {
	below := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			e.flatten(below(k), x)
		}
	case []any:
		e.fields = append(e.fields, flowField{name: below("len"), value: strconv.Itoa(len(v))})
		for i, x := range v {
			e.flatten(below(strconv.Itoa(i)), x)
		}
	case nil: // as if it were absent
	default:
		e.fields = append(e.fields, flowField{name: path, value: fmt.Sprint(v)})
	}
}

// length orders the fields, so that a mismatch shows those asked for first
// and the whole body last.
func (e *flowEvent) length(l *flowLine) {
	asked := func(f flowField) bool {
		return slices.ContainsFunc(l.args, func(a flowArg) bool { return strings.EqualFold(a.key, f.name) })
	}
	e.fields = slices.DeleteFunc(e.fields, func(f flowField) bool { return !asked(f) && f.name != "body" })
}
