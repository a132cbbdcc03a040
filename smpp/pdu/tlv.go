package pdu

import (
	"encoding/binary"
	"iter"
)

// Tag is the tag of an optional parameter (SMPP 3.4 §5.3.2).
type Tag uint16

const (
	TagDestAddrSubunit          Tag = 0x0005 // SMPP 3.4 §5.3.2.1
	TagDestNetworkType          Tag = 0x0006 // SMPP 3.4 §5.3.2.3
	TagDestBearerType           Tag = 0x0007 // SMPP 3.4 §5.3.2.5
	TagDestTelematicsID         Tag = 0x0008 // SMPP 3.4 §5.3.2.7
	TagSourceAddrSubunit        Tag = 0x000D // SMPP 3.4 §5.3.2.2
	TagSourceNetworkType        Tag = 0x000E // SMPP 3.4 §5.3.2.4
	TagSourceBearerType         Tag = 0x000F // SMPP 3.4 §5.3.2.6
	TagSourceTelematicsID       Tag = 0x0010 // SMPP 3.4 §5.3.2.8
	TagQosTimeToLive            Tag = 0x0017 // SMPP 3.4 §5.3.2.9
	TagPayloadType              Tag = 0x0019 // SMPP 3.4 §5.3.2.10
	TagAdditionalStatusInfoText Tag = 0x001D // SMPP 3.4 §5.3.2.11
	TagReceiptedMessageID       Tag = 0x001E // SMPP 3.4 §5.3.2.12
	TagMsMsgWaitFacilities      Tag = 0x0030 // SMPP 3.4 §5.3.2.13
	TagPrivacyIndicator         Tag = 0x0201 // SMPP 3.4 §5.3.2.14
	TagSourceSubaddress         Tag = 0x0202 // SMPP 3.4 §5.3.2.15
	TagDestSubaddress           Tag = 0x0203 // SMPP 3.4 §5.3.2.16
	TagUserMessageReference     Tag = 0x0204 // SMPP 3.4 §5.3.2.17
	TagUserResponseCode         Tag = 0x0205 // SMPP 3.4 §5.3.2.18
	TagSourcePort               Tag = 0x020A // SMPP 3.4 §5.3.2.20
	TagDestinationPort          Tag = 0x020B // SMPP 3.4 §5.3.2.21
	TagSarMsgRefNum             Tag = 0x020C // SMPP 3.4 §5.3.2.22
	TagLanguageIndicator        Tag = 0x020D // SMPP 3.4 §5.3.2.19
	TagSarTotalSegments         Tag = 0x020E // SMPP 3.4 §5.3.2.23
	TagSarSegmentSeqnum         Tag = 0x020F // SMPP 3.4 §5.3.2.24
	TagScInterfaceVersion       Tag = 0x0210 // SMPP 3.4 §5.3.2.25
	TagCallbackNumPresInd       Tag = 0x0302 // SMPP 3.4 §5.3.2.37
	TagCallbackNumAtag          Tag = 0x0303 // SMPP 3.4 §5.3.2.38
	TagNumberOfMessages         Tag = 0x0304 // SMPP 3.4 §5.3.2.39
	TagCallbackNum              Tag = 0x0381 // SMPP 3.4 §5.3.2.36
	TagDpfResult                Tag = 0x0420 // SMPP 3.4 §5.3.2.28
	TagSetDpf                   Tag = 0x0421 // SMPP 3.4 §5.3.2.29
	TagMsAvailabilityStatus     Tag = 0x0422 // SMPP 3.4 §5.3.2.30
	TagNetworkErrorCode         Tag = 0x0423 // SMPP 3.4 §5.3.2.31
	TagMessagePayload           Tag = 0x0424 // SMPP 3.4 §5.3.2.32
	TagDeliveryFailureReason    Tag = 0x0425 // SMPP 3.4 §5.3.2.33
	TagMoreMessagesToSend       Tag = 0x0426 // SMPP 3.4 §5.3.2.34
	TagMessageState             Tag = 0x0427 // SMPP 3.4 §5.3.2.35
	TagUssdServiceOp            Tag = 0x0501 // SMPP 3.4 §5.3.2.44
	TagDisplayTime              Tag = 0x1201 // SMPP 3.4 §5.3.2.26
	TagSmsSignal                Tag = 0x1203 // SMPP 3.4 §5.3.2.40
	TagMsValidity               Tag = 0x1204 // SMPP 3.4 §5.3.2.27
	TagAlertOnMessageDelivery   Tag = 0x130C // SMPP 3.4 §5.3.2.41
	TagItsReplyType             Tag = 0x1380 // SMPP 3.4 §5.3.2.42
	TagItsSessionInfo           Tag = 0x1383 // SMPP 3.4 §5.3.2.43
)

