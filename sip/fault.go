package sip

import (
	"fmt"
)

// fault is why a request is refused: the status and the words, which stand in
// the reason phrase and in Warning 399 (spec sip §6).
type fault struct {
	status int
	text   string
	plain  bool // no Warning: the phrase of the registry says it all
	extra  []header
}

func (f *fault) Error() string { return f.text }

func refuse(status int, format string, args ...any) *fault {
	return &fault{status: status, text: fmt.Sprintf(format, args...)}
}

// with adds a header to the answer.
func (f *fault) with(name, value string) *fault {
	f.extra = append(f.extra, header{name, value})
	return f
}

// answer is the response that says f.
func (f *fault) answer(node string) response {
	r := response{status: f.status, headers: f.extra}
	if f.plain || f.text == "" {
		return r
	}
	r.reason = reasonOf(f)
	return r.with("Warning", warning(node, f.text))
}
