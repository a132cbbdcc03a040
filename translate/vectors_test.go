package translate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

// ownVectors are octets and what they mean, each checked by several decoders.
const ownVectors = "../testdata/vectors/vectors.json"

// vector is one entry of such a file.
type vector struct {
	Name, Kind, Hex string
	Direction       string // mo, mt, or nothing
	Context         string // of reports: rp-ack or rp-error
	Decoded         json.RawMessage
}

var vectorChecks = map[string]func(*testing.T, vector){
	"gsm7": checkGSM7Vector, "udh": checkUDHVector, "receipt": checkReceiptVector,
	"tpdu": checkTPDUVector, "rpdu": checkRPDUVector, "smpp": checkSMPPVector,
}

func readVectors(t testing.TB, file string) []vector {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors(t, ownVectors) {
		check := vectorChecks[v.Kind]
		if check == nil {
			t.Errorf("%s: nobody checks the kind %q", v.Name, v.Kind)
			continue
		}
		t.Run(v.Name, func(t *testing.T) { check(t, v) })
	}
}

// TestVectorsOfOtherPrograms reads third_party.json in the folder that
// SMSC_VECTORS names. The file carries the licences of those programs, so it
// is not part of this one.
func TestVectorsOfOtherPrograms(t *testing.T) {
	folder := os.Getenv("SMSC_VECTORS")
	if folder == "" {
		t.Skip("SMSC_VECTORS names no folder with third_party.json")
	}
	for _, v := range readVectors(t, filepath.Join(folder, "third_party.json")) {
		if check := vectorChecks[v.Kind]; check != nil && v.Kind != "smpp" { // those are package pdu's
			t.Run(v.Name, func(t *testing.T) { check(t, v) })
		}
	}
}

func decode(t *testing.T, from json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(from, into); err != nil {
		t.Fatal(err)
	}
}

func checkGSM7Vector(t *testing.T, v vector) {
	packed, decoded := unhex(t, v.Hex), v.Decoded
	var want struct {
		Septets         int
		FillBits        int `json:"fill_bits"`
		Locking, Single int
		Text            string
	}
	decode(t, decoded, &want)
	shift := Shift{Language(want.Locking), Language(want.Single)}
	septets, ok := UnpackGSM7(nil, packed, want.FillBits, want.Septets)
	if got := shift.Decode(septets); !ok || got != want.Text {
		t.Fatalf("text %q, %v, want %q", got, ok, want.Text)
	}
	b := shift.body(septets)
	b.UDH, _ = AppendShift(nil, shift)
	if got := PackGSM7(nil, UserData(b), want.FillBits); !bytes.Equal(got, packed) {
		t.Errorf("packed again %x, want %x", got, packed)
	}
}

func checkUDHVector(t *testing.T, v vector) {
	octets, decoded := unhex(t, v.Hex), v.Decoded
	var want struct {
		Error  bool
		UDH    []struct{ IEI, Data string }
		Concat *struct {
			Bits, Ref  int
			Total, Seq uint8
		}
		Ports *struct{ Dst, Src uint16 }
	}
	decode(t, decoded, &want)
	u, err := ParseUDH(octets)
	if want.Error {
		if message.CauseOf(err) != message.BadContent {
			t.Errorf("error %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for id, data := range u.Elements() {
		if i >= len(want.UDH) || hex.EncodeToString([]byte{id}) != want.UDH[i].IEI || hex.EncodeToString(data) != want.UDH[i].Data {
			t.Fatalf("element %d: %#x %x", i, id, data)
		}
		i++
	}
	if i != len(want.UDH) {
		t.Errorf("%d elements, want %d", i, len(want.UDH))
	}
	p := u.Concat()
	if (p != nil) != (want.Concat != nil) {
		t.Fatalf("Concat = %+v", p)
	}
	if p != nil && (int(p.Ref) != want.Concat.Ref || p.Total != want.Concat.Total || p.Seq != want.Concat.Seq || (p.Kind == message.PartUDH16) != (want.Concat.Bits == 16)) {
		t.Errorf("Concat = %+v, want %+v", p, want.Concat)
	}
	if dst, src, ok := u.Ports(); ok != (want.Ports != nil) || ok && (dst != want.Ports.Dst || src != want.Ports.Src) {
		t.Errorf("Ports = %d, %d, %v", dst, src, ok)
	}
}

func checkReceiptVector(t *testing.T, v vector) {
	text, decoded := unhex(t, v.Hex), v.Decoded
	var want struct {
		ID, Sub, Dlvrd, Stat, Err, Text string
		Submit, Done                    *string
	}
	decode(t, decoded, &want)
	got, ok := ParseReceipt(string(text))
	if !ok || got.ID != want.ID || got.Stat != want.Stat || got.Err != want.Err || got.Text != want.Text {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Sub != count(want.Sub) || got.Dlvrd != count(want.Dlvrd) {
		t.Errorf("counts %d, %d", got.Sub, got.Dlvrd)
	}
	same := func(got time.Time, want *string) bool {
		return want == nil && got.IsZero() || want != nil && strings.HasPrefix(got.Format("2006-01-02T15:04:05"), *want)
	}
	if !same(got.Submit, want.Submit) || !same(got.Done, want.Done) {
		t.Errorf("dates %v, %v", got.Submit, got.Done)
	}
}
