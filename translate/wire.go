package translate

import "smsc/message"

// InAlphabet returns b as it leaves by an SMPP link whose data_coding 0 means
// alphabet: text that neither data_coding 0 nor the class can write becomes
// UCS2, everything else is unchanged. Call it before Segments, since UCS2
// needs more of them. For that reason a part of a longer message stays in GSM
// 7-bit if it is in it: in UCS2 it would not fit, and it can not be cut again.
func InAlphabet(b message.Body, alphabet string) message.Body {
	if b.Coding != message.GSM7 || !b.IsText() {
		return b
	}
	if b.Class != message.ClassNone || b.HasDCS {
		alphabet = AlphabetGSM7 // these name GSM 7-bit, whatever the link's own is
	}
	if s := shiftOf(&b); s != (Shift{}) {
		if (b.Part != nil || readingOfAlphabet(alphabet) == asGSM7) && s.Fits(b.Text) {
			return b
		}
		b.UDH = UDH(b.UDH).WithoutShift() // no other alphabet has tables
	}
	if alphabet == AlphabetUTF8 || writes(alphabet, b.Text) || b.Part != nil && FitsGSM7(b.Text) {
		return b
	}
	b.Coding = message.UCS2
	if b.HasDCS {
		b.DCS = inUCS2(b.DCS)
	}
	return b
}

// ToCarrier returns b as it leaves to a carrier whose data_coding 0 means
// alphabet: with national tables where these save a switch to UCS2 (TS 23.038
// §6.2.1.2), else as InAlphabet has it. chosen: the sender chose the encoding
// itself, and it is kept.
func ToCarrier(b message.Body, alphabet string, chosen bool) message.Body {
	if alphabet == AlphabetGSM7 {
		use := TablesAuto
		if chosen {
			use = TablesAsOrigin
		}
		b = InTables(b, use)
	}
	return InAlphabet(b, alphabet)
}

// DataCoding returns the data_coding under which AppendUserData writes b on a
// link whose data_coding 0 means alphabet (spec smpp §12). A class is written
// in its bits, which real carriers read, not in a TLV.
func DataCoding(b message.Body, alphabet string) uint8 {
	dc, _ := form(b, alphabet)
	return dc
}

// AppendUserData appends the octets of b, without UDH, in the form that
// DataCoding(b, alphabet) announces. One segment may exceed the 254 octets of
// short_message where the alphabet is UTF-8; it then goes as message_payload.
func AppendUserData(dst []byte, b message.Body, alphabet string) []byte {
	dst, _ = Encode(dst, b, alphabet)
	return dst
}

// Encode is AppendUserData and DataCoding in one.
func Encode(dst []byte, b message.Body, alphabet string) (octets []byte, dc uint8) {
	if b.Coding == message.GSM7 && b.IsText() && !b.HasDCS && b.Class == message.ClassNone &&
		readingOfAlphabet(alphabet) == asGSM7 && shiftOf(&b) == (Shift{}) { // nearly all traffic: one look at each octet
		if octets, _, ok := EncodeGSM7(dst, b.Text); ok {
			return octets, dcDefault
		}
	}
	dc, as := form(b, alphabet)
	return appendAs(dst, b, as), dc
}

// form returns the data_coding and how the octets under it are written.
func form(b message.Body, alphabet string) (dc uint8, as reading) {
	classed, bits := b.Class != message.ClassNone, uint8(0)
	if classed {
		bits = uint8(b.Class-message.Class0) & 3
	}
	seven := b.Coding == message.GSM7 && fits(b, alphabet)
	switch {
	case b.HasDCS && b.Coding == message.GSM7 && !seven:
		return inUCS2(b.DCS), asUCS2
	case b.HasDCS:
		return b.DCS, ownReading(b)
	case b.Coding == message.Octets && classed:
		return dcDataOf | bits, asOctets
	case b.Coding == message.Octets, b.Coding == message.Opaque:
		return dcOctets, asOctets
	case !seven && classed:
		return dcUCS2Of | bits, asUCS2
	case !seven && underDefault(b, alphabet):
		return dcDefault, readingOfAlphabet(alphabet)
	case !seven:
		return dcUCS2, asUCS2
	case classed:
		return dcGSM7Of | bits, asGSM7
	case b.Data != nil && readingOfAlphabet(alphabet) != asGSM7,
		b.Part != nil && readingOfAlphabet(alphabet) != asGSM7 && (shiftOf(&b) != (Shift{}) || !writes(alphabet, b.Text)):
		// Half an escape, or such a part, can be written as septets only.
		// Class 1 is the one that a phone treats as it treats none (TS 23.038
		// §4).
		return dcGSM7Of | 1, asGSM7
	}
	return dcDefault, readingOfAlphabet(alphabet)
}

// fits tells whether a GSM 7-bit body needs no UCS2.
func fits(b message.Body, alphabet string) bool {
	return InAlphabet(b, alphabet).Coding == message.GSM7
}

// underDefault tells whether text that is UCS2 only because GSM 7-bit cannot
// write it goes under data_coding 0. Text that GSM 7-bit could write is in
// UCS2 because somebody wants it so.
func underDefault(b message.Body, alphabet string) bool {
	if b.Coding != message.UCS2 || !b.IsText() || readingOfAlphabet(alphabet) == asGSM7 {
		return false
	}
	return writes(alphabet, b.Text) && !FitsGSM7(b.Text)
}

// ownReading is how a body is written that brings its own data_coding.
func ownReading(b message.Body) reading {
	switch b.Coding {
	case message.GSM7:
		return asGSM7
	case message.UCS2:
		return asUCS2
	}
	return asOctets
}

// UserData returns the octets of b, without UDH, as they are on the radio but
// unpacked: septets one an octet, octets, or UTF-16BE.
func UserData(b message.Body) []byte {
	as := ownReading(b)
	if as == asGSM7 && b.IsText() && !shiftOf(&b).Fits(b.Text) {
		as = asUCS2
	}
	return appendAs(nil, b, as)
}

func appendAs(dst []byte, b message.Body, as reading) []byte {
	if !b.IsText() {
		return append(dst, b.Data...)
	}
	switch as {
	case asGSM7:
		dst, _, _ = shiftOf(&b).Encode(dst, b.Text)
		return dst
	case asUCS2:
		return EncodeUCS2(dst, b.Text)
	case asASCII, asLatin1:
		return appendLatin1(dst, b.Text)
	}
	return append(dst, b.Text...)
}