// TLVs are optional parameters as they stand on the wire: in order, with
// repeats. A TLVs that came out of a decoder is well formed.
type TLVs []byte

// All walks over the parameters in their order.
func (t TLVs) All() iter.Seq2[Tag, []byte] {
	return func(yield func(Tag, []byte) bool) {
		for len(t) >= 4 {
			n := int(binary.BigEndian.Uint16(t[2:]))
			if n > len(t)-4 || !yield(Tag(binary.BigEndian.Uint16(t)), t[4:4+n:4+n]) {
				return
			}
			t = t[4+n:]
		}
	}
}

// Get returns the value of the first parameter with the tag.
func (t TLVs) Get(tag Tag) ([]byte, bool) {
	for len(t) >= 4 {
		n := int(binary.BigEndian.Uint16(t[2:]))
		if n > len(t)-4 {
			break
		}
		if Tag(binary.BigEndian.Uint16(t)) == tag {
			return t[4 : 4+n : 4+n], true
		}
		t = t[4+n:]
	}
	return nil, false
}

// Uint8 returns a parameter of one octet; false if absent or of another size.
func (t TLVs) Uint8(tag Tag) (uint8, bool) {
	v, ok := t.Get(tag)
	if !ok || len(v) != 1 {
		return 0, false
	}
	return v[0], true
}

// Uint16 returns a parameter of two octets; false if absent or of another size.
func (t TLVs) Uint16(tag Tag) (uint16, bool) {
	v, ok := t.Get(tag)
	if !ok || len(v) != 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(v), true
}

