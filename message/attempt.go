package message

import (
	"strconv"
	"strings"
)

// Try is what the trace says of an attempt when it begins.
type Try struct {
	Round, Number int
	Route         int    // id; 0: no route led there
	From, To      string // as they leave, where that is not as they are kept
}

// Text is the line of the trace.
func (t Try) Text() string {
	b := strconv.AppendInt(append(make([]byte, 0, 48), "round "...), int64(t.Round), 10)
	b = strconv.AppendInt(append(b, ", try "...), int64(t.Number), 10)
	if t.Route != 0 {
		b = strconv.AppendInt(append(b, ", route "...), int64(t.Route), 10)
	}
	if t.From != "" {
		b = append(append(b, ", from "...), t.From...)
	}
	if t.To != "" {
		b = append(append(b, ", to "...), t.To...)
	}
	return string(b)
}

// ParseTry reads what [Try.Text] wrote; what it does not know stays zero.
func ParseTry(text string) (t Try) {
	for field := range strings.SplitSeq(text, ", ") {
		key, value, _ := strings.Cut(field, " ")
		switch key {
		case "round":
			t.Round, _ = strconv.Atoi(value)
		case "try":
			t.Number, _ = strconv.Atoi(value)
		case "route":
			t.Route, _ = strconv.Atoi(value)
		case "from":
			t.From = value
		case "to":
			t.To = value
		}
	}
	return t
}

// LastTry is the last attempt that the trace tells of; false if there was
// none.
func (s *State) LastTry() (Try, bool) {
	for i := len(s.Trace) - 1; i >= 0; i-- {
		if s.Trace[i].Kind == "attempt" {
			return ParseTry(s.Trace[i].Text), true
		}
	}
	return Try{}, false
}
