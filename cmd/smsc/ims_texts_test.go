package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"smsc/message"
	"smsc/smpp"
	"smsc/smpp/pdu"
	"smsc/testdata/pcap"
	"smsc/translate"
)

// phoneTextCases are texts that keep their octets between a phone and an
// ESME, by name; each makes several parts.
func phoneTextCases(t *testing.T) map[string][]message.Body {
	t.Helper()
	in := func(s translate.Shift, text string) message.Body {
		udh, err := translate.AppendShift(nil, s)
		if err != nil || !s.Fits(text) {
			t.Fatalf("%q does not fit %+v, %v", text, s, err)
		}
		return message.Body{Text: text, UDH: udh}
	}
	turkish, hindi := "Çağrınızı aldık, teşekkürler. İyi günler! ", "नमस्ते, आपका संदेश मिल गया। धन्यवाद! "
	all := map[string][]message.Body{}
	for name, b := range map[string]message.Body{
		"GSM 7-bit with escapes":   {Text: strings.Repeat("10 € {ok} [~] \\ ^ | @ ", 20)},
		"UCS-2 with pairs":         {Coding: message.UCS2, Text: strings.Repeat("Привет 😀 世界 ", 12)},
		"Turkish, single shift":    in(translate.Shift{Single: translate.Turkish}, strings.Repeat(turkish, 8)),
		"Turkish, both tables":     in(translate.Shift{Locking: translate.Turkish, Single: translate.Turkish}, strings.Repeat(turkish, 8)),
		"Hindi, both tables":       in(translate.Shift{Locking: translate.Hindi, Single: translate.Hindi}, strings.Repeat(hindi, 8)),
		"octets with NUL, CR, LF":  {Coding: message.Octets, Data: bytes.Repeat([]byte{0, 13, 10, 0xFF, 0x80}, 60)},
		"one part, Turkish":        in(translate.Shift{Locking: translate.Turkish}, "ğüşıöç"),
		"one part, Hindi":          in(translate.Shift{Locking: translate.Hindi}, "नमस्ते"),
		"flash in UCS-2":           {Coding: message.UCS2, Text: "сейчас", Class: message.Class0},
		"GSM 7-bit, one character": {Text: "@"},
	} {
		parts, err := translate.Segments(b, 77, message.PartUDH8)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = parts
	}
	return all
}

// boundESME is an ESME that keeps what it is sent.
type boundESME struct {
	*smpp.Session
	mu       sync.Mutex
	texts    []pdu.SM // deliver_sm with text
	receipts map[string]translate.Receipt
}

func (e *boundESME) request(s *smpp.Session, h pdu.Header, frame []byte) {
	var sm pdu.SM
	if h.Command != pdu.DeliverSM || sm.Decode(bytes.Clone(frame)) != nil {
		s.Refuse(h, pdu.RInvCmdID)
		return
	}
	e.mu.Lock()
	if r, ok := translate.ParseReceipt(string(sm.Text())); ok && sm.ESMClass&0x3C == 4 {
		e.receipts[r.ID] = r
	} else {
		e.texts = append(e.texts, sm)
	}
	e.mu.Unlock()
	s.Respond(&pdu.SMResp{Cmd: pdu.DeliverSMResp}, pdu.ROK, h.Sequence)
}

// came returns the first text to a number, and takes it away.
func (e *boundESME) came(to string) (found pdu.SM, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, sm := range e.texts {
		if string(sm.Dest.Addr) == to {
			e.texts = append(e.texts[:i:i], e.texts[i+1:]...)
			return sm, true
		}
	}
	return found, false
}