// Uint32 returns a parameter of four octets; false if absent or of another size.
func (t TLVs) Uint32(tag Tag) (uint32, bool) {
	v, ok := t.Get(tag)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// Text returns a parameter as text without the NUL of a C-octet string.
func (t TLVs) Text(tag Tag) (string, bool) {
	v, ok := t.Get(tag)
	for len(v) > 0 && v[len(v)-1] == 0 {
		v = v[:len(v)-1]
	}
	return string(v), ok
}

// Add appends a parameter; a value over 65,535 octets is cut there.
func (t TLVs) Add(tag Tag, value []byte) TLVs {
	value = value[:min(len(value), 0xFFFF)]
	t = binary.BigEndian.AppendUint16(t, uint16(tag))
	t = binary.BigEndian.AppendUint16(t, uint16(len(value)))
	return append(t, value...)
}

// AddUint8 appends a parameter of one octet.
func (t TLVs) AddUint8(tag Tag, v uint8) TLVs {
	return append(binary.BigEndian.AppendUint16(t, uint16(tag)), 0, 1, v)
}

// AddUint16 appends a parameter of two octets.
func (t TLVs) AddUint16(tag Tag, v uint16) TLVs {
	return append(binary.BigEndian.AppendUint16(t, uint16(tag)), 0, 2, uint8(v>>8), uint8(v))
}

// AddText appends a C-octet string.
func (t TLVs) AddText(tag Tag, s string) TLVs {
	s = s[:min(len(s), 0xFFFE)]
	t = binary.BigEndian.AppendUint16(t, uint16(tag))
	t = binary.BigEndian.AppendUint16(t, uint16(len(s)+1))
	return append(append(t, s...), 0)
}

// tlvs takes the rest of a body. Up to three trailing zero octets are
// padding of real peers, no parameter (spec smpp §3).
func (c *cursor) tlvs() TLVs {
	if len(c.b) == 0 {
		return nil
	}
	all, rest := c.b, c.b
	for len(rest) >= 4 {
		n := int(binary.BigEndian.Uint16(rest[2:]))
		if n > len(rest)-4 {
			c.fail(RInvOptParStream, "optional parameter", "cut off")
			return nil
		}
		rest = rest[4+n:]
	}
	for _, o := range rest {
		if o != 0 {
			c.fail(RInvOptParStream, "optional parameter", "cut off")
			return nil
		}
	}
	c.b = nil
	n := len(all) - len(rest)
	return TLVs(all[:n:n])
}

// integer describes an optional parameter of fixed size that the judged
// requests may carry.
type integer struct {
	tag      Tag
	size     uint8
	max      uint32 // largest value with a meaning
	requests []Command
}

var (
	submits = []Command{SubmitSM, SubmitMulti, DataSM}
	onlySM  = []Command{SubmitSM, DataSM}
)

// integers are those that this package checks (SMPP 3.4 §4.4.1, §4.5.1,
// §4.7.1, §5.3.2). Reserved values of the enumerations other than those
// named here carry no harm and pass.
var integers = [...]integer{
	{TagUserMessageReference, 2, 0xFFFF, submits},
	{TagSourcePort, 2, 0xFFFF, submits},
	{TagSourceAddrSubunit, 1, 0xFF, submits},
	{TagDestinationPort, 2, 0xFFFF, submits},
	{TagDestAddrSubunit, 1, 0xFF, submits},
	{TagSarMsgRefNum, 2, 0xFFFF, submits},
	{TagSarTotalSegments, 1, 0xFF, submits},
	{TagSarSegmentSeqnum, 1, 0xFF, submits},
	{TagPayloadType, 1, 0xFF, submits},
	{TagPrivacyIndicator, 1, 3, submits},
	{TagDisplayTime, 1, 0xFF, submits},
	{TagSmsSignal, 2, 0xFFFF, submits},
	{TagMsValidity, 1, 0xFF, submits},
	{TagLanguageIndicator, 1, 0xFF, submits},
	{TagMsMsgWaitFacilities, 1, 0xFF, submits},
	{TagMoreMessagesToSend, 1, 1, onlySM},
	{TagNumberOfMessages, 1, 99, onlySM},
	{TagUserResponseCode, 1, 0xFF, onlySM},
	{TagUssdServiceOp, 1, 0xFF, onlySM},
	{TagItsReplyType, 1, 0xFF, onlySM},
	{TagItsSessionInfo, 2, 0xFFFF, onlySM},
	{TagSourceNetworkType, 1, 0xFF, []Command{DataSM}},
	{TagSourceBearerType, 1, 0xFF, []Command{DataSM}},
	{TagSourceTelematicsID, 1, 0xFF, []Command{DataSM}},
	{TagDestNetworkType, 1, 0xFF, []Command{DataSM}},
	{TagDestBearerType, 1, 0xFF, []Command{DataSM}},
	{TagDestTelematicsID, 2, 0xFFFF, []Command{DataSM}},
	{TagQosTimeToLive, 4, 0xFFFFFFFF, []Command{DataSM}},
	{TagSetDpf, 1, 1, []Command{DataSM}},
}

// Check judges the integer parameters that belong to request c: 0xC2 for a
// wrong size, 0xC4 for a value without meaning, 0 if there is no fault.
// Others are kept and not judged (SMPP 3.4 §3.3).
func (t TLVs) Check(c Command) (Status, Tag) {
	for tag, value := range t.All() {
		for i := range integers {
			k := &integers[i]
			if k.tag != tag || !belongs(k.requests, c) {
				continue
			}
			if len(value) != int(k.size) {
				return RInvParLen, tag
			}
			var v uint32
			for _, o := range value {
				v = v<<8 | uint32(o)
			}
			if v > k.max {
				return RInvOptParVal, tag
			}
		}
	}
	return ROK, 0
}

func belongs(cs []Command, c Command) bool {
	for _, x := range cs {
		if x == c {
			return true
		}
	}
	return false
}
