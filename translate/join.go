package translate

import (
	"cmp"
	"slices"

	"smsc/message"
)

// Join puts parts together again, in the order of their numbers, whatever
// order they come in. The header of part 1 stays without its concatenation;
// so do its class and data_coding, and its national tables where they write
// the whole, without which it may become UCS2. Half an escape or surrogate pair at the
// end of a part finds its other half. Parts in GSM 7-bit and in UCS2 make one
// text; text and octets do not mix.
//
// Errors: BadContent where a part is missing, double, or of another kind;
// TooLarge where the whole is longer than message.MaxBody.
func Join(parts []message.Body) (message.Body, error) {
	if len(parts) == 0 {
		return message.Body{}, message.Errorf(message.BadContent, "no parts to join")
	}
	if parts[0].Part != nil {
		parts = slices.Clone(parts)
		slices.SortStableFunc(parts, func(a, b message.Body) int { return cmp.Compare(number(a), number(b)) })
		if err := complete(parts); err != nil {
			return message.Body{}, err
		}
	}
	whole, err := joinContent(parts)
	if err != nil {
		return message.Body{}, err
	}
	if len(whole.Text) > message.MaxBody || len(whole.Data) > message.MaxBody {
		return message.Body{}, message.Errorf(message.TooLarge, "the joined message is longer than 48 KiB")
	}
	first := parts[0]
	whole.Class = first.Class
	whole.UDH = UDH(first.UDH).WithoutConcat()
	if whole.IsText() && (whole.Coding == message.UCS2 || !shiftOf(&whole).Fits(whole.Text)) {
		whole = withoutTables(whole) // the parts named different tables, or none is needed
	}
	if whole.Coding == first.Coding {
		whole.DCS, whole.HasDCS = first.DCS, first.HasDCS
	}
	return whole, nil
}

func number(b message.Body) uint8 {
	if b.Part == nil {
		return 0
	}
	return b.Part.Seq
}

func complete(parts []message.Body) error {
	for i, b := range parts {
		if b.Part == nil || int(b.Part.Seq) != i+1 || int(b.Part.Total) != len(parts) {
			return message.Errorf(message.BadContent, "part %d of %d is missing or double", i+1, len(parts))
		}
	}
	return nil
}

// joinContent returns the coding and content of the whole.
func joinContent(parts []message.Body) (message.Body, error) {
	coding, text := parts[0].Coding, true
	for _, b := range parts {
		text = text && b.IsText()
		switch {
		case b.Coding == coding:
		case isText(b.Coding) && isText(coding):
			coding = message.UCS2
		default:
			return message.Body{}, message.Errorf(message.BadContent, "parts of text and of octets do not join")
		}
	}
	if text || coding == message.GSM7 && !sameTables(parts) {
		return message.Body{Coding: coding, Text: joinText(parts)}, nil
	}
	var octets []byte
	for _, b := range parts {
		if coding == message.UCS2 && b.Coding == message.GSM7 {
			octets = EncodeUCS2(octets, Readable(b))
			continue
		}
		octets = appendAs(octets, b, ownReading(b))
	}
	switch coding {
	case message.GSM7:
		return shiftOf(&parts[0]).body(octets), nil
	case message.UCS2:
		return UCS2Body(octets)
	}
	return octetsBody(coding, octets), nil
}

func sameTables(parts []message.Body) bool {
	for i := range parts {
		if shiftOf(&parts[i]) != shiftOf(&parts[0]) {
			return false
		}
	}
	return true
}

func joinText(parts []message.Body) string {
	n := 0
	for _, b := range parts {
		n += len(b.Text)
	}
	whole := make([]byte, 0, n)
	for _, b := range parts {
		whole = append(whole, Readable(b)...)
	}
	return string(whole)
}

func isText(c message.Coding) bool { return c == message.GSM7 || c == message.UCS2 }

// Readable returns what people would read of b; "" for octets. Of septets and
// units that no string can hold it shows what it can.
func Readable(b message.Body) string {
	switch {
	case b.IsText():
		return b.Text
	case b.Coding == message.GSM7:
		return shiftOf(&b).Decode(b.Data)
	case b.Coding == message.UCS2:
		text, _ := DecodeUCS2(b.Data)
		return text
	}
	return ""
}
