package translate

// The library warthog618/sms has a codec for TPDUs; it serves the tests, as a
// second opinion. Here it does not serve: it reads and writes TP-FCS in
// positive reports, which have none (TS 23.040 §9.2.2.1a), refuses reserved
// data coding schemes, dirty times, octets behind a validity period and UCS2
// of odd length, all of which real phones send, and does not keep the octets
// of addresses and times that a status report must repeat.

// TPDUType is a kind of TPDU (TS 23.040 §9.2.2).
type TPDUType uint8

const (
	TPDeliver TPDUType = iota
	TPDeliverReport
	TPSubmit
	TPSubmitReport
	TPStatusReport
	TPCommand
)

var tpduWords = [...]string{
	"SMS-DELIVER", "SMS-DELIVER-REPORT", "SMS-SUBMIT", "SMS-SUBMIT-REPORT", "SMS-STATUS-REPORT", "SMS-COMMAND",
}

// String returns the name in the specification.
func (t TPDUType) String() string {
	if int(t) < len(tpduWords) {
		return tpduWords[t]
	}
	return "SMS-?"
}

// TPDU is any of the six (TS 23.040 §9.2.2), as it stands on the wire:
// [TPDUBody] and [BodyTPDU] lead from and to a body. What a type does not
// have is zero.
type TPDU struct {
	Type TPDUType

	// Negative marks a report that an RP-ERROR carries: it alone has FCS.
	// Nothing in the octets tells, only the RPDU around them.
	Negative bool

	More            bool // more messages wait: TP-MMS, which is inverted (TS 23.040 §9.2.3.2)
	Loop            bool // TP-LP (TS 23.040 §9.2.3.28)
	RejectDuplicate bool // TP-RD (TS 23.040 §9.2.3.25)
	Report          bool // TP-SRI (TS 23.040 §9.2.3.4), TP-SRR (TS 23.040 §9.2.3.5), TP-SRQ (TS 23.040 §9.2.3.26)
	ReplyPath       bool // TP-RP (TS 23.040 §9.2.3.17)
	UDHI            bool // UD begins with a header (TS 23.040 §9.2.3.23)

	MR  uint8 // TP-MR: SUBMIT, STATUS-REPORT, COMMAND (TS 23.040 §9.2.3.6)
	PID uint8 // TP-PID (TS 23.040 §9.2.3.9)
	DCS uint8 // TP-DCS (TS 23.040 §9.2.3.10)
	FCS uint8 // TP-FCS, if Negative
	ST  uint8 // TP-ST: STATUS-REPORT
	CT  uint8 // TP-CT: COMMAND (TS 23.040 §9.2.3.19)
	MN  uint8 // TP-MN: COMMAND (TS 23.040 §9.2.3.18)

	// PI says which of PID, DCS and UD a report has (§9.2.3.27); HasPI
	// whether a STATUS-REPORT has any. Other reports always do.
	PI    uint8
	HasPI bool

	Address TPAddress // TP-OA (TS 23.040 §9.2.3.7), TP-DA (TS 23.040 §9.2.3.8) or TP-RA (TS 23.040 §9.2.3.14)
	SCTS    Timestamp // DELIVER, SUBMIT-REPORT, STATUS-REPORT
	DT      Timestamp // STATUS-REPORT (TS 23.040 §9.2.3.13)
	VP      Validity  // SUBMIT

	// UDL counts septets if DCS says GSM 7-bit, else octets, header included;
	// UD are the octets as they came: packed septets, header in front. Of a
	// COMMAND they are TP-CDL and TP-CD.
	UDL uint8
	UD  []byte
}

// Bits of TP-PI (TS 23.040 §9.2.3.27).
const (
	PIPID = 0x01
	PIDCS = 0x02
	PIUD  = 0x04
	piExt = 0x80 // another octet follows
)

// Bits of the first octet (TS 23.040 §9.2.2).
const (
	bitNoMore = 0x04 // DELIVER, STATUS-REPORT
	bitRD     = 0x04 // SUBMIT
	bitLoop   = 0x08
	bitReport = 0x20
	bitUDHI   = 0x40
	bitReply  = 0x80

	shiftVPF = 3
)

