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

// inTables writes a text with national tables toward a carrier where that
// saves the switch to UCS2 (TS 23.038 §6.2.1.2). An SMPP peer that chose an
// encoding has it kept.
func (st *settings) inTables(m *message.Message) message.Body {
	switch {
	case !st.carrier || st.alphabet != translate.AlphabetGSM7 || !m.Body.IsText():
		return m.Body
	case m.Origin.Type == message.SourceSMPP:
		return translate.InTables(m.Body, translate.TablesAsOrigin)
	}
	return translate.InTables(m.Body, translate.TablesAuto)
}
