package restapi

import (
	"net/http"
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
	for i, s := range r.State.Trace {
		if i > 0 {
			out = append(out, ',')
		}
		before := r.Message.Accepted
		if i > 0 {
			before = r.State.Trace[i-1].At
		}
		out = c.appendStep(out, s, max(s.At.Sub(before).Milliseconds(), 0))
	}
	return c.json(http.StatusOK, append(out, `]}`...))
}

// appendStep writes one step; afterMS is the time since the one before.
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
	}
	dst = append(dst, `,"summary":`...)
	dst = appendString(dst, s.Text)
	if s.Result != "" {
		dst = append(dst, `,"result":`...)
		dst = appendString(dst, s.Result)
	}
	dst = append(dst, `,"after_ms":`...)
	dst = strconv.AppendInt(dst, afterMS, 10)
	return append(dst, '}')
}
