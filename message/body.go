package message

import "errors"

// Limits of a body (TS 23.040 §9.2.3.24).
const (
	MaxParts = 255       // segments of one message
	MaxUDH   = 140       // octets of a user data header with its length octet
	MaxBody  = 48 * 1024 // octets of Text or Data
)

// Coding is the alphabet of a body.
type Coding uint8

const (
	GSM7   Coding = iota // TS 23.038 §6.2.1 with the extension table
	Octets               // 8-bit data
	UCS2                 // UTF-16BE, surrogate pairs allowed
	Opaque               // a data_coding we do not read: octets and value pass unchanged
)

var codingWords = [...]string{"gsm7", "8bit", "ucs2", "opaque"}

// String returns the word used by REST and records.
func (c Coding) String() string {
	if int(c) < len(codingWords) {
		return codingWords[c]
	}
	return "opaque"
}

// Class is a message class (TS 23.038 §4); ClassNone where there is none.
type Class uint8

const (
	ClassNone Class = iota
	Class0          // flash
	Class1          // mobile equipment
	Class2          // SIM
	Class3          // terminal equipment, SIM toolkit
)

// Body is the content. Text holds what can be written as text; Data holds
// Octets and Opaque, and also GSM7 septets (one an octet) or UCS2 octets that
// no string can hold: a part that begins or ends inside an escape or
// surrogate pair. Exactly one of the two is used.
type Body struct {
	Coding Coding
	Class  Class
	Text   string
	Data   []byte
	UDH    []byte // user data header with its length octet, as it came; nil if none
	Part   *Part  // set when this is one segment of a longer message
	DCS    uint8  // data_coding as received, for Opaque and waiting indications
	HasDCS bool   // DCS is to be passed on unchanged
}

// PartKind is how a concatenation is announced.
type PartKind uint8

const (
	PartUDH8  PartKind = iota // IEI 0x00, 8-bit reference (TS 23.040 §9.2.3.24.1)
	PartUDH16                 // IEI 0x08, 16-bit reference (TS 23.040 §9.2.3.24.8)
	PartSAR                   // sar_msg_ref_num and its fellows (SMPP 3.4 §5.3.2.22)
)

// PartsKey begins the key that a part waits on for the others of its message.
const PartsKey = "part:"

// Part is the place of one segment in its message. With the UDH kinds it
// repeats what Body.UDH says.
type Part struct {
	Kind       PartKind
	Ref        uint16
	Total, Seq uint8 // 1 <= Seq <= Total
}

// IsText tells whether Text, not Data, holds the content.
func (b Body) IsText() bool {
	return (b.Coding == GSM7 || b.Coding == UCS2) && b.Data == nil
}

// Validate refuses a body that contradicts itself.
func (b Body) Validate() error {
	switch {
	case b.Text != "" && b.Data != nil:
		return errors.New("body has both text and octets")
	case b.Text != "" && (b.Coding == Octets || b.Coding == Opaque):
		return errors.New("text in a body of octets")
	case len(b.Text) > MaxBody || len(b.Data) > MaxBody:
		return errors.New("body is longer than 48 KiB")
	case len(b.UDH) > MaxUDH:
		return errors.New("user data header is longer than 140 octets")
	case len(b.UDH) > 0 && int(b.UDH[0]) != len(b.UDH)-1:
		return errors.New("user data header length does not fit")
	case b.Part != nil && (b.Part.Seq == 0 || b.Part.Seq > b.Part.Total):
		return errors.New("part number is not within its total")
	}
	return nil
}
