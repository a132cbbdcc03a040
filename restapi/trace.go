package restapi

import (
	"net/http"
	"slices"
	"strconv"

	"smsc/message"
)

// traceMessage answers GET /api/messages/{id}/trace: every hop, in the order
// of time (spec rest §2.7).
func (c *call) traceMessage() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	out := append([]byte(nil), `{"id":`...)
	out = strconv.AppendUint(out, uint64(r.Message.ID), 10)
	out = append(out, `,"steps":[`...)
	steps := r.State.Trace
	if events := c.ss7Steps(r); events != nil {
		steps = append(slices.Clone(steps), events...)
		slices.SortStableFunc(steps, func(a, b message.Step) int { return a.At.Compare(b.At) })
	}
	raw := c.octetsOf(r, steps)
	for i, s := range steps {
		if i > 0 {
			out = append(out, ',')
		}
		before := r.Message.Accepted
		if i > 0 {
			before = steps[i-1].At
		}
		out = c.appendStep(out, s, max(s.At.Sub(before).Milliseconds(), 0))
		out = append(raw.appendTo(out, i), '}')
	}
	return c.json(http.StatusOK, append(out, `]}`...))
}

// appendStep writes one step and leaves it open; afterMS is the time since the
// one before.
func (c *call) appendStep(dst []byte, s message.Step, afterMS int64) []byte {
	dst = append(dst, `{"at":`...)
	dst = appendMillis(dst, s.At)
	dst = append(dst, `,"step":`...)
	dst = appendString(dst, s.Kind)
	if s.Link != "" {
		dst = append(dst, `,"link":`...)
		dst = appendString(dst, c.linkName(s.Link))
	}
	switch s.Kind {
	case "attempt":
		dst = append(dst, `,"direction":"out"`...)
	case "accepted", "outcome", "report":
		dst = append(dst, `,"direction":"in"`...)
	case "ss7": // says it of itself
		if s.Result != "" {
			dst = appendString(append(dst, `,"direction":`...), s.Result)
			s.Result = ""
		}
	}
	dst = append(dst, `,"summary":`...)
	dst = appendString(dst, s.Text)
	if s.Result != "" {
		dst = append(dst, `,"result":`...)
		dst = appendString(dst, s.Result)
	}
	dst = append(dst, `,"after_ms":`...)
	return strconv.AppendInt(dst, afterMS, 10)
}
