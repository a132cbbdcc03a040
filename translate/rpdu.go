package translate

// RPType is the type of an RPDU: RP-MTI (TS 24.011 §8.2.2). Odd ones go to the
// phone, even ones come from it.
type RPType uint8

const (
	RPDataMO  RPType = iota // from the phone, with SUBMIT or COMMAND
	RPDataMT                // to the phone, with DELIVER or STATUS-REPORT
	RPAckMO                 // with DELIVER-REPORT
	RPAckMT                 // with SUBMIT-REPORT
	RPErrorMO               // with DELIVER-REPORT
	RPErrorMT               // with SUBMIT-REPORT
	RPSMMA                  // from the phone: there is memory again
	rpReserved
)

var rpWords = [...]string{"RP-DATA", "RP-DATA", "RP-ACK", "RP-ACK", "RP-ERROR", "RP-ERROR", "RP-SMMA"}

// String returns the name in the specification, the same in both directions.
func (t RPType) String() string {
	if int(t) < len(rpWords) {
		return rpWords[t]
	}
	return "RP-?"
}

// FromPhone tells the direction.
func (t RPType) FromPhone() bool { return t&1 == 0 }

// Limits of RP-User-Data in octets (TS 24.011 §8.2.5.3).
const (
	MaxRPData   = 233 // of RP-DATA
	MaxRPReport = 232 // of RP-ACK and RP-ERROR
)

const (
	ieiUserData = 0x41
	// maxRPAddress is the longest address: type octet and 20 digits.
	maxRPAddress = 11
	// rpCauseMask leaves the value of an RP cause.
	rpCauseMask = 0x7F
)

// RPDU is a message of the relay layer (TS 24.011 §7.3), the body of a SIP
// MESSAGE of type application/vnd.3gpp.sms.
type RPDU struct {
	Type RPType
	Ref  uint8 // RP-MR

	OA, DA RPAddress // of RP-DATA: the service centre, OA towards the phone, DA from it

	Cause      uint8  // of RP-ERROR, without its extension bit
	Diagnostic []byte // of RP-ERROR, as it came

	// UserData is a TPDU; nil where there is none, empty where the element is
	// there and empty, which reports of some phones have.
	UserData []byte
}

// ParseRPDU reads one RPDU. It is lenient with reports (spec ims §4.3): user
// data may be missing, empty, or without its identifier, elements that nobody
// knows and octets behind the cause are skipped. UserData and Diagnostic
// share memory with octets.
//
// The error is an *RPError without TPDU: 96 where the octets end too soon or a
// length does not fit, 95 for a wrong address, 97 for a reserved type. Type and
// Ref are then set if there were two octets; with fewer nothing can be
// answered.
func ParseRPDU(octets []byte) (RPDU, error) {
	if len(octets) < 2 {
		return RPDU{}, invalidRP()
	}
	p := RPDU{Type: RPType(octets[0] & 7), Ref: octets[1]}
	rest := octets[2:]
	switch p.Type {
	case RPDataMO, RPDataMT:
		return p, p.data(rest)
	case RPAckMO, RPAckMT:
		return p, p.report(rest)
	case RPErrorMO, RPErrorMT:
		cause, after, ok := lengthValue(rest)
		switch {
		case !ok:
			return p, invalidRP()
		case len(cause) == 0:
			p.Cause = RPProtocolError
		default:
			p.Cause, p.Diagnostic = cause[0]&rpCauseMask, cause[1:]
		}
		return p, p.report(after)
	case RPSMMA:
		return p, nil
	}
	return p, refusal(RPTypeNotImplemented, 0, "reserved type of RPDU")
}

func invalidRP() *RPError {
	return refusal(RPInvalidMandatory, 0, "the RPDU is cut off, or a length in it does not fit")
}

// lengthValue parts an element that is a length and a value from the rest.
func lengthValue(octets []byte) (value, rest []byte, ok bool) {
	if len(octets) == 0 || 1+int(octets[0]) > len(octets) {
		return nil, nil, false
	}
	end := 1 + int(octets[0])
	return octets[1:end:end], octets[end:], true
}

// data reads what follows the reference in RP-DATA (TS 24.011 §7.3.1). The
// address that should be empty is taken as it is.
func (p *RPDU) data(rest []byte) error {
	oa, rest, ok := lengthValue(rest)
	if !ok {
		return invalidRP()
	}
	da, rest, ok := lengthValue(rest)
	if !ok {
		return invalidRP()
	}
	user, rest, ok := lengthValue(rest)
	if !ok || len(rest) > 0 || len(user) == 0 || len(user) > MaxRPData {
		return invalidRP()
	}
	if len(oa) > maxRPAddress || len(da) > maxRPAddress {
		return refusal(RPSemanticallyIncorrect, 0, "the address of the service centre is too long")
	}
	p.OA, p.DA, p.UserData = RPAddress(oa), RPAddress(da), user
	return nil
}

// report reads the optional part of RP-ACK and RP-ERROR (TS 24.011 §7.3.3,
// §7.3.4). Only user data of a length that does not fit is an error.
func (p *RPDU) report(rest []byte) error {
	if value, after, ok := lengthValue(rest); ok && len(after) == 0 && rest[0] != ieiUserData && len(value) > 1 {
		p.UserData = value // without its identifier
		return nil
	}
	for len(rest) > 0 {
		iei := rest[0]
		if iei >= 0x80 { // one octet (TS 24.007 §11.2.1.1)
			rest = rest[1:]
			continue
		}
		value, after, ok := lengthValue(rest[1:])
		switch {
		case !ok && iei == ieiUserData:
			return invalidRP()
		case !ok:
			return nil // stray octets
		case iei == ieiUserData:
			p.UserData = value
			return nil
		}
		rest = after
	}
	return nil
}

// AppendRPDU appends the octets of p. User data beyond MaxRPData or
// MaxRPReport, which no TPDU has, is left out.
func AppendRPDU(dst []byte, p RPDU) []byte {
	dst = append(dst, uint8(p.Type&7), p.Ref)
	limit := MaxRPReport
	switch p.Type {
	case RPDataMO, RPDataMT:
		dst = append(append(dst, uint8(len(p.OA))), p.OA...)
		dst = append(append(dst, uint8(len(p.DA))), p.DA...)
		if limit = MaxRPData; len(p.UserData) > limit {
			return append(dst, 0)
		}
		return append(append(dst, uint8(len(p.UserData))), p.UserData...)
	case RPSMMA:
		return dst
	case RPErrorMO, RPErrorMT:
		dst = append(dst, uint8(1+len(p.Diagnostic)), p.Cause&rpCauseMask)
		dst = append(dst, p.Diagnostic...)
	}
	if p.UserData == nil || len(p.UserData) > limit {
		return dst
	}
	return append(append(dst, ieiUserData, uint8(len(p.UserData))), p.UserData...)
}
