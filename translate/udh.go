package translate

import (
	"iter"

	"smsc/message"
)

// Identifiers of information elements (TS 23.040 §9.2.3.24).
const (
	ElementConcat8  = 0x00 // concatenation, 8-bit reference
	ElementPorts8   = 0x04 // application ports, one octet each
	ElementPorts16  = 0x05 // application ports, two octets each
	ElementConcat16 = 0x08 // concatenation, 16-bit reference
)

// UDH is a user data header with its length octet, checked by ParseUDH. The
// nil UDH is no header.
type UDH []byte

// ParseUDH checks that udh, length octet included, is a whole user data
// header of whole elements: BadContent if not. It does not copy.
func ParseUDH(udh []byte) (UDH, error) {
	u, rest, err := SplitUDH(udh)
	if err == nil && len(rest) > 0 {
		err = message.Errorf(message.BadContent, "user data header is longer than its length says")
	}
	return u, err
}

// SplitUDH parts user data that begins with a header from what follows it.
// Neither is a copy. Empty user data is no header and nothing else.
func SplitUDH(userData []byte) (udh UDH, rest []byte, err error) {
	if len(userData) == 0 {
		return nil, nil, nil
	}
	end := 1 + int(userData[0])
	if end > len(userData) {
		return nil, nil, message.Errorf(message.BadContent, "user data header is longer than the user data")
	}
	if end > message.MaxUDH {
		return nil, nil, message.Errorf(message.BadContent, "user data header is longer than 140 octets")
	}
	for at := 1; at < end; {
		if at+2 > end || at+2+int(userData[at+1]) > end {
			return nil, nil, message.Errorf(message.BadContent, "element of the user data header is cut off")
		}
		at += 2 + int(userData[at+1])
	}
	return UDH(userData[:end:end]), userData[end:], nil
}

// Elements yields the identifier and the data of each element.
func (u UDH) Elements() iter.Seq2[uint8, []byte] {
	return func(yield func(uint8, []byte) bool) {
		for at := 1; at+1 < len(u); {
			end := at + 2 + int(u[at+1])
			if end > len(u) || !yield(u[at], u[at+2:end:end]) {
				return
			}
			at = end
		}
	}
}

// Concat returns the place that the header gives its segment; nil if it has
// no concatenation, or one that contradicts itself, which counts as none. Of
// several the last counts (TS 23.040 §9.2.3.24).
func (u UDH) Concat() *message.Part {
	var found message.Part
	for id, data := range u.Elements() {
		p := message.Part{}
		switch {
		case id == ElementConcat8 && len(data) == 3:
			p = message.Part{Kind: message.PartUDH8, Ref: uint16(data[0]), Total: data[1], Seq: data[2]}
		case id == ElementConcat16 && len(data) == 4:
			// High octet first; some peers of old wrote it the other way.
			p = message.Part{Kind: message.PartUDH16, Ref: uint16(data[0])<<8 | uint16(data[1]), Total: data[2], Seq: data[3]}
		}
		if p.Seq >= 1 && p.Seq <= p.Total {
			found = p
		}
	}
	if found.Seq == 0 {
		return nil
	}
	return &found
}

// Ports returns the application ports (TS 23.040 §9.2.3.24.3, §9.2.3.24.4);
// of several the last count.
func (u UDH) Ports() (dst, src uint16, ok bool) {
	for id, data := range u.Elements() {
		switch {
		case id == ElementPorts8 && len(data) == 2:
			dst, src, ok = uint16(data[0]), uint16(data[1]), true
		case id == ElementPorts16 && len(data) == 4:
			dst, src, ok = uint16(data[0])<<8|uint16(data[1]), uint16(data[2])<<8|uint16(data[3]), true
		}
	}
	return dst, src, ok
}

// Without returns a copy without the elements of these identifiers; nil if
// no element is left.
func (u UDH) Without(ids ...uint8) UDH {
	var left UDH
	for id, data := range u.Elements() {
		if contains(ids, id) {
			continue
		}
		if left == nil {
			left = make(UDH, 1, len(u))
		}
		left = append(append(left, id, uint8(len(data))), data...)
	}
	if left != nil {
		left[0] = uint8(len(left) - 1)
	}
	return left
}

// WithoutConcat returns a copy without concatenation, which joining removes;
// nil if nothing else was there.
func (u UDH) WithoutConcat() UDH { return u.Without(ElementConcat8, ElementConcat16) }

func contains(ids []uint8, id uint8) bool {
	for _, i := range ids {
		if i == id {
			return true
		}
	}
	return false
}

// AppendConcat returns a copy of the header udh (nil: none) with the
// concatenation of p at its end, in place of any it had. PartSAR, which has
// no element, is written with 8 bits if the reference fits, else with 16.
func AppendConcat(udh []byte, p message.Part) ([]byte, error) {
	u, err := ParseUDH(udh)
	if err != nil {
		return nil, err
	}
	kept := u.WithoutConcat()
	out := make([]byte, 1, 7+len(kept))
	if len(kept) > 0 {
		out = append(out, kept[1:]...)
	}
	if wide := p.Kind == message.PartUDH16 || p.Kind == message.PartSAR && p.Ref > 0xFF; wide {
		out = append(out, ElementConcat16, 4, uint8(p.Ref>>8), uint8(p.Ref), p.Total, p.Seq)
	} else {
		out = append(out, ElementConcat8, 3, uint8(p.Ref), p.Total, p.Seq)
	}
	if len(out) > message.MaxUDH {
		return nil, message.Errorf(message.TooLarge, "no room for the concatenation in the user data header")
	}
	out[0] = uint8(len(out) - 1)
	return out, nil
}
