package translate

// maxUserData is the longest TP-UD of a SUBMIT or DELIVER in octets.
const maxUserData = userDataOctets

// tpReader takes a TPDU apart. After the end it yields zeros and short is
// set: one check at the end serves all.
type tpReader struct {
	rest  []byte
	short bool
}

func (r *tpReader) take(n int) []byte {
	if n > len(r.rest) {
		r.short, r.rest = true, nil
		return make([]byte, n) // at most 255: no length is longer than one octet
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *tpReader) octet() uint8 { return r.take(1)[0] }

// ParseTPDU reads the TPDU that came in an RPDU of type in, which alone tells
// what it is: a direction and, of reports, whether they have a TP-FCS. UD
// shares memory with octets. Octets behind the end are left alone.
//
// The error is an *RPError: 111 with TP-FCS FF where the octets end too soon
// or a length does not fit, with B0 where a TPDU of that type cannot come in
// such an RPDU (spec ims §3.3).
func ParseTPDU(octets []byte, in RPType) (TPDU, error) {
	if len(octets) == 0 {
		return TPDU{}, cutOff()
	}
	first := octets[0]
	kind, ok := tpduType(first, in)
	if !ok {
		return TPDU{}, refusal(RPProtocolError, FCSTPDUNotSupported, "a TPDU of this type does not belong here")
	}
	t := TPDU{Type: kind, Negative: in == RPErrorMO || in == RPErrorMT, UDHI: first&bitUDHI != 0}
	r := &tpReader{rest: octets[1:]}
	switch kind {
	case TPDeliver:
		t.deliver(r, first)
	case TPSubmit:
		t.submit(r, first)
	case TPCommand:
		t.command(r, first)
	case TPStatusReport:
		t.statusReport(r, first)
	default:
		t.report(r)
	}
	if r.short {
		return t, cutOff()
	}
	return t, t.check()
}

func cutOff() *RPError {
	return refusal(RPProtocolError, FCSUnspecified, "the TPDU is cut off, or a length in it does not fit")
}

func (t *TPDU) deliver(r *tpReader, first uint8) {
	t.More, t.Loop = first&bitNoMore == 0, first&bitLoop != 0
	t.Report, t.ReplyPath = first&bitReport != 0, first&bitReply != 0
	t.Address = r.address()
	t.PID, t.DCS = r.octet(), r.octet()
	t.SCTS = Timestamp(r.take(7))
	t.userData(r)
}

func (t *TPDU) submit(r *tpReader, first uint8) {
	t.RejectDuplicate, t.Report, t.ReplyPath = first&bitRD != 0, first&bitReport != 0, first&bitReply != 0
	t.MR = r.octet()
	t.Address = r.address()
	t.PID, t.DCS = r.octet(), r.octet()
	t.VP.Format = first >> shiftVPF & 3
	copy(t.VP.Octets[:], r.take(t.VP.size()))
	t.userData(r)
}

func (t *TPDU) command(r *tpReader, first uint8) {
	t.Report = first&bitReport != 0
	t.MR, t.PID, t.CT, t.MN = r.octet(), r.octet(), r.octet(), r.octet()
	t.Address = r.address()
	t.UDL = r.octet()
	t.UD = r.take(int(t.UDL))
}

func (t *TPDU) statusReport(r *tpReader, first uint8) {
	t.More, t.Loop, t.Report = first&bitNoMore == 0, first&bitLoop != 0, first&bitReport != 0
	t.MR = r.octet()
	t.Address = r.address()
	t.SCTS, t.DT = Timestamp(r.take(7)), Timestamp(r.take(7))
	t.ST = r.octet()
	if len(r.rest) > 0 {
		t.HasPI = true
		t.indicator(r)
		t.optional(r)
	}
}

// report reads DELIVER-REPORT and SUBMIT-REPORT (TS 23.040 §9.2.2.1a,
// §9.2.2.2a).
func (t *TPDU) report(r *tpReader) {
	if t.Negative {
		t.FCS = r.octet()
	}
	t.HasPI = true
	t.indicator(r)
	if t.Type == TPSubmitReport {
		t.SCTS = Timestamp(r.take(7))
	}
	t.optional(r)
}

// indicator reads TP-PI; its further octets, which nothing uses yet, are
// skipped.
func (t *TPDU) indicator(r *tpReader) {
	pi := r.octet()
	t.PI = pi &^ piExt
	for pi&piExt != 0 && !r.short {
		pi = r.octet()
	}
}

func (t *TPDU) optional(r *tpReader) {
	if t.PI&PIPID != 0 {
		t.PID = r.octet()
	}
	if t.PI&PIDCS != 0 {
		t.DCS = r.octet()
	}
	if t.PI&PIUD != 0 {
		t.userData(r)
	}
}

func (t *TPDU) userData(r *tpReader) {
	t.UDL = r.octet()
	n := int(t.UDL)
	switch as, _, _ := tpReading(t.DCS); as {
	case asGSM7:
		n = (n*7 + 7) / 8
	case asNothing: // whatever it counts, TPDUBody has the better reason to refuse
		n = min(n, len(r.rest))
	}
	t.UD = r.take(n)
}

func (r *tpReader) address() TPAddress {
	if len(r.rest) < 2 || r.rest[0] > maxSemiOctets {
		r.short, r.rest = true, nil
		return ""
	}
	return TPAddress(r.take(2 + (int(r.rest[0])+1)/2))
}

// check looks at what no cut has shown: a header that is not whole, user data
// longer than a phone can have.
func (t *TPDU) check() error {
	if t.Type == TPCommand {
		return nil // its data have no length in septets, and nobody reads them
	}
	if t.UDHI && (t.Type == TPDeliver || t.Type == TPSubmit || t.PI&PIUD != 0) {
		if len(t.UD) == 0 {
			return cutOff()
		}
		if _, _, err := SplitUDH(t.UD); err != nil {
			return cutOff()
		}
	}
	if (t.Type == TPDeliver || t.Type == TPSubmit) && len(t.UD) > maxUserData {
		return cutOff()
	}
	return nil
}
