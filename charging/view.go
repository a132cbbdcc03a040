package charging

import (
	"strconv"
	"time"

	"smsc/message"
)

// maxReason is the longest reason_for_failure, in characters.
const maxReason = 255

// view is a record with what several columns need of it.
type view struct {
	r       message.Record
	m       *message.Message
	s       *message.State
	meta    Meta
	at      time.Time
	try     message.Try // the last one; zero: none
	tried   bool
	content content
}

func newView(r message.Record, meta Meta) *view {
	v := &view{r: r, m: r.Message, meta: meta, at: meta.At}
	v.s = &v.r.State
	if v.at.IsZero() {
		v.at = v.s.Ended
	}
	v.try, v.tried = v.s.LastTry()
	v.content = measure(&v.m.Body)
	return v
}

// left is how an address left with the last attempt, "" if there was none.
func (v *view) left(rewritten string, a *message.Address) string {
	if !v.tried {
		return ""
	}
	return or(rewritten, a.Value)
}

// outcomes are the words of one attempt: its status, and Restcomm's without
// the interface.
var outcomes = map[message.Result][2]string{
	message.Delivered: {"delivered", "success"},
	message.Relayed:   {"sent", "success"},
	message.Deferred:  {"retrying", "temp_failed"},
	message.Unsure:    {"retrying", "temp_failed"},
	message.Refused:   {"failed", "failed"},
}

func (v *view) status() string {
	switch v.meta.Type {
	case TypeAttempt:
		return outcomes[v.s.Last.Result][0]
	case TypeReject:
		return "rejected"
	}
	return v.r.Status()
}

// cause is why: of an attempt, why it failed.
func (v *view) cause() message.Cause {
	if v.meta.Type == TypeAttempt {
		return v.s.Last.Cause
	}
	return v.r.Cause()
}

// refused returns the word for a message that was refused at the door: by a
// rule, by charging, or by the house.
func (v *view) refused() string {
	for i := range v.s.Trace {
		if step := &v.s.Trace[i]; step.Kind == "rule" && step.Result == "reject" {
			return "mproc_rejected"
		}
	}
	if v.s.Failure == message.NoCredit {
		return "submit_failed_charging"
	}
	return "submit_failed" + interfaces[v.m.Origin.Type.String()]
}

func (v *view) recordType() string {
	switch {
	case v.meta.Type != "":
		return v.meta.Type
	case v.m.Kind == message.KindReceipt:
		return TypeReceipt
	}
	return TypeFinal
}

func (v *view) messageType() string {
	if v.m.Kind == message.KindReceipt {
		return "dlr"
	}
	return "message"
}

// reported names the message that a receipt is about.
func (v *view) reported() string {
	switch {
	case v.m.Kind != message.KindReceipt:
		return ""
	case v.m.About == nil:
		return "xxxx"
	}
	return v.m.About.ID.String()
}

func (v *view) origination() string {
	if v.m.Origin.Type == message.SourceLocal {
		return "LOCAL_ORIG"
	}
	return v.m.Origin.Type.String()
}

// interfaces are Restcomm's words for the kinds of links.
var interfaces = map[string]string{"SMPP": "_esme", "SIP": "_sip", "HTTP": "_http", "IMS": "_ims"}

// deliveryStatus returns the word that Restcomm's records use (spec records
// §1). Without a link that carried the message it names no interface.
func (v *view) deliveryStatus() string {
	x := interfaces[v.meta.DestType]
	switch v.meta.Type {
	case TypeAttempt:
		return outcomes[v.s.Last.Result][1] + x
	case TypeReject:
		return v.refused()
	}
	switch v.s.Phase {
	case message.Done:
		if p := v.m.Body.Part; p != nil && p.Seq < p.Total {
			return "partial" + x
		}
		return "success" + x
	case message.Failed:
		if v.s.Failure == message.NoCredit && v.s.Attempts == 0 {
			return "ocs_rejected"
		}
		return "failed" + x
	case message.Expired, message.Cancelled:
		return "failed" + x
	case message.Dropped:
		switch {
		case v.s.Last.Detail == message.AutoReply:
			return "success" + x
		case v.s.Attempts > 0:
			return "mproc_drop_pre_delivery"
		}
		return "mproc_dropped"
	}
	return ""
}

// appendRemotes writes the ids that the next hop gave.
func appendRemotes(dst []byte, v *view) []byte {
	start := len(dst)
	for _, g := range v.s.Segments {
		if g.Remote == "" {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ';')
		}
		dst = append(dst, g.Remote...)
	}
	return dst
}

// parts is how many short messages it was, as sent if it was sent.
func (v *view) parts() int {
	if n := len(v.s.Segments); n > 0 {
		return n
	}
	return int(v.m.Parts)
}

func (v *view) delivered() int {
	if v.s.Phase == message.Done {
		return v.parts()
	}
	return v.s.Delivered()
}

// appendLastAttempt writes how long the last attempt took: from the last step
// "attempt" of the trace to the outcome behind it.
func appendLastAttempt(dst []byte, v *view) []byte {
	var end time.Time
	for i := len(v.s.Trace) - 1; i >= 0; i-- {
		switch step := &v.s.Trace[i]; step.Kind {
		case "outcome":
			end = step.At
		case "attempt":
			return appendSpan(dst, step.At, end)
		}
	}
	return dst
}

func appendExcerpt(dst []byte, v *view) []byte {
	if !v.meta.Text {
		return dst
	}
	return append(dst, v.content.excerpt...)
}

// failure returns the peer's words, of an end that is no success.
func (v *view) failure() string {
	if v.s.Phase == message.Done || v.meta.Type == TypeAttempt && v.s.Last.Cause == message.CauseNone {
		return ""
	}
	return first(v.s.Last.Detail, maxReason)
}

func (v *view) permanent() string {
	c := v.cause()
	if c == message.CauseNone {
		return ""
	}
	return yes(c.Permanent())
}

func (v *view) result() string {
	if v.s.Attempts == 0 {
		return ""
	}
	return v.s.Last.Result.String()
}

// first returns the first n characters of s.
func first(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// states are the numbers of the carrier's words (SMPP 3.4 §5.2.28).
var states = map[string]string{
	"ENROUTE": "1", "DELIVRD": "2", "EXPIRED": "3", "DELETED": "4",
	"UNDELIV": "5", "ACCEPTD": "6", "UNKNOWN": "7", "REJECTD": "8",
}

// Types of number and numbering plans of normal forms (SMPP 3.4 §5.2.5,
// §5.2.6).
const (
	tonInternational = 1
	tonAlphanumeric  = 5
	npiISDN          = 1
)

// appendTON writes the type of number of the normal form: what the sender
// wrote holds for local numbers only.
func appendTON(dst []byte, a *message.Address) []byte {
	switch form := a.Form(); {
	case a.IsZero():
		return dst
	case form == message.FormInternational:
		return strconv.AppendUint(dst, tonInternational, 10)
	case form == message.FormName || a.Typed && a.TON == tonAlphanumeric:
		return strconv.AppendUint(dst, tonAlphanumeric, 10)
	case a.Typed:
		return strconv.AppendUint(dst, uint64(a.TON), 10)
	}
	return append(dst, '0')
}

func appendNPI(dst []byte, a *message.Address) []byte {
	switch form := a.Form(); {
	case a.IsZero():
		return dst
	case form == message.FormInternational:
		return strconv.AppendUint(dst, npiISDN, 10)
	case form == message.FormLocal && a.Typed && a.TON != tonAlphanumeric:
		return strconv.AppendUint(dst, uint64(a.NPI), 10)
	}
	return append(dst, '0')
}