// MTI values (TS 23.040 §9.2.3.1).
const (
	mtiDeliver = 0
	mtiSubmit  = 1
	mtiCommand = 2
)

// tpduType returns what the two lowest bits mean in an RPDU of this type.
func tpduType(mti uint8, in RPType) (TPDUType, bool) {
	switch mti &= 3; {
	case in == RPDataMT && mti == mtiDeliver:
		return TPDeliver, true
	case in == RPDataMT && mti == mtiCommand:
		return TPStatusReport, true
	case in == RPDataMO && mti == mtiSubmit:
		return TPSubmit, true
	case in == RPDataMO && mti == mtiCommand:
		return TPCommand, true
	case (in == RPAckMO || in == RPErrorMO) && mti == mtiDeliver:
		return TPDeliverReport, true
	case (in == RPAckMT || in == RPErrorMT) && mti == mtiSubmit:
		return TPSubmitReport, true
	}
	return 0, false
}

// mti is the inverse of tpduType.
func (t TPDUType) mti() uint8 { return uint8(t / 2) }

// AppendTPDU appends the octets of t. A UD that is longer than UDL says is
// written as it is: what ParseTPDU or BodyTPDU made is right.
func AppendTPDU(dst []byte, t *TPDU) []byte {
	dst = append(dst, t.firstOctet())
	switch t.Type {
	case TPDeliver:
		dst = append(appendTPAddress(dst, t.Address), t.PID, t.DCS)
		dst = append(dst, t.SCTS[:]...)
		return append(append(dst, t.UDL), t.UD...)
	case TPSubmit:
		dst = append(appendTPAddress(append(dst, t.MR), t.Address), t.PID, t.DCS)
		dst = append(dst, t.VP.Octets[:t.VP.size()]...)
		return append(append(dst, t.UDL), t.UD...)
	case TPCommand:
		dst = append(dst, t.MR, t.PID, t.CT, t.MN)
		dst = appendTPAddress(dst, t.Address)
		return append(append(dst, t.UDL), t.UD...)
	case TPStatusReport:
		dst = appendTPAddress(append(dst, t.MR), t.Address)
		dst = append(dst, t.SCTS[:]...)
		dst = append(append(dst, t.DT[:]...), t.ST)
		if !t.HasPI {
			return dst
		}
		return t.appendOptional(append(dst, t.PI))
	case TPSubmitReport:
		dst = append(t.appendFCS(dst), t.PI)
		return t.appendOptional(append(dst, t.SCTS[:]...))
	}
	return t.appendOptional(append(t.appendFCS(dst), t.PI))
}

func (t *TPDU) firstOctet() uint8 {
	o := t.Type.mti()
	set := func(on bool, bit uint8) {
		if on {
			o |= bit
		}
	}
	switch t.Type {
	case TPDeliver, TPStatusReport:
		set(!t.More, bitNoMore)
		set(t.Loop, bitLoop)
	case TPSubmit:
		set(t.RejectDuplicate, bitRD)
		o |= t.VP.Format & 3 << shiftVPF
	}
	if t.Type == TPDeliver || t.Type == TPSubmit {
		set(t.ReplyPath, bitReply)
	}
	if t.Type != TPDeliverReport && t.Type != TPSubmitReport {
		set(t.Report, bitReport)
	}
	set(t.UDHI, bitUDHI)
	return o
}

func appendTPAddress(dst []byte, a TPAddress) []byte {
	if a == "" {
		return append(dst, 0, typeOctet)
	}
	return append(dst, a...)
}

func (t *TPDU) appendFCS(dst []byte) []byte {
	if t.Negative {
		return append(dst, t.FCS)
	}
	return dst
}

func (t *TPDU) appendOptional(dst []byte) []byte {
	if t.PI&PIPID != 0 {
		dst = append(dst, t.PID)
	}
	if t.PI&PIDCS != 0 {
		dst = append(dst, t.DCS)
	}
	if t.PI&PIUD != 0 {
		dst = append(append(dst, t.UDL), t.UD...)
	}
	return dst
}
