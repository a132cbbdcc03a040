package translate

import "smsc/message"

// Values of TP-DCS that are written here (TS 23.038 §4).
const (
	tpGSM7   = 0x00
	tpOctets = 0x04
	tpUCS2   = 0x08
	tpClass  = 0x10 // bits 1-0 are a class
)

// tpReading returns how user data under a data coding scheme are read, the
// class it names, and whether the value itself must be passed on (TS 23.038
// §4, spec ims §9.2). asNothing is compressed text or a reserved alphabet.
// data_coding of SMPP has the same groups from 0x10 on, but reads reserved
// ones otherwise.
func tpReading(dcs uint8) (as reading, class message.Class, keep bool) {
	switch {
	case dcs >= 0xF0:
		if dcs&0x04 != 0 {
			return asOctets, classOf(dcs), false
		}
		return asGSM7, classOf(dcs), false
	case dcs >= 0xE0:
		return asUCS2, message.ClassNone, true
	case dcs >= 0xC0:
		return asGSM7, message.ClassNone, true
	case dcs >= 0x80: // reserved groups are the default alphabet
		return asGSM7, message.ClassNone, false
	case dcs&0x20 != 0:
		return asNothing, message.ClassNone, false
	}
	if dcs&tpClass != 0 {
		class = classOf(dcs)
	}
	keep = dcs&0x40 != 0 // delete after reading: the receiver's matter
	switch dcs >> 2 & 3 {
	case 0:
		return asGSM7, class, keep
	case 1:
		return asOctets, class, keep
	case 2:
		return asUCS2, class, keep
	}
	if class != message.ClassNone {
		return asNothing, class, keep
	}
	return asGSM7, class, keep
}

// OddUCS2 tells whether TPDUBody drops the last octet: UCS2 of odd length.
func (t *TPDU) OddUCS2() bool {
	as, _, _ := tpReading(t.DCS)
	if as != asUCS2 {
		return false
	}
	n := len(t.UD)
	if t.UDHI && n > 0 {
		n -= 1 + int(t.UD[0])
	}
	return n%2 != 0
}

// TPDUBody returns the body in the user data of a SUBMIT or DELIVER, or of a
// report that has some: text, octets, header, class; the waiting indication
// groups and "delete after reading" keep their DCS. Nothing of t is kept.
// Septets and units that no string can hold stay in Data.
//
// The error is an *RPError: 69 with TP-FCS 90 for compressed text and reserved
// alphabets, 111 with FF where the header is longer than the user data.
func TPDUBody(t *TPDU) (message.Body, error) {
	as, class, keep := tpReading(t.DCS)
	if as == asNothing {
		return message.Body{}, refusal(RPFacilityNotImplemented, FCSAlphabetNotSupported, "compressed text and reserved alphabets are not supported")
	}
	var udh UDH
	rest := t.UD
	if t.UDHI {
		var err error
		if udh, rest, err = SplitUDH(t.UD); err != nil || udh == nil {
			return message.Body{}, cutOff()
		}
	}
	var b message.Body
	switch as {
	case asGSM7:
		fill := FillBits(len(udh))
		n := max(int(t.UDL)-(len(udh)*8+fill)/7, 0)
		septets, ok := UnpackGSM7(make([]byte, 0, n), rest, fill, n)
		if !ok {
			return message.Body{}, cutOff()
		}
		b = udh.Shift().body(septets)
	case asUCS2:
		b, _ = UCS2Body(rest[:len(rest)&^1])
	default:
		b = octetsBody(message.Octets, rest)
	}
	b.Class = class
	if keep {
		b.DCS, b.HasDCS = t.DCS, true
	}
	if udh != nil {
		b.UDH = append([]byte(nil), udh...)
		b.Part = udh.Concat()
	}
	return b, nil
}

