package sip

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"smsc/message"
	"smsc/translate"
)

// Content types that are served (spec sip §5, RFC 3261 §8.2.3), and the Accept that says so.
const (
	typeOctets    = "application/octet-stream"
	typeComposing = "application/im-iscomposing+xml"
	typeText      = "text/plain"

	typeCPIM = "message/cpim"
	typeIMDN = "message/imdn+xml"

	accepted = "text/plain, text/html, text/vnd.wap.wml, application/octet-stream, message/cpim, " +
		"multipart/mixed, multipart/alternative, application/im-iscomposing+xml"
)

var errCharset = errors.New("octets are not valid in their charset")

// mediaType splits a Content-Type: the type in lower case, the parameters.
func mediaType(value string) (kind, params string) {
	kind, params = cutParam(value)
	kind = strings.Trim(kind, " \t")
	if main, sub, ok := strings.Cut(kind, "/"); ok && strings.ContainsAny(kind, " \t") { // they may stand around "/"
		kind = strings.TrimRight(main, " \t") + "/" + strings.TrimLeft(sub, " \t")
	}
	return strings.ToLower(kind), params
}

// unsupported is the 415 that says what would be taken.
func unsupported(format string, args ...any) *fault {
	return refuse(415, format, args...).with("Accept", accepted).with("Accept-Encoding", "identity")
}

// checkContent holds size and encoding against what is served.
func checkContent(p *packet) *fault {
	found, _ := p.has("Content-Type")
	switch enc := strings.ToLower(strings.TrimSpace(p.get("Content-Encoding"))); {
	case len(p.body) > message.MaxBody:
		return refuse(413, "body is larger than %d octets", message.MaxBody)
	case enc != "" && enc != "identity":
		return unsupported("Content-Encoding %s is not served", shown(enc))
	case !found && len(p.body) > 0:
		return refuse(400, "body without Content-Type")
	case !found:
		return refuse(400, "neither body nor Content-Type")
	}
	return nil
}

// readBody makes our body of the content and the coding asked for (§7).
func readBody(kind, params string, octets []byte, w *wishes) (message.Body, *fault) {
	var body message.Body
	var f *fault
	if kind == typeOctets {
		body, f = octetBody(octets, w)
	} else {
		body, f = textBody(params, octets, w)
	}
	if f != nil {
		return body, f
	}
	body.Class = w.class
	if len(w.udh) > 0 {
		body.UDH, body.Part = w.udh, w.udh.Concat()
	}
	if _, err := translate.CountParts(body); err != nil {
		if message.CauseOf(err) == message.TooLarge {
			return body, refuse(413, "message needs more than 255 parts, or its part more than one")
		}
		return body, refuse(400, "%s", message.TextOf(err))
	}
	return body, nil
}

// octetBody reads application/octet-stream. Septets are those of the national
// tables that X-SMS-UDH names (TS 23.038 §6.2.1.2).
func octetBody(octets []byte, w *wishes) (message.Body, *fault) {
	switch w.coding {
	case 0:
		for _, c := range octets {
			if c > 0x7f {
				return message.Body{}, refuse(400, "%s: octet 0x%02X is no septet", xCoding, c)
			}
		}
		body, err := translate.BodyFromDataCoding(0, "gsm7", octets, w.udh)
		if err != nil {
			return body, refuse(400, "%s: %s", xCoding, message.TextOf(err))
		}
		return body, nil
	case 2:
		body, err := translate.UCS2Body(octets)
		if err != nil || body.Data != nil {
			return message.Body{}, refuse(400, "%s: octets are not UTF-16BE", xCoding)
		}
		return body, nil
	}
	return message.Body{Coding: message.Octets, Data: octets}, nil
}

// textBody reads text in its charset and gives it the coding asked for.
func textBody(params string, octets []byte, w *wishes) (message.Body, *fault) {
	charset, ok := param(params, "charset")
	if !ok || charset == "" {
		charset = "utf-8"
	}
	text, known, err := decodeCharset(charset, octets)
	switch {
	case !known:
		return message.Body{}, unsupported("charset %s is not served", shown(charset))
	case err != nil && w.coding == 1:
		return message.Body{Coding: message.Octets, Data: octets}, nil
	case err != nil:
		return message.Body{}, refuse(400, "body is not valid %s", strings.ToLower(charset))
	}
	return codedText(text, w)
}

// codedText gives text the coding asked for, with the national tables that
// X-SMS-UDH names.
func codedText(text string, w *wishes) (message.Body, *fault) {
	tables := w.udh.Shift()
	switch w.coding {
	case 0:
		if _, bad, ok := tables.Encode(nil, text); !ok {
			return message.Body{}, refuse(488, "character U+%04X is not in the GSM 7-bit alphabet", bad)
		}
		return message.Body{Coding: message.GSM7, Text: text}, nil
	case 1:
		data := make([]byte, 0, len(text))
		for _, r := range text {
			if r > 0xff {
				return message.Body{}, refuse(488, "character U+%04X is not in ISO-8859-1", r)
			}
			data = append(data, byte(r))
		}
		return message.Body{Coding: message.Octets, Data: data}, nil
	case codingAbsent:
		if tables.Fits(text) {
			return message.Body{Coding: message.GSM7, Text: text}, nil
		}
	}
	return message.Body{Coding: message.UCS2, Text: text}, nil
}

// decodeCharset reads octets into a string, a byte order mark left out.
func decodeCharset(charset string, octets []byte) (text string, known bool, err error) {
	switch strings.ToLower(charset) {
	case "utf-8", "utf8":
		if !utf8.Valid(octets) {
			return "", true, errCharset
		}
		return strings.TrimPrefix(string(octets), "\ufeff"), true, nil
	case "us-ascii", "ascii":
		for _, c := range octets {
			if c > 0x7f {
				return "", true, errCharset
			}
		}
		return string(octets), true, nil
	case "iso-8859-1", "latin1":
		b := make([]byte, 0, len(octets)+len(octets)/4)
		for _, c := range octets {
			b = utf8.AppendRune(b, rune(c))
		}
		return string(b), true, nil
	case "utf-16", "utf-16be":
		if strings.HasPrefix(string(octets), "\xff\xfe") && len(charset) == len("utf-16") {
			text, err = decodeUTF16(octets, binary.LittleEndian)
		} else {
			text, err = decodeUTF16(octets, binary.BigEndian)
		}
		return text, true, err
	case "utf-16le":
		text, err = decodeUTF16(octets, binary.LittleEndian)
		return text, true, err
	}
	return "", false, nil
}

func decodeUTF16(octets []byte, order binary.ByteOrder) (string, error) {
	if len(octets)%2 != 0 {
		return "", errCharset
	}
	b := make([]byte, 0, len(octets))
	for i := 0; i < len(octets); i += 2 {
		r := rune(order.Uint16(octets[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 > len(octets) {
				return "", errCharset
			}
			i += 2
			if r = utf16.DecodeRune(r, rune(order.Uint16(octets[i:]))); r == utf8.RuneError {
				return "", errCharset
			}
		}
		b = utf8.AppendRune(b, r)
	}
	return strings.TrimPrefix(string(b), "\ufeff"), nil
}
