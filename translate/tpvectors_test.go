package translate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

const vectorTime = "2006-01-02T15:04:05-07:00"

// carrier returns the RPDU in which the TPDU of a vector came.
func (v vector) carrier() RPType {
	in := RPDataMO
	switch v.Context {
	case "rp-ack":
		in = RPAckMO
	case "rp-error":
		in = RPErrorMO
	}
	if v.Direction == "mt" {
		in++
	}
	return in
}

func checkTPDUVector(t *testing.T, v vector) {
	var want map[string]any
	decode(t, v.Decoded, &want)
	octets := unhex(t, v.Hex)
	got, err := ParseTPDU(octets, v.carrier())
	if want["error"] == true {
		var e *RPError
		if !errors.As(err, &e) || e.Cause != RPProtocolError {
			t.Fatalf("error %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	sameFacts(t, tpduFacts(t, &got), want)
	if again := AppendTPDU(nil, &got); !bytes.Equal(again, octets) {
		t.Errorf("written again %x, want %x", again, octets)
	}
	if got.Type == TPDeliver || got.Type == TPSubmit {
		checkBodyRoundTrip(t, &got)
	}
}

// checkBodyRoundTrip turns the user data into a body and back.
func checkBodyRoundTrip(t *testing.T, p *TPDU) {
	t.Helper()
	b, err := TPDUBody(p)
	if err != nil {
		t.Fatal(err)
	}
	again := *p
	if err := BodyTPDU(&again, b); err != nil {
		t.Fatal(err)
	}
	if again.DCS != p.DCS && p.DCS < 0xF0 { // F0 to F7 come back as 10 to 17
		t.Errorf("DCS %#x, want %#x", again.DCS, p.DCS)
	}
	back, err := TPDUBody(&again)
	if b.HasDCS = back.HasDCS; err != nil || again.UDL != p.UDL || len(again.UD) != len(p.UD) || !reflect.DeepEqual(back, b) {
		t.Errorf("from the body %+v, want %+v", again, *p)
	}
}

func sameFacts(t *testing.T, got map[string]any, want map[string]any) {
	t.Helper()
	for key, w := range want {
		if key == "sca_stripped" { // what stood before the TPDU in a modem's log
			continue
		}
		g, ok := got[key]
		if !ok {
			t.Errorf("%s is missing, want %v", key, w)
		} else if fmt.Sprint(plain(g)) != fmt.Sprint(w) {
			t.Errorf("%s = %v, want %v", key, plain(g), w)
		}
	}
}

// plain gives a value the types that JSON has.
func plain(v any) (out any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

type facts = map[string]any

func tpduFacts(t *testing.T, p *TPDU) facts {
	t.Helper()
	f := facts{"tpdu": p.Type.String(), "udhi": p.UDHI, "mr": p.MR, "pid": p.PID, "dcs": p.DCS, "udl": p.UDL, "pi": p.PI}
	address, flag := "", ""
	switch p.Type {
	case TPDeliver:
		address, flag = "oa", "sri"
		f["mms"], f["lp"], f["reply_path"], f["scts"] = p.More, p.Loop, p.ReplyPath, timeFact(p.SCTS)
	case TPSubmit:
		address, flag = "da", "srr"
		f["rd"], f["vpf"], f["reply_path"], f["vp"] = p.RejectDuplicate, p.VP.Format, p.ReplyPath, validityFacts(t, p.VP)
	case TPCommand:
		address, flag = "da", "srr"
		f["ct"], f["mn"], f["cdl"], f["command_data"] = p.CT, p.MN, p.UDL, hex.EncodeToString(p.UD)
		return addressed(f, p, address, flag)
	case TPStatusReport:
		address, flag = "ra", "srq"
		f["mms"], f["lp"], f["scts"], f["dt"], f["st"] = p.More, p.Loop, timeFact(p.SCTS), timeFact(p.DT), p.ST
	case TPSubmitReport, TPDeliverReport:
		f["scts"] = timeFact(p.SCTS)
		if p.Negative {
			f["fcs"] = p.FCS
		}
	}
	if p.Type == TPDeliver || p.Type == TPSubmit || p.PI&PIUD != 0 {
		bodyFacts(t, f, p)
	}
	return addressed(f, p, address, flag)
}

func addressed(f facts, p *TPDU, address, flag string) facts {
	if address != "" {
		f[flag], f[address] = p.Report, addressFacts(p.Address)
	}
	return f
}

func addressFacts(a TPAddress) facts {
	f := facts{"toa": hex.EncodeToString([]byte{a.toa()}), "ton": a.TON(), "npi": a.NPI()}
	if a.TON() == tonAlphanumeric {
		f["text"] = a.Text()
	} else {
		f["digits"] = a.Text()
	}
	return f
}

func timeFact(s Timestamp) string {
	at, _ := s.Time()
	return at.Format(vectorTime)
}

func validityFacts(t *testing.T, v Validity) any {
	t.Helper()
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at, err := v.Expires(now)
	if err != nil {
		t.Fatal(err)
	}
	seconds := at.Sub(now) / time.Second
	switch v.Format {
	case VPRelative:
		return facts{"format": "relative", "raw": v.Octets[0], "seconds": seconds}
	case VPAbsolute:
		return facts{"format": "absolute", "time": timeFact(Timestamp(v.Octets))}
	case VPEnhanced:
		return facts{"format": "enhanced", "single_shot": v.Single(), "ext": v.Octets[0]&enhancedMore != 0,
			"fmt": v.Octets[0] & 7, "seconds": seconds}
	}
	return nil
}

func bodyFacts(t *testing.T, f facts, p *TPDU) {
	t.Helper()
	b, err := TPDUBody(p)
	if err != nil {
		t.Fatal(err)
	}
	switch b.Coding {
	case message.Octets:
		f["alphabet"], f["data"] = "8bit", hex.EncodeToString(b.Data)
	case message.UCS2:
		f["alphabet"], f["text"] = "ucs2", Readable(b)
	default:
		f["alphabet"], f["text"] = "gsm7", Readable(b)
	}
	if b.Class != message.ClassNone {
		f["class"] = b.Class - message.Class0
	}
	var elements []facts
	for id, data := range UDH(b.UDH).Elements() {
		elements = append(elements, facts{"iei": hex.EncodeToString([]byte{id}), "data": hex.EncodeToString(data)})
	}
	f["udh"] = elements
	if s := UDH(b.UDH).Shift(); s != (Shift{}) {
		f["locking_shift"], f["single_shift"] = s.Locking, s.Single
	}
	if c := UDH(b.UDH).Concat(); c != nil {
		f["concat"] = facts{"bits": 8 + 8*int(c.Kind), "ref": c.Ref, "total": c.Total, "seq": c.Seq}
	}
	if dst, src, ok := UDH(b.UDH).Ports(); ok {
		bits := 8
		if UDH(b.UDH).Without(ElementPorts16) == nil {
			bits = 16
		}
		f["ports"] = facts{"bits": bits, "dst": dst, "src": src}
	}
}

func checkRPDUVector(t *testing.T, v vector) {
	var want map[string]any
	decode(t, v.Decoded, &want)
	octets := unhex(t, v.Hex)
	got, err := ParseRPDU(octets)
	_, trailing := want["trailing"]
	if want["error"] == true || trailing && got.Type.String() == "RP-DATA" {
		var e *RPError
		if !errors.As(err, &e) || e.FCS != 0 || got.Ref != octets[1] {
			t.Fatalf("error %v, reference %d", err, got.Ref)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	f := facts{"rp": got.Type.String(), "dir": "mt", "rp_mr": got.Ref, "rp_oa": nil, "rp_da": nil, "cause": got.Cause,
		"rp_ud_len": len(got.UserData), "rp_ud": hex.EncodeToString(got.UserData), "diag": hex.EncodeToString(got.Diagnostic)}
	if got.Type.FromPhone() {
		f["dir"] = "mo"
	}
	for key, a := range map[string]RPAddress{"rp_oa": got.OA, "rp_da": got.DA} {
		if a != "" {
			f[key] = facts{"toa": hex.EncodeToString([]byte{a[0]}), "ton": a.TON(), "npi": a.NPI(), "digits": a.Text()}
		}
	}
	if inner, ok := want["tp"].(map[string]any); ok {
		p, err := ParseTPDU(got.UserData, got.Type)
		if err != nil {
			t.Fatal(err)
		}
		sameFacts(t, tpduFacts(t, &p), inner)
		if again := AppendTPDU(nil, &p); !bytes.Equal(again, got.UserData) {
			t.Errorf("TPDU written again %x, want %x", again, got.UserData)
		}
		delete(want, "tp")
	}
	if _, ok := want["rp_ud"]; !ok && got.UserData != nil {
		t.Errorf("user data %x out of nothing", got.UserData)
	}
	_, unknown := want["unknown_ies"]
	missing := want["cause_missing"] == true
	for _, key := range []string{"trailing", "unknown_ies", "cause_missing"} {
		delete(want, key)
	}
	sameFacts(t, f, want)
	extension := got.Type.String() == "RP-ERROR" && octets[len(octets)-1] == got.Cause|extensionBit
	if again := AppendRPDU(nil, got); !bytes.Equal(again, octets) && !trailing && !unknown && !missing && !extension {
		t.Errorf("written again %x, want %x", again, octets)
	}
}

// checkSMPPVector asks our own codec of SMPP, which this package never does.
func checkSMPPVector(t *testing.T, v vector) {
	var want map[string]any
	decode(t, v.Decoded, &want)
	octets := unhex(t, v.Hex)
	h, p, err := pdu.Parse(octets)
	bind, ok := p.(*pdu.Bind)
	if err != nil || !ok {
		t.Fatalf("%T, %v", p, err)
	}
	sameFacts(t, facts{"command": h.Command.String(), "length": h.Length, "status": h.Status, "seq": h.Sequence,
		"system_id": string(bind.SystemID), "password": string(bind.Password), "system_type": string(bind.SystemType),
		"interface_version": bind.InterfaceVersion, "addr_ton": bind.AddrTON, "addr_npi": bind.AddrNPI,
		"address_range": string(bind.AddressRange)}, want)
	if again := p.Append(nil, h.Status, h.Sequence); !bytes.Equal(again, octets) {
		t.Errorf("written again %x, want %x", again, octets)
	}
}

// TestBrokenVectorsEndInAValueOrAnError: every prefix of every vector, and
// every vector with each octet changed to each other.
func TestBrokenVectorsEndInAValueOrAnError(t *testing.T) {
	for _, v := range readVectors(t, ownVectors) {
		octets := unhex(t, v.Hex)
		for i := range octets {
			tryVector(t, v.Kind, octets[:i:i])
			was := octets[i]
			for change := 1; change < 256; change++ {
				octets[i] = was ^ byte(change)
				tryVector(t, v.Kind, octets)
			}
			octets[i] = was
		}
	}
}

// tryVector reads octets as the kind says, TPDUs as what came in any RPDU. An
// error of the two layers names what an RP-ERROR bears.
func tryVector(t *testing.T, kind string, octets []byte) {
	t.Helper()
	mustRefuse := func(err error) {
		if e := (*RPError)(nil); err != nil && (!errors.As(err, &e) || e.Cause == 0) {
			t.Fatalf("%x: %v", octets, err)
		}
	}
	switch kind {
	case "rpdu":
		p, err := ParseRPDU(octets)
		mustRefuse(err)
		if err == nil && p.UserData != nil {
			tryTPDU(p.UserData, p.Type, mustRefuse)
		}
	case "tpdu":
		for in := RPDataMO; in < rpReserved; in++ {
			tryTPDU(octets, in, mustRefuse)
		}
	case "udh":
		_, _ = ParseUDH(octets)
	case "gsm7":
		for fill := range 7 {
			septets, _ := UnpackGSM7(nil, octets, fill, len(octets))
			_ = DecodeGSM7(septets)
		}
	case "receipt":
		_, _ = ParseReceipt(string(octets))
	case "smpp":
		_, _, _ = pdu.Parse(octets)
	}
}

func tryTPDU(octets []byte, in RPType, mustRefuse func(error)) {
	p, err := ParseTPDU(octets, in)
	mustRefuse(err)
	if err == nil {
		_, err := TPDUBody(&p)
		mustRefuse(err)
		_, err = p.VP.Expires(time.Unix(0, 0))
		mustRefuse(err)
	}
}
