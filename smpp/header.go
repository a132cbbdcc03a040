package smpp

import (
	"bytes"
	"encoding/hex"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// portHeader adds the ports of a message as a header element for a peer that
// takes no parameters (TS 23.040 §9.2.3.24.4).
func (st *settings) portHeader(udh []byte, m *message.Message) []byte {
	raw, err := hex.DecodeString(m.Extra[keyTLVs])
	to, ok1 := pdu.TLVs(raw).Uint16(pdu.TagDestinationPort)
	from, ok2 := pdu.TLVs(raw).Uint16(pdu.TagSourcePort)
	if err != nil || len(m.Body.UDH) > 0 || !ok1 && !ok2 || len(udh)+7 > message.MaxUDH {
		return udh
	}
	if len(udh) == 0 {
		udh = []byte{0}
	}
	with := append(bytes.Clone(udh), 0x05, 4, uint8(to>>8), uint8(to), uint8(from>>8), uint8(from))
	with[0] = uint8(len(with) - 1)
	return with
}

// written is the body of m as it is written on this link.
func (st *settings) written(m *message.Message) message.Body {
	if st.carrier {
		return translate.ToCarrier(m.Body, st.alphabet, m.Origin.Type == message.SourceSMPP)
	}
	return translate.InAlphabet(m.Body, st.alphabet)
}