// textHouse is a server between phones of a core and an ESME.
func textHouse(t *testing.T) (core *imsCore, esme *boundESME, arrived chan *phoneArrival) {
	t.Helper()
	s := newServer(t, "", "")
	arrived = make(chan *phoneArrival, 1000)
	tap := &pcap.Capture{}
	core, err := newIMSCore(imsCoreConfig{listen: "udp:127.0.0.1:0", remote: loopback(s.sip), centre: imsCentre, came: tap.AddRPDU, react: func(a *phoneArrival) reaction {
		if a.tp.Type == translate.TPDeliver {
			arrived <- a
		}
		return reaction{}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		core.close()
		checkTapped(t, tap)
	})
	s.start(fmt.Sprintf(`links:
  - {name: ims, kind: ims, uri: "sip:%s;transport=udp", from: ["127.0.0.1/32"], smsc_address: "%s", domain: ims.example, serves: ["1555*"]}
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
routes:
  - {called_prefix: "1555", dest_smsc: ims}
  - {called_prefix: "4477", dest_smsc: esme1}
`, core.peer.Addr(), imsCentre))
	esme = &boundESME{receipts: map[string]translate.Receipt{}}
	esme.Session, err = smpp.Dial(t.Context(), smpp.Peer{Address: loopback(s.smpp), SystemID: "esme1", Password: "pw1",
		Options: smpp.Options{Window: 50}, Handler: smpp.Funcs{OnRequest: esme.request}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { esme.Session.Close() })
	return core, esme, arrived
}

// checkTapped has tshark read every RPDU that the server sent.
func checkTapped(t *testing.T, tap *pcap.Capture) {
	if !pcap.Installed() {
		return
	}
	all := tap.ShortMessages(t)
	for _, m := range all {
		if m.Type == "" || m.Notes != nil {
			t.Errorf("tshark says of an RPDU of type %q: %q", m.Type, m.Notes)
		}
	}
	t.Logf("tshark read %d RPDUs that we sent", len(all))
}

// TestTextsKeepTheirOctetsBetweenPhonesAndESMEs sends each text both ways, in
// parts as its sender cut it: header, alphabet and every octet arrive as they
// left, and each part has its report.
func TestTextsKeepTheirOctetsBetweenPhonesAndESMEs(t *testing.T) {
	core, esme, arrived := textHouse(t)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	n := 0
	for name, parts := range phoneTextCases(t) {
		n++
		phone, other := fmt.Sprintf("+1555126%04d", n), fmt.Sprintf("44770090%04d", n)
		for i, part := range parts {
			r, err := core.submit(ctx, submission{from: phone, to: "+" + other, body: part, report: true})
			if err != nil || r.cause != 0 {
				t.Fatalf("%s, part %d: %+v, %v", name, i+1, r, err)
			}
			checkAtESME(t, esme, name, other, part)
			if got, err := core.receipt(ctx, phone, r.tp); err != nil || got.st != 0 || got.scts != r.scts {
				t.Errorf("%s, part %d: status report %+v, %v", name, i+1, got, err)
			}
		}
		for i, part := range parts {
			id := esme.submit(t, phone, other, part)
			a := <-arrived
			if a.to != phone || !bytes.Equal(a.body.UDH, part.UDH) || a.tp.Address.Text() != other || !bytes.Equal(translate.UserData(a.body), translate.UserData(part)) {
				t.Errorf("%s, part %d at the phone: %x of %s, want %x %x", name, i+1, a.tp.UD, a.tp.Address.Text(), part.UDH, translate.UserData(part))
			}
			if want := translate.DataCoding(part, "gsm7"); translate.DataCoding(a.body, "gsm7") != want {
				t.Errorf("%s: TP-DCS %02x", name, a.tp.DCS)
			}
			eventually(t, "the ESME has its receipt", func() bool {
				esme.mu.Lock()
				defer esme.mu.Unlock()
				return esme.receipts[id].Stat == "DELIVRD"
			})
		}
	}
}

// checkAtESME looks at the deliver_sm of a part.
func checkAtESME(t *testing.T, esme *boundESME, name, to string, part message.Body) {
	t.Helper()
	var sm pdu.SM
	eventually(t, name+" is at the ESME", func() (ok bool) {
		sm, ok = esme.came(to)
		return ok
	})
	want := append(bytes.Clone(part.UDH), translate.UserData(part)...)
	if !bytes.Equal(sm.ShortMessage, want) || sm.DataCoding != translate.DataCoding(part, "gsm7") || (sm.ESMClass&0x40 != 0) != (part.UDH != nil) {
		t.Errorf("%s at the ESME: data_coding %02x, esm_class %02x, %x, want %02x, %x", name, sm.DataCoding, sm.ESMClass, sm.ShortMessage, translate.DataCoding(part, "gsm7"), want)
	}
}

// submit sends a part to a phone and returns its message_id.
func (e *boundESME) submit(t *testing.T, to, from string, part message.Body) string {
	t.Helper()
	sm := (&sendCommand{From: "+" + from, To: to, Receipt: true}).submitSM(part)
	type answered struct {
		id  string
		err error
	}
	answers := make(chan answered, 1)
	if err := e.Submit(t.Context(), sm, func(r smpp.Reply) {
		id, err := readReply(r)
		answers <- answered{id, err}
	}); err != nil {
		t.Fatal(err)
	}
	a := <-answers
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.id
}
