package sip

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

// FuzzPhone throws RPDUs at the edge: each request has one final answer, and
// nothing breaks.
func FuzzPhone(f *testing.F) {
	for _, s := range []string{
		strings.ReplaceAll(example, " ", ""), "0201", "0209410200" + "00", "040116", "0401166f", "06aa", "07aa", "030100", "0107000000",
		"000700079144775810065017210000", "0007000007210000000000000000", "0000",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "<tel:+447700900555>", "890571035193344.1.1@smsc1")
	}
	s, err := New(quick(), Deps{Acceptor: instant{message.NewMint(0)}, Shelf: &drawer{}}, zerolog.Nop(), nil)
	if err != nil {
		f.Fatal(err)
	}
	s.SetLinks(directory(f, `links: [{name: ims, kind: ims, uri: "sip:127.0.0.1:9;transport=udp", from: ["127.0.0.1/32"], smsc_address: "+447785016005"}]`))
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, body []byte, who, about string) {
		p := &packet{method: "MESSAGE", target: "sip:smsc", version: "SIP/2.0", body: body, flow: flow{peer: mustAddrPort("127.0.0.1:5060")}, headers: []header{
			{"Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1"}, {"From", "<sip:a@b>;tag=1"}, {"To", "<sip:smsc>"}, {"Call-ID", "x"}, {"CSeq", "1 MESSAGE"},
			{"Content-Type", typeRPDU}, {"P-Asserted-Identity", who}, {"In-Reply-To", about},
		}}
		x := &exchange{packet: p, end: s.end, hops: p.vias(), began: s.end.now()}
		x.via, _ = parseVia(x.hops[0])
		s.receive(x)
		if !x.answered {
			t.Error("no answer")
		}
	})
}

var _ tenant.Shelf = (*drawer)(nil)
