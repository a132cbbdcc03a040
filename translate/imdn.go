package translate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"time"

	"smsc/message"
)

// imdnXML is the name space of the document (RFC 5438 §7.2.1.1).
const imdnXML = "urn:ietf:params:xml:ns:imdn"

// Limits of the document (spec sip §13).
const (
	maxIMDN      = 16 * 1024
	maxIMDNDepth = 8
)

// IMDNKind is what an IMDN notifies of (RFC 5438 §7.1).
type IMDNKind uint8

const (
	IMDNDelivery IMDNKind = iota
	IMDNProcessing
	IMDNDisplay
)

var imdnKinds = [...]string{"delivery-notification", "processing-notification", "display-notification"}

// Words of an IMDN's status (RFC 5438 §7.2.1).
const (
	IMDNDelivered = "delivered"
	IMDNFailed    = "failed"
	IMDNForbidden = "forbidden"
	IMDNError     = "error"
	IMDNDisplayed = "displayed"
	IMDNProcessed = "processed"
	IMDNStored    = "stored"
)

// IMDN is a message/imdn+xml document (RFC 5438 §7).
type IMDN struct {
	MessageID string // imdn.Message-ID of the message it is about
	DateTime  time.Time
	Recipient string // URI
	Kind      IMDNKind
	Status    string // a word of the list above
}

// ParseIMDN reads a message/imdn+xml document. Elements that it does not know
// are skipped.
//
// The error is BadContent: no XML, a DTD, an entity that XML itself lacks,
// another root, no message-id, no status; TooLarge above 16 KiB.
func ParseIMDN(document []byte) (IMDN, error) {
	if len(document) > maxIMDN {
		return IMDN{}, message.Errorf(message.TooLarge, "IMDN is longer than 16 KiB")
	}
	d := xml.NewDecoder(bytes.NewReader(document))
	var r imdnReader
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return IMDN{}, message.Errorf(message.BadContent, "IMDN is not well-formed XML")
		}
		if err := r.token(token); err != nil {
			return IMDN{}, err
		}
	}
	if r.imdn.MessageID == "" || r.imdn.Status == "" || hasControl(r.imdn.MessageID) {
		return IMDN{}, message.Errorf(message.BadContent, "IMDN names no message or no status")
	}
	return r.imdn, nil
}

// imdnReader follows the path from the root to where the decoder stands.
type imdnReader struct {
	path []string
	text strings.Builder
	imdn IMDN
}

func (r *imdnReader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return message.Errorf(message.BadContent, "IMDN has a document type")
	case xml.StartElement:
		if len(r.path) == 0 && (t.Name.Local != "imdn" || t.Name.Space != imdnXML && t.Name.Space != "") {
			return message.Errorf(message.BadContent, "not an IMDN")
		}
		if len(r.path) == maxIMDNDepth {
			return message.Errorf(message.BadContent, "IMDN is nested too deeply")
		}
		r.path = append(r.path, t.Name.Local)
		r.text.Reset()
		r.status()
	case xml.CharData:
		r.text.Write(t)
	case xml.EndElement:
		r.end()
		r.path = r.path[:len(r.path)-1]
		r.text.Reset()
	}
	return nil
}

// status notes imdn/<kind>/status/<word>.
func (r *imdnReader) status() {
	if len(r.path) != 4 || r.path[2] != "status" || r.imdn.Status != "" {
		return
	}
	for kind, word := range imdnKinds {
		if r.path[1] != word {
			continue
		}
		switch w := r.path[3]; w {
		case IMDNDelivered, IMDNFailed, IMDNForbidden, IMDNError, IMDNDisplayed, IMDNProcessed, IMDNStored:
			r.imdn.Kind, r.imdn.Status = IMDNKind(kind), w
		}
	}
}

// end notes the text of the elements below the root. A time that is none is
// left out: nothing depends on it.
func (r *imdnReader) end() {
	if len(r.path) != 2 {
		return
	}
	text := strings.TrimSpace(r.text.String())
	switch r.path[1] {
	case "message-id":
		r.imdn.MessageID = text
	case "datetime":
		r.imdn.DateTime, _ = time.Parse(time.RFC3339, text)
	case "recipient-uri":
		r.imdn.Recipient = text
	}
}

// AppendIMDN appends the document that says i. It has no error: characters
// that XML cannot hold become U+FFFD.
func AppendIMDN(dst []byte, i IMDN) []byte {
	element := func(name, text string) {
		if text == "" {
			return
		}
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(text)) // a Buffer takes all
		dst = append(append(append(dst, '<'), name...), '>')
		dst = append(dst, b.Bytes()...)
		dst = append(append(append(dst, "</"...), name...), ">\r\n"...)
	}
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\r\n"+`<imdn xmlns="`+imdnXML+`">`+"\r\n"...)
	element("message-id", i.MessageID)
	if !i.DateTime.IsZero() {
		element("datetime", i.DateTime.Format(time.RFC3339))
	}
	element("recipient-uri", i.Recipient)
	kind := imdnKinds[min(int(i.Kind), len(imdnKinds)-1)]
	dst = append(append(append(dst, '<'), kind...), "><status><"...)
	dst = append(append(dst, i.Status...), "/></status></"...)
	return append(append(dst, kind...), ">\r\n</imdn>\r\n"...)
}

// IMDNOf returns the notification that says about (spec sip §8.3); final is
// false for a state that is no end, of which none is sent. messageID is the
// client's imdn.Message-ID, else our id.
func IMDNOf(about *message.About, messageID string) (i IMDN, final bool) {
	i = IMDN{MessageID: messageID, DateTime: about.Done, Kind: IMDNDelivery, Status: IMDNFailed}
	switch Stat(about) {
	case StatDelivered, StatAccepted:
		i.Status = IMDNDelivered
	case StatRejected:
		i.Status = IMDNForbidden
	case StatEnroute:
		return i, false
	}
	return i, true
}

// OutcomeOfIMDN returns what a notification about a message of ours means:
// Relayed where it is not the end. One that was displayed was delivered.
func OutcomeOfIMDN(i IMDN) message.Outcome {
	o := message.Outcome{Result: message.Relayed, At: i.DateTime, Detail: "IMDN " + i.Status}
	switch {
	case i.Kind == IMDNProcessing:
	case i.Kind == IMDNDisplay: // forbidden or not, it had to be there
		o.Result, o.Word = message.Delivered, StatDelivered
	case i.Status == IMDNDelivered:
		o.Result, o.Word = message.Delivered, StatDelivered
	case i.Status == IMDNForbidden:
		o.Result, o.Cause, o.Word = message.Refused, message.Barred, StatRejected
	case i.Status == IMDNFailed, i.Status == IMDNError:
		o.Result, o.Cause, o.Word = message.Refused, message.Absent, StatUndeliv
	}
	return o
}