// BodyTPDU writes b, one segment, into t: DCS, UDHI, UDL and UD. A part that
// SAR parameters announced gets a concatenation element.
//
// The error is TooLarge for more than 140 octets, header included, and
// BadContent for text that is not in its alphabet (see InTables, InAlphabet).
func BodyTPDU(t *TPDU, b message.Body) error {
	udh := b.UDH
	if b.Part != nil && b.Part.Kind == message.PartSAR {
		var err error
		if udh, err = AppendConcat(b.UDH, *b.Part); err != nil {
			return err
		}
	}
	if _, err := ParseUDH(udh); err != nil {
		return err
	}
	if n, err := size(&b); err != nil {
		return err
	} else if n > room(&b, len(udh)) {
		return message.Errorf(message.TooLarge, "more than one short message holds")
	}
	t.DCS = tpDCS(&b)
	t.UDHI = len(udh) > 0
	octets := appendAs(make([]byte, 0, maxUserData+20), b, ownReading(b))
	if b.Coding != message.GSM7 {
		t.UD = append(append(make([]byte, 0, len(udh)+len(octets)), udh...), octets...)
		t.UDL = uint8(len(t.UD))
		return nil
	}
	fill := FillBits(len(udh))
	t.UD = append(make([]byte, 0, maxUserData), udh...)
	t.UD = PackGSM7(t.UD, octets, fill)
	t.UDL = uint8((len(udh)*8+fill)/7 + len(octets))
	if len(octets) == 0 && fill > 0 {
		t.UD = append(t.UD, 0) // the fill bits count (TS 23.040 §9.2.3.16)
	}
	return nil
}

// tpDCS returns the data coding scheme of a body: its own if phones know it,
// else that of its coding and class.
func tpDCS(b *message.Body) uint8 {
	if b.HasDCS {
		as, _, keep := tpReading(b.DCS)
		if keep && as == ownReading(*b) {
			return b.DCS
		}
	}
	dcs := uint8(tpOctets)
	switch b.Coding {
	case message.GSM7:
		dcs = tpGSM7
	case message.UCS2:
		dcs = tpUCS2
	}
	if b.Class != message.ClassNone {
		dcs |= tpClass | uint8(b.Class-message.Class0)&3
	}
	return dcs
}

// DeliverOf returns the DELIVER that brings b, one segment, from a sender to a
// phone. PID, More and ReplyPath are the caller's to set. Errors as those of
// TPAddressOf and BodyTPDU.
func DeliverOf(from message.Address, b message.Body, scts Timestamp) (TPDU, error) {
	t := TPDU{Type: TPDeliver, SCTS: scts}
	var err error
	if t.Address, err = TPAddressOf(from); err != nil {
		return TPDU{}, err
	}
	return t, BodyTPDU(&t, b)
}

// SubmitOf returns the SUBMIT with which a phone sends b, one segment. PID,
// VP, Report and the other flags are the caller's to set. Errors as those of
// TPAddressOf and BodyTPDU.
func SubmitOf(mr uint8, to message.Address, b message.Body) (TPDU, error) {
	t := TPDU{Type: TPSubmit, MR: mr}
	var err error
	if t.Address, err = TPAddressOf(to); err != nil {
		return TPDU{}, err
	}
	return t, BodyTPDU(&t, b)
}

// SubmitReportOf returns the report about a SUBMIT: positive where fcs is 0.
func SubmitReportOf(scts Timestamp, fcs uint8) TPDU {
	return TPDU{Type: TPSubmitReport, SCTS: scts, Negative: fcs != 0, FCS: fcs}
}

// StatusReportOf returns the report about the message whose SUBMIT had the
// reference mr and the recipient ra, and was answered with scts (spec ims
// §5.1); st is from TPStatus, at the time of the end or of the last attempt.
func StatusReportOf(mr uint8, ra TPAddress, scts, at Timestamp, st uint8) TPDU {
	return TPDU{Type: TPStatusReport, MR: mr, Address: ra, SCTS: scts, DT: at, ST: st}
}
