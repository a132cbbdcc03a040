package translate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"smsc/message"
)

// Limits of the document (spec sip §13).
const (
	maxRegInfo      = 16 * 1024
	maxRegInfoDepth = 8
	maxRegInfoItems = 64 // registrations, and contacts of each
)

// RegInfo is an application/reginfo+xml document: who is registered, and with
// what (RFC 3680 §5).
type RegInfo struct {
	Version       uint32
	Full          bool // all there is; else what changed since Version-1
	Registrations []RegInfoEntry
}

// RegInfoEntry is the state of one address of record (RFC 3680 §5.2.1).
type RegInfoEntry struct {
	AOR      string
	State    string // init active terminated
	Contacts []RegInfoContact
}

// RegInfoContact is one contact (RFC 3680 §5.2.2).
type RegInfoContact struct {
	ID     string
	URI    string
	Active bool   // false: it is gone
	Event  string // what happened to it last, "expired"
	SMSIP  bool   // it takes short messages: +g.3gpp.smsip (RFC 3840)
}

// ParseRegInfo reads the document. Names and words are read in any case,
// elements that nobody knows are skipped.
//
// The error is BadContent: no XML, a DTD, another root, no version; TooLarge
// above 16 KiB or too much in it.
func ParseRegInfo(document []byte) (RegInfo, error) {
	if len(document) > maxRegInfo {
		return RegInfo{}, message.Errorf(message.TooLarge, "reginfo is longer than 16 KiB")
	}
	d := xml.NewDecoder(bytes.NewReader(document))
	var r regInfoReader
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return RegInfo{}, message.Errorf(message.BadContent, "reginfo is not well-formed XML")
		}
		if err := r.token(token); err != nil {
			return RegInfo{}, err
		}
	}
	if !r.rooted {
		return RegInfo{}, message.Errorf(message.BadContent, "reginfo has no root")
	}
	return r.info, nil
}

// regInfoReader takes the document apart, element by element.
type regInfoReader struct {
	info   RegInfo
	rooted bool
	path   []string
}

func (r *regInfoReader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return message.Errorf(message.BadContent, "reginfo has a DTD")
	case xml.StartElement:
		if r.path = append(r.path, strings.ToLower(t.Name.Local)); len(r.path) > maxRegInfoDepth {
			return message.Errorf(message.BadContent, "reginfo is nested too deeply")
		}
		return r.element(t.Attr)
	case xml.EndElement:
		r.path = r.path[:len(r.path)-1]
	case xml.CharData:
		if c := r.contact(); c != nil && strings.Join(r.path, "/") == "reginfo/registration/contact/uri" {
			c.URI += strings.TrimSpace(string(t))
		}
	}
	return nil
}

func (r *regInfoReader) element(attrs []xml.Attr) error {
	get := func(name string) string {
		for _, a := range attrs {
			if strings.EqualFold(a.Name.Local, name) {
				return strings.TrimSpace(a.Value)
			}
		}
		return ""
	}
	is := func(word, want string) bool { return strings.EqualFold(word, want) }
	switch strings.Join(r.path, "/") {
	case "reginfo":
		n, err := strconv.ParseUint(get("version"), 10, 32)
		if err != nil || r.rooted {
			return message.Errorf(message.BadContent, "reginfo has no version")
		}
		r.rooted, r.info.Version, r.info.Full = true, uint32(n), is(get("state"), "full")
	case "reginfo/registration":
		if len(r.info.Registrations) >= maxRegInfoItems {
			return message.Errorf(message.TooLarge, "reginfo has too many registrations")
		}
		r.info.Registrations = append(r.info.Registrations, RegInfoEntry{AOR: get("aor"), State: strings.ToLower(get("state"))})
	case "reginfo/registration/contact":
		e := &r.info.Registrations[len(r.info.Registrations)-1]
		if len(e.Contacts) >= maxRegInfoItems {
			return message.Errorf(message.TooLarge, "reginfo has too many contacts")
		}
		e.Contacts = append(e.Contacts, RegInfoContact{ID: get("id"), Active: is(get("state"), "active"), Event: strings.ToLower(get("event"))})
	case "reginfo/registration/contact/unknown-param":
		if c := r.contact(); c != nil && is(get("name"), "+g.3gpp.smsip") {
			c.SMSIP = true
		}
	default:
		if len(r.path) == 1 {
			return message.Errorf(message.BadContent, "the root is not reginfo")
		}
	}
	return nil
}

// contact is the one that is being read, nil if there is none yet.
func (r *regInfoReader) contact() *RegInfoContact {
	n := len(r.info.Registrations)
	if n == 0 {
		return nil
	}
	if e := &r.info.Registrations[n-1]; len(e.Contacts) > 0 {
		return &e.Contacts[len(e.Contacts)-1]
	}
	return nil
}
