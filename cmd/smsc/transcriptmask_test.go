package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

var (
	maskedOnce = []struct {
		what *regexp.Regexp
		name string
	}{
		{regexp.MustCompile(`"request_id":"[^"]*"`), `"request_id":"REQUEST"`},
		{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "TIME.MS"},
		{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
		{regexp.MustCompile(`\b[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000`), "DATE"},
		{regexp.MustCompile(`"(after_ms|uptime_seconds|ms|oldest_seconds)":\d+`), `"$1":N`},
		{regexp.MustCompile(`(?m)^id: \d+$`), "id: N"},
		{regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`), "PEER"},
		{regexp.MustCompile(`"version":"[^"]*"`), `"version":"VERSION"`},
		{regexp.MustCompile(`"(Version|Revision)":"[^"]*"`), `"$1":"VERSION"`},
		{regexp.MustCompile(`"auth_token":"[0-9a-f]{32}"`), `"auth_token":"TOKEN"`},
	}
	maskedNumbered = regexp.MustCompile(`\b([A-Z]{2})[0-9a-f]{32}\b|(?:\b|evt_)\d{14,16}\b`)
)

// masked puts names in the place of what differs from run to run.
func (s *transcript) masked(text string) string {
	for value, name := range s.names {
		if strings.HasPrefix(name, "$") {
			text = strings.ReplaceAll(text, value, name)
		}
	}
	for _, m := range maskedOnce {
		text = m.what.ReplaceAllStringFunc(text, func(found string) string {
			if strings.Contains(s.requests(), found) {
				return found // given, so it is the same each time
			}
			return m.what.ReplaceAllString(found, m.name)
		})
	}
	return maskedNumbered.ReplaceAllStringFunc(text, func(found string) string {
		if id, ok := strings.CutPrefix(found, "evt_"); ok {
			return "evt_" + s.named(id)
		}
		return s.named(found)
	})
}

// named is the name of a value that differs from run to run.
func (s *transcript) named(value string) string {
	if strings.Contains(s.requests(), value) {
		return value // given, so it is the same each time
	}
	name := s.names[value]
	if name == "" {
		kind := value[:2]
		if kind[0] <= '9' {
			kind = "ID"
		}
		s.count[kind]++
		name = fmt.Sprint(kind, s.count[kind])
		s.names[value] = name
	}
	return name
}

// requests is what the transcript says itself: the document and the requests.
func (s *transcript) requests() string {
	if i := strings.Index(s.text, "\n<"); i >= 0 {
		var kept []string
		for line := range strings.Lines(s.text) {
			if !strings.HasPrefix(line, "<") && !strings.HasPrefix(line, "*") {
				kept = append(kept, line)
			}
		}
		s.text = strings.Join(kept, "")
	}
	return s.text
}

// covers tells whether the answer got has everything that want has, and at
// most further members of its objects.
func covers(got, want string) bool {
	head, body, _ := strings.Cut(got, "\n<\n")
	wantHead, wantBody, _ := strings.Cut(want, "\n<\n")
	var g, w any
	unquoted := func(body string) []byte {
		// Names of what differs stand for numbers too.
		body = regexp.MustCompile(`:(ID\d+|N)\b`).ReplaceAllString(strings.Join(unmark(body, "<"), "\n"), `:"$1"`)
		return []byte(body)
	}
	return head == wantHead && json.Unmarshal(unquoted(body), &g) == nil && json.Unmarshal(unquoted(wantBody), &w) == nil && within(g, w)
}

func within(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for key, v := range want {
			ok = ok && within(g[key], v)
		}
		return ok
	case []any:
		g, ok := got.([]any)
		ok = ok && len(g) == len(want)
		for i := 0; ok && i < len(want); i++ {
			ok = within(g[i], want[i])
		}
		return ok
	}
	return got == want
}
