package translate

import (
	"strconv"
	"time"

	"smsc/message"
)

// State words of SMPP 3.4 appendix B, and those of later versions and of the
// field that we read only.
const (
	StatDelivered = "DELIVRD"
	StatExpired   = "EXPIRED"
	StatDeleted   = "DELETED"
	StatUndeliv   = "UNDELIV"
	StatAccepted  = "ACCEPTD"
	StatUnknown   = "UNKNOWN"
	StatRejected  = "REJECTD"
	StatEnroute   = "ENROUTE"
	statScheduled = "SCHEDULED"
	statSkipped   = "SKIPPED"
	statFailed    = "FAILED"
)

// Receipt is the text of a delivery receipt (SMPP 3.4 appendix B).
type Receipt struct {
	ID           string
	Sub, Dlvrd   int // short messages submitted and delivered
	Submit, Done time.Time
	Stat         string // a word of appendix B, upper case
	Err          string // three digits when we write it
	Text         string // excerpt of the message
}

// AppendReceipt appends the text of r (spec smpp §15): one space between the
// fields, times in UTC to the minute, three digits of err.
func AppendReceipt(dst []byte, r Receipt) []byte {
	dst = append(append(dst, "id:"...), r.ID...)
	dst = appendThree(append(dst, " sub:"...), r.Sub)
	dst = appendThree(append(dst, " dlvrd:"...), r.Dlvrd)
	dst = appendMinute(append(dst, " submit date:"...), r.Submit)
	dst = appendMinute(append(dst, " done date:"...), r.Done)
	dst = append(append(dst, " stat:"...), r.Stat...)
	dst = appendErr(append(dst, " err:"...), r.Err)
	return append(append(dst, " text:"...), r.Text...)
}

func appendThree(dst []byte, n int) []byte {
	n = min(max(n, 0), 999)
	return append(dst, '0'+byte(n/100), '0'+byte(n/10%10), '0'+byte(n%10))
}

// appendMinute writes YYMMDDhhmm, zeros for a moment nobody knows.
func appendMinute(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "0000000000"...)
	}
	return t.UTC().AppendFormat(dst, "0601021504")
}

// appendErr writes exactly three digits: other lengths break parsers.
func appendErr(dst []byte, code string) []byte {
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil || n > 999 {
		n = 0
	}
	return appendThree(dst, int(n))
}

// ReceiptOf returns the receipt that says about. Sub is 1 and Dlvrd 0 or 1:
// one submission, however many parts it left in. Who reports joined parts as
// one sets them from About.Parts and About.Delivered.
func ReceiptOf(about *message.About) Receipt {
	r := Receipt{
		ID: about.ID.String(), Sub: 1,
		Submit: about.Submitted, Done: about.Done,
		Stat: Stat(about), Text: about.Excerpt,
	}
	if about.Phase == message.Done || r.Stat == StatDelivered {
		r.Dlvrd = 1
	}
	r.Err = errOf(about, r.Dlvrd == 1)
	return r
}

// errOf returns the three digits: the carrier's own if it said some.
func errOf(about *message.About, delivered bool) string {
	switch {
	case delivered:
		return "000"
	case threeDigits(about.Code):
		return about.Code
	case about.Cause != message.CauseNone:
		return ReceiptErr(about.Cause)
	case about.Phase == message.Failed:
		return ReceiptErr(message.Internal)
	case about.Phase == message.Expired:
		return ReceiptErr(message.TimeExpired)
	case about.Phase == message.Cancelled, about.Phase == message.Dropped:
		return ReceiptErr(message.Barred)
	}
	return "000"
}

func threeDigits(code string) bool {
	if len(code) != 3 {
		return false
	}
	for i := 0; i < 3; i++ {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return true
}

// Stat returns the state word for about (spec smpp §15). The word of the next
// hop counts where it fits the end.
func Stat(about *message.About) string {
	switch about.Phase {
	case message.Done:
		if about.Word == StatAccepted {
			return StatAccepted
		}
		return StatDelivered
	case message.Failed:
		switch about.Word {
		case StatUndeliv, StatRejected, StatDeleted, StatExpired:
			return about.Word
		}
		return ReceiptStat(about.Cause)
	case message.Expired:
		if about.Word == StatAccepted || about.Word == StatUnknown {
			return about.Word
		}
		return StatExpired
	case message.Cancelled:
		return StatDeleted
	case message.Dropped:
		if about.Word == StatDelivered { // an automatic reply spoke for the recipient
			return StatDelivered
		}
		return StatRejected
	}
	return StatEnroute
}

// states are the words by message_state (SMPP 3.4 §5.2.28, 5.0 §4.7.15).
var states = [...]string{
	statScheduled, StatEnroute, StatDelivered, StatExpired, StatDeleted,
	StatUndeliv, StatAccepted, StatUnknown, StatRejected, statSkipped,
}

// MessageState returns the message_state of a state word, 7 (UNKNOWN) for a
// word that is none.
func MessageState(stat string) uint8 {
	for i, word := range states {
		if word == stat {
			return uint8(i)
		}
	}
	if stat == statFailed {
		return MessageState(StatUndeliv)
	}
	return MessageState(StatUnknown)
}

// StatOfState returns the word of a message_state, UNKNOWN for a number that
// is none.
func StatOfState(state uint8) string {
	if int(state) < len(states) {
		return states[state]
	}
	return StatUnknown
}

// OutcomeOf returns what a carrier's receipt means (spec smpp §15): Relayed
// while it is not the end, Refused with TimeExpired for its EXPIRED. Word and
// Code are set where they can stand in a receipt of ours. Err of three digits
// gives the cause of a failure, where it gives none it is Absent ("not
// reached"); what the carrier rejected or deleted is Barred, unless Err names
// another cause of rejection.
func OutcomeOf(r Receipt) message.Outcome {
	o := message.Outcome{Result: message.Relayed, Detail: "stat:" + r.Stat + " err:" + r.Err}
	if threeDigits(r.Err) {
		o.Code = r.Err
	}
	switch r.Stat {
	case StatDelivered:
		o.Result = message.Delivered
	case StatUndeliv, statFailed, statSkipped:
		o.Result, o.Cause = message.Refused, message.Absent
		if c, ok := CauseOfErr(r.Err); ok {
			o.Cause = c
		}
	case StatRejected, StatDeleted:
		o.Result, o.Cause = message.Refused, message.Barred
		if c, ok := CauseOfErr(r.Err); ok && ReceiptStat(c) == r.Stat {
			o.Cause = c
		}
	case StatExpired:
		o.Result, o.Cause = message.Refused, message.TimeExpired
	}
	switch r.Stat {
	case statFailed, statSkipped:
		o.Word = StatUndeliv
	case StatDelivered, StatExpired, StatDeleted, StatUndeliv, StatAccepted, StatUnknown, StatRejected, StatEnroute:
		o.Word = r.Stat
	}
	return o
}

const excerptCharacters = 20

// Excerpt returns the first 20 characters of b for a receipt. Characters that
// are not the same octet in ASCII and in GSM 7-bit become "?" ("@" would be
// octet 0), for nobody can tell how the reader takes them; so do line breaks,
// which end the receipt for many parsers. Octets give "".
func Excerpt(b message.Body) string {
	out, n := make([]byte, 0, excerptCharacters), 0
	for _, r := range Readable(b) {
		if n++; n > excerptCharacters {
			break
		}
		if r >= ' ' && r < 0x80 && odd[r] == 0 {
			out = append(out, byte(r))
		} else {
			out = append(out, '?')
		}
	}
	return string(out)
}
