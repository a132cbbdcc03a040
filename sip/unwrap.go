package sip

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"

	"smsc/message"
	"smsc/translate"
)

// Bounds of content within content (spec sip §5).
const (
	maxNesting  = 3
	maxSubparts = 16
)

// content is what a request says, its wrappings taken off.
type content struct {
	kind, params string // of what is left
	octets       []byte
	wish         translate.Wish // RFC 5438 §6.2
	imdnID       string
	imdn         *translate.IMDN // a report instead of a message
}

// readContent takes wrappings off until something is left that an SMS can
// carry, or that says something about one.
func readContent(p *packet) (c content, f *fault) {
	if f := checkContent(p); f != nil {
		return c, f
	}
	c.kind, c.params = mediaType(p.get("Content-Type"))
	c.octets = p.body
	for depth := 0; ; depth++ {
		switch {
		case plainKind(c.kind):
			return c, nil
		case c.kind == typeIMDN:
			return c, c.readIMDN()
		case depth == maxNesting:
			return c, unsupported("content within content is more than %d deep", maxNesting)
		case c.kind == typeCPIM:
			f = c.openCPIM()
		case strings.HasPrefix(c.kind, "multipart/"):
			f = c.openMultipart()
		default:
			f = unsupported("Content-Type %s is not served", shown(c.kind))
		}
		if f != nil {
			return c, f
		}
	}
}

// plainKind tells whether a type needs no unwrapping.
func plainKind(kind string) bool {
	switch kind {
	case typeText, "text/html", "text/vnd.wap.wml", typeOctets, typeComposing:
		return true
	}
	return false
}

// openCPIM reads the envelope of RFC 3862. The addresses of the request stay
// those of the message: proxies route by them.
func (c *content) openCPIM() *fault {
	inner, err := translate.ParseCPIM(c.octets)
	if err != nil {
		return badContent(err)
	}
	c.wish |= inner.Wish
	if inner.MessageID != "" {
		c.imdnID = inner.MessageID
	}
	c.kind, c.params, c.octets = typeText, "", inner.Content
	if inner.ContentType != "" {
		c.kind, c.params = mediaType(inner.ContentType)
	}
	return nil
}

func (c *content) readIMDN() *fault {
	imdn, err := translate.ParseIMDN(c.octets)
	if err != nil {
		return badContent(err)
	}
	c.imdn = &imdn
	return nil
}

func badContent(err error) *fault {
	status := 400
	if message.CauseOf(err) == message.TooLarge {
		status = 413
	}
	return refuse(status, "%s", message.TextOf(err))
}

// openMultipart takes the first text/plain part, else the first that can be
// taken (spec sip §5). Signatures are carried by no SMS and not checked (RFC 3428 §11.3); a
// part that must be understood and is not refuses the whole (RFC 5621 §8.2).
func (c *content) openMultipart() *fault {
	boundary, ok := param(c.params, "boundary")
	if !ok || boundary == "" || len(boundary) > 70 {
		return refuse(400, "multipart without boundary")
	}
	r := multipart.NewReader(bytes.NewReader(c.octets), boundary)
	var best *content
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) && n > 0 {
			break
		}
		if err != nil {
			return refuse(400, "multipart is malformed")
		}
		if n == maxSubparts {
			return refuse(413, "multipart has more than %d parts", maxSubparts)
		}
		one, f := readPart(part)
		if f != nil {
			return f
		}
		if one != nil && (best == nil || one.kind == typeText && best.kind != typeText) {
			best = one
		}
	}
	if best == nil {
		return unsupported("multipart has no part that is served")
	}
	c.kind, c.params, c.octets = best.kind, best.params, best.octets
	return nil
}

// readPart reads one part; nil is one that may be passed over.
func readPart(part *multipart.Part) (*content, *fault) {
	octets, err := io.ReadAll(io.LimitReader(part, message.MaxBody+1))
	if err != nil {
		return nil, refuse(400, "multipart is malformed")
	}
	one := &content{kind: typeText, octets: octets}
	if v := part.Header.Get("Content-Type"); v != "" {
		one.kind, one.params = mediaType(v)
	}
	_, disposition := cutParam(part.Header.Get("Content-Disposition"))
	handling, said := param(disposition, "handling")
	known := plainKind(one.kind) || one.kind == typeCPIM || one.kind == typeIMDN || strings.HasPrefix(one.kind, "multipart/")
	if !known {
		if said && sameName(handling, "required") {
			return nil, unsupported("part of type %s is not served", shown(one.kind))
		}
		return nil, nil
	}
	if one.octets, err = translate.Untransfer(part.Header.Get("Content-Transfer-Encoding"), one.octets); err != nil {
		return nil, badContent(err)
	}
	return one, nil
}

// take adds what the content wishes to the wishes of the headers: an
// X-REG-DELIVERY has said it already.
func (w *wishes) take(c *content) {
	w.imdnID, w.displayed = c.imdnID, c.wish&translate.WishDisplayed != 0
	if w.regBits != "" {
		return
	}
	if c.wish&translate.WishDelivered != 0 {
		w.wants |= message.WantSuccess
	}
	if c.wish&translate.WishFailed != 0 {
		w.wants |= message.WantFailure
	}
}
