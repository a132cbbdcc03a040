package sip

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/translate"
)

// maxAfter bounds what we believe of a Retry-After.
const maxAfter = time.Hour

// outcome reads a final answer to a MESSAGE (spec sip §10.2); one that nobody
// has written down counts as the x00 of its class (RFC 3261 §8.1.3.2). What
// can be mended within the attempt was tried before.
func (s *Server) outcome(l *link, p *packet) message.Outcome {
	var o message.Outcome
	o.Result, o.Cause = translate.CauseOfSIP(p.status)
	o.Detail = detail(p)
	if p.status == 202 && !l.cfg.Reports {
		o.Result = message.Delivered
		o.Detail += " (accepted)"
	}
	if o.Result == message.Deferred || o.Result == message.Refused {
		o.After = parseRetryAfter(p.get("Retry-After"))
		if o.After > 0 && (p.status == 413 || p.status == 513) {
			o.Result = message.Deferred
		}
		o.Pause = p.status == 503 && o.After > 0
	}
	return o
}

// failure is the outcome when no answer came (spec sip §10.2,
// RFC 3261 §8.1.3.1): what surely did not leave may go elsewhere, silence may
// not.
func failure(err error) message.Outcome {
	if errors.Is(err, errUnsent) {
		return message.Outcome{Result: message.Deferred, Cause: message.Internal, Detail: "link down: " + err.Error()}
	}
	return message.Outcome{Result: message.Unsure, Cause: message.Timeout, Detail: err.Error()}
}

// detail is the answer in SIP's words: status, phrase and the first warning.
func detail(p *packet) string {
	d := fmt.Sprintf("%d %s", p.status, clip(p.reason, 80))
	if w := p.get("Warning"); w != "" {
		d += " [" + clip(w, 120) + "]"
	}
	return d
}

// clip shortens what a peer wrote to what a log line can bear.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "..."
	}
	return s
}

// parseRetryAfter reads "18", "18 (comment)" and "18;duration=3600"
// (RFC 3261 §20.33).
func parseRetryAfter(v string) time.Duration {
	v = strings.TrimLeft(v, " \t")
	end := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		v = v[:end]
	}
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxAfter)
}
