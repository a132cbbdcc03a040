package pdu

import "testing"

func TestReadingAndWritingASubmitSMAllocatesNothing(t *testing.T) {
	p, buf := benchSM(), make([]byte, 0, 512)
	frame := p.Append(nil, 0, 1)
	var q SM
	each := testing.AllocsPerRun(100, func() {
		buf = p.Append(buf[:0], 0, 1)
		if err := q.Decode(frame); err != nil {
			t.Fatal(err)
		}
	})
	if each > 0 {
		t.Errorf("%v allocations", each)
	}
}
