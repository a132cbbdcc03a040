package pdu

import "testing"

func benchSM() *SM {
	return &SM{Cmd: SubmitSM, Source: shop, Dest: home, RegisteredDelivery: 1,
		ShortMessage: []byte("Your code is 123456. It is valid for ten minutes."),
		TLVs:         TLVs(nil).AddUint16(TagUserMessageReference, 7)}
}

func BenchmarkDecodeSubmitSM(b *testing.B) {
	frame := benchSM().Append(nil, 0, 1)
	var p SM
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendSubmitSM(b *testing.B) {
	p, buf := benchSM(), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = p.Append(buf[:0], 0, 1)
	}
}

func BenchmarkDecodeSubmitSMResp(b *testing.B) {
	frame := (&SMResp{Cmd: SubmitSMResp, MessageID: []byte("905969664123")}).Append(nil, 0, 1)
	var p SMResp
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendSubmitSMResp(b *testing.B) {
	p, buf := &SMResp{Cmd: SubmitSMResp, MessageID: []byte("905969664123")}, make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buf = p.Append(buf[:0], 0, 1)
	}
}
