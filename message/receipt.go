package message

import (
	"strings"
	"time"
)

// AutoReply is the Detail of a Dropped message that an automatic reply has
// answered: its receipt speaks for the service that answered.
const AutoReply = "auto_reply"

// FinalReceipt returns the receipt that r, which has come to its end, owes to
// its sender, nil if none. ID, Accepted and Expires are left to the caller.
// There is one for each message that asked, also when a retry reopened it,
// and never one about a receipt (SMPP 3.4 §5.2.17).
func FinalReceipt(r Record) *Message {
	m, s := r.Message, &r.State
	if m.Kind != KindMessage || m.Mode == ModeDatagram || !s.Phase.Ended() {
		return nil
	}
	// Only an end without success can be reopened, and that one was reported.
	if s.Opened > 0 && m.Wants&WantFailure != 0 {
		return nil
	}
	a := about(r)
	want := WantFailure
	if s.Phase == Done || s.Phase == Dropped && s.Last.Detail == AutoReply {
		want, a.Phase, a.Cause, a.Delivered = WantSuccess, Done, CauseNone, a.Parts
	}
	if m.Wants&want == 0 {
		return nil
	}
	a.Done = s.Ended
	return home(m, a)
}

// PartReceipts returns the receipts that r, which has come to its end, owes
// to the senders of the parts it was joined from, beside that of part 1.
func PartReceipts(r Record) []*Message {
	var all []*Message
	for _, a := range r.Message.Aliases {
		if a.Wants == WantNone {
			continue
		}
		m := *r.Message
		m.ID, m.Wants, m.Origin.Handle, m.Aliases = a.ID, a.Wants, a.Handle, nil
		if receipt := FinalReceipt(Record{Message: &m, State: r.State}); receipt != nil {
			all = append(all, receipt)
		}
	}
	return all
}

// Notification returns the intermediate notification about r, which still
// waits, nil if none was asked for.
func Notification(r Record) *Message {
	m := r.Message
	if m.Kind != KindMessage || m.Mode == ModeDatagram || m.Wants&WantIntermediate == 0 {
		return nil
	}
	a := about(r)
	a.Phase = Waiting
	return home(m, a)
}

// SentNotice returns the notification that the next hop has taken r and will
// report, nil if none was asked for.
func SentNotice(r Record) *Message {
	m := r.Message
	if m.Kind != KindMessage || m.Mode == ModeDatagram || m.Wants&WantSent == 0 {
		return nil
	}
	return home(m, about(r))
}

// made begins the text of the trace where a receipt was made.
const made = "made, id "

// Made is the line of a trace that says that receipt was made.
func Made(at time.Time, receipt *Message) Step {
	return Step{At: at, Kind: "receipt", Link: receipt.Dest, Text: made + receipt.ID.String()}
}

// Receipts returns the ids of the receipts that were made about a message, in
// the order in which they were, as far as its trace still tells.
func Receipts(s *State) []ID {
	var ids []ID
	for i := range s.Trace {
		if text, ok := strings.CutPrefix(s.Trace[i].Text, made); ok && s.Trace[i].Kind == "receipt" {
			if id, ok := ParseID(text); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func about(r Record) *About {
	m, s := r.Message, &r.State
	a := &About{
		ID: m.ID, Phase: s.Phase, Cause: s.Failure, Word: s.Last.Word, Code: s.Last.Code,
		Submitted: m.Accepted, Parts: m.Parts, Excerpt: excerpt(m.Body),
		Handle: m.Origin.Handle, Extra: m.Extra,
	}
	if n := s.Delivered(); n < int(m.Parts) {
		a.Delivered = uint8(n)
	} else {
		a.Delivered = m.Parts
	}
	// The code of an expired message is that of its last real failure.
	if s.Phase == Expired && a.Cause == CauseNone {
		a.Cause = TimeExpired
	}
	return a
}

// Keys of Extra that are read between the edges.
const (
	// ExtraHome is the link by which receipts go home, where that is not the
	// one the message came by.
	ExtraHome = "home"
	// ExtraParked, where it is set, has the door store the message as a dead
	// letter: it ends as failed, and an explicit retry lets it go.
	ExtraParked = "parked"
)

func home(m *Message, a *About) *Message {
	link := m.Origin.Link
	if other := m.Extra[ExtraHome]; other != "" {
		link = other
	}
	return &Message{
		Kind: KindReceipt, Account: m.Account, From: m.To, To: m.From,
		Dest: link, Origin: Origin{Link: "auto", Type: SourceLocal},
		About: a, Parts: 1, Priority: m.Priority,
	}
}

// excerpt returns the first 20 characters of a text, those that are not the
// same octet in ASCII and GSM 7-bit as "?" (spec smpp §15).
func excerpt(b Body) string {
	if !b.IsText() {
		return ""
	}
	var s strings.Builder
	n := 0
	for _, r := range b.Text {
		if n++; n > 20 {
			break
		}
		if r < ' ' || r > 'z' || strings.ContainsRune("@$[\\]^_`", r) {
			r = '?'
		}
		s.WriteRune(r)
	}
	return s.String()
}
