package pdu

import (
	"bytes"
	"fmt"
	"testing"

	fiorix "github.com/fiorix/go-smpp/smpp/pdu"
	linx "github.com/linxGnu/gosmpp/pdu"
)

// throughFiorix decodes and writes a frame with fiorix/go-smpp.
func throughFiorix(frame []byte) (out []byte, known bool) {
	p, err := fiorix.Decode(bytes.NewReader(frame))
	if err != nil {
		return nil, false
	}
	var b bytes.Buffer
	if err := p.SerializeTo(&b); err != nil {
		return nil, false
	}
	return b.Bytes(), true
}

// throughLinx decodes and writes a frame with linxGnu/gosmpp, whose parser
// panics on a query_sm that carries a TLV.
func throughLinx(frame []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	p, err := linx.Parse(bytes.NewReader(frame))
	if err != nil {
		return nil, err
	}
	w := linx.NewBuffer(nil)
	p.Marshal(w)
	return w.Bytes(), nil
}

// TestStrangersReadWhatWeWrite writes every PDU without TLVs (their order is
// random in both libraries), has a foreign codec read and write it, and
// compares the octets.
func TestStrangersReadWhatWeWrite(t *testing.T) {
	for _, p := range every() {
		bare(p)
		ours := p.Append(nil, 0, 77)
		t.Run("fiorix "+p.Command().String(), func(t *testing.T) {
			theirs, known := throughFiorix(ours)
			if !known {
				t.Skip("the library does not know this PDU")
			}
			same(t, spoiled(ours, p), theirs)
		})
		t.Run("linxGnu "+p.Command().String(), func(t *testing.T) {
			theirs, err := throughLinx(ours)
			if err != nil {
				t.Fatal(err)
			}
			same(t, ours, theirs)
		})
	}
}

// bare takes away what the libraries are known to change: TLVs, a UDH,
// schedules.
func bare(p PDU) {
	switch p := p.(type) {
	case *BindResp:
		p.TLVs = nil
	case *SM:
		p.TLVs, p.ESMClass = nil, p.ESMClass&^0x40
	case *SMResp:
		p.TLVs = nil
	case *Data:
		p.TLVs = nil
	case *Multi:
		p.TLVs = nil
	case *Alert:
		p.TLVs = nil
	}
}

// spoiled returns ours with the faults that fiorix/go-smpp is known to put
// into what it writes; linxGnu/gosmpp holds the same PDUs octet by octet.
func spoiled(ours []byte, p PDU) []byte {
	out := bytes.Clone(ours)
	switch p := p.(type) {
	case *SM:
		if p.Cmd != DeliverSM {
			return out
		}
		// A stray zero between sm_length and short_message.
		at := len(out) - len(p.ShortMessage)
		out = append(out[:at:at], append([]byte{0}, p.ShortMessage...)...)
	case *MultiResp:
		out = append(out, 0) // a stray zero at the end
	case *QueryResp:
		// message_state and error_code are read as C-octet strings.
		copy(out[len(out)-2:], []byte{0, 0})
	}
	return finish(out, 0)
}

func same(t *testing.T, ours, theirs []byte) {
	t.Helper()
	if !bytes.Equal(ours, theirs) {
		t.Errorf("ours   %x\ntheirs %x", ours, theirs)
	}
}
