package translate

import (
	"bytes"
	"testing"

	"github.com/warthog618/sms/encoding/tpdu"
)

// FuzzAgainstTheLibrary: what warthog618/sms reads as a SUBMIT or DELIVER, we
// read, and alike.
func FuzzAgainstTheLibrary(f *testing.F) {
	for _, v := range readVectors(f, ownVectors) {
		if in := v.carrier(); v.Kind == "tpdu" && in <= RPDataMT {
			f.Add(unhex(f, v.Hex), in == RPDataMO)
		}
	}
	f.Fuzz(func(t *testing.T, octets []byte, mo bool) {
		in, theirs := RPDataMT, tpdu.TPDU{Direction: tpdu.MT}
		if mo {
			in, theirs.Direction = RPDataMO, tpdu.MO
		}
		if err := theirs.UnmarshalBinary(octets); err != nil {
			return
		}
		ours, err := ParseTPDU(octets, in)
		kind := theirs.SmsType()
		if kind != tpdu.SmsSubmit && kind != tpdu.SmsDeliver {
			return
		}
		address := theirs.DA
		if kind == tpdu.SmsDeliver {
			address = theirs.OA
		}
		switch {
		case err == nil:
		case len(octets) > 1 && octets[map[bool]int{true: 2, false: 1}[mo]] > maxSemiOctets: // we allow no more digits than the clause
			return
		case theirs.UDHI(): // nor a header that is not there, or an element beyond it
			return
		case len(octets) > maxUserData: // nor more text
			return
		default:
			t.Fatalf("%x: %v, theirs %+v", octets, err, theirs)
		}
		if ours.PID != theirs.PID || ours.DCS != byte(theirs.DCS) || ours.MR != theirs.MR || ours.Address.toa() != address.TOA {
			t.Fatalf("%x: %+v, theirs %+v", octets, ours, theirs)
		}
		if kind == tpdu.SmsDeliver {
			if at, ok := ours.SCTS.Time(); ok && !at.Equal(theirs.SCTS.Time) && ours.SCTS == TimestampOf(at) {
				t.Fatalf("%x: %v, theirs %v", octets, at, theirs.SCTS)
			}
		}
		b, err := TPDUBody(&ours)
		if err != nil || ours.UDL == 0 {
			return // compressed: the library shows the octets
		}
		if got := UserData(b); !bytes.Equal(got, theirs.UD) {
			t.Fatalf("%x: %x, theirs %x", octets, got, theirs.UD)
		}
	})
}
