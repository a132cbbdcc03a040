package sip

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

func TestTheReferencesOfOneRecipientCountUp(t *testing.T) {
	table, to := newRelays(), personKey{"ims", "447700900555"}
	var last *relay
	for n := range 600 {
		r := &relay{partKey: partKey{"ims", message.ID(n + 1), 1}, to: to}
		table.begin(r)
		if last != nil && r.mr != last.mr+1 {
			t.Fatalf("%d follows %d", r.mr, last.mr)
		}
		last = r
		table.end(r, time.Time{})
	}
	a, b := &relay{partKey: partKey{"ims", 1000, 1}, to: to}, &relay{partKey: partKey{"ims", 1001, 1}, to: to}
	table.begin(a)
	table.last[to] = a.mr - 1
	table.begin(b)
	if a.mr == b.mr {
		t.Error("a reference in flight is given again")
	}
}

func TestTheMemoryOfRelaysIsBounded(t *testing.T) {
	table, now := newRelays(), time.Now()
	for n := range maxLastMR + 1000 {
		r := &relay{partKey: partKey{"ims", message.ID(n + 1), 1}, to: personKey{"ims", fmt.Sprint(n)}}
		table.begin(r)
		table.end(r, now.Add(lateReport))
		table.acknowledge(r.partKey, now.Add(time.Hour))
	}
	if len(table.late) > maxLateMR || len(table.last) > maxLastMR || len(table.acked) > maxAckParts || len(table.byPart)+len(table.byPerson) != 0 {
		t.Errorf("%d late, %d references, %d parts, %d in flight", len(table.late), len(table.last), len(table.acked), len(table.byPart))
	}
	if _, _, fits := table.match("ims", nil, []personKey{{"ims", fmt.Sprint(maxLastMR)}}, 0, now.Add(lateReport)); fits != fitsNothing {
		t.Error("a late report is known for ever")
	}
}

func TestTheAgendaKeepsItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, stop := newAgenda(), make(chan struct{})
		go a.run(stop)
		began := time.Now()
		var heard []time.Duration
		note := func() { heard = append(heard, time.Since(began)) }
		a.add(began.Add(40*time.Second), note)
		a.add(began.Add(10*time.Second), note)
		dropped := a.add(began.Add(20*time.Second), note)
		synctest.Wait()
		time.Sleep(15 * time.Second)
		a.add(time.Now(), note) // due at once
		a.drop(dropped)
		a.drop(dropped)
		a.drop(nil)
		time.Sleep(time.Minute)
		close(stop)
		synctest.Wait()
		if got := fmt.Sprint(heard); got != "[10s 15s 40s]" {
			t.Error(got)
		}
	})
}

func TestASMMARepeatedIn35SecondsWakesOnce(t *testing.T) {
	var w wakes
	now, k := time.Now(), wakeKey{"ims", "447700900555", 7}
	for _, x := range []struct {
		at    time.Duration
		first bool
	}{{0, true}, {34 * time.Second, false}, {35 * time.Second, true}, {36 * time.Second, false}} {
		if got := w.first(k, now.Add(x.at)); got != x.first {
			t.Errorf("after %s: %v", x.at, got)
		}
	}
	for n := range 3 * maxWakes {
		w.first(wakeKey{"ims", fmt.Sprint(n), 1}, now)
	}
	if len(w.seen) > maxWakes {
		t.Errorf("%d are remembered", len(w.seen))
	}
}

func TestPartNamesComeBack(t *testing.T) {
	i := &ims{s: &Server{cfg: Config{Node: "smsc1"}}}
	n := partName{890571035193344, 3, 2}
	if got, ok := readPartName(i.callID(n)); !ok || got != n {
		t.Errorf("%+v", got)
	}
	for _, v := range []string{"", "x", "1.2", "1.2.3.4@n", "0.1.1@n", "1.0.1@n", "1.256.1@n", "1.1.0@n", "a.1.1@n", "1.1.ims@smsc1"} {
		if n, ok := readPartName(v); ok {
			t.Errorf("%q: %+v", v, n)
		}
	}
}

func TestWhatAPhoneGetsOfABody(t *testing.T) {
	id := message.NewMint(0).Next(time.Now())
	for _, x := range []struct {
		name  string
		body  message.Body
		extra map[string]string
		want  func(all []translate.TPDU) bool
	}{
		{"text that fits", translate.TextBody("Hello"), nil, func(a []translate.TPDU) bool { return len(a) == 1 && a[0].DCS == 0 }},
		{"161 characters", translate.TextBody(fmt.Sprintf("%0161d", 1)), nil, func(a []translate.TPDU) bool { return len(a) == 2 && a[0].UDHI && a[0].More && !a[1].More }},
		{"other text", translate.TextBody("Привет 😀"), nil, func(a []translate.TPDU) bool { return len(a) == 1 && a[0].DCS == 8 }},
		{"octets", message.Body{Coding: message.Octets, Data: []byte{0, 13, 10, 255}}, nil, func(a []translate.TPDU) bool { return a[0].DCS == 4 && string(a[0].UD) == "\x00\r\n\xff" }},
		{"a class", message.Body{Text: "x", Class: message.Class0}, nil, func(a []translate.TPDU) bool { return a[0].DCS == 0x10 }},
		{"a waiting indication", message.Body{Text: "x", DCS: 0xC8, HasDCS: true}, nil, func(a []translate.TPDU) bool { return a[0].DCS == 0xC8 }},
		{"the Turkish table that came", message.Body{Text: "ğ", UDH: []byte{3, 0x24, 1, 1}}, nil, func(a []translate.TPDU) bool { return a[0].DCS == 0 && a[0].UDHI }},
		{"protocol and reply path", translate.TextBody("x"), map[string]string{extraPID: "65", extraESM: "128"}, func(a []translate.TPDU) bool { return a[0].PID == 65 && a[0].ReplyPath }},
		{"nothing", message.Body{}, nil, func(a []translate.TPDU) bool { return len(a) == 1 && a[0].UDL == 0 }},
		{"a part as it came", message.Body{Text: "x", UDH: []byte{5, 0, 3, 9, 2, 1}, Part: &message.Part{Ref: 9, Total: 2, Seq: 1}}, nil,
			func(a []translate.TPDU) bool { return len(a) == 1 && a[0].UDHI && a[0].UD[3] == 9 }},
	} {
		m := &message.Message{ID: id, From: message.Address{Value: "+15551230001"}, Body: x.body, Extra: x.extra}
		octets, _, err := tpdusOf(m)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		again, _, _ := tpdusOf(m)
		var all []translate.TPDU
		for n := range octets {
			p, err := translate.ParseTPDU(octets[n], translate.RPDataMT)
			if err != nil || string(again[n]) != string(octets[n]) || len(octets[n]) > translate.MaxRPData {
				t.Fatalf("%s: %x: %v", x.name, octets[n], err)
			}
			all = append(all, p)
		}
		if !x.want(all) {
			t.Errorf("%s: %+v", x.name, all)
		}
	}
	for _, from := range []string{"ACME", "alice@example.com", "12345", "+4912345678901234567890"} {
		_, _, err := tpdusOf(&message.Message{ID: id, From: message.Address{Value: from}, Body: translate.TextBody("x")})
		if (err != nil) != (len(from) > 21) {
			t.Errorf("from %s: %v", from, err)
		}
	}
}

func FuzzReadIdentity(f *testing.F) {
	for _, s := range []string{"<sip:+447700900555@ims.example>", "tel:+44-7700", "<tel:+447700900555", "sip:234150999999999@ims.mnc015.mcc234.3gppnetwork.org>", `"A" <sip:%41@h;user=phone>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := readIdentity(s)
		if !ok {
			return
		}
		if again, ok := readIdentity("<" + id.uri + ">"); !ok || again.key != id.key || hasControl(id.uri) {
			t.Errorf("%q gives %+v, and that %+v", s, id, again)
		}
	})
}

func FuzzReadInner(f *testing.F) {
	f.Add("message/sip", []byte(phonesOwn))
	f.Add(`multipart/mixed;boundary="b"`, []byte("--b\r\nContent-Type: message/sip\r\n\r\n"+phonesOwn+"\r\n--b--\r\n"))
	f.Add(`multipart/mixed;boundary=`, []byte("--\r\n\r\n--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		p := &packet{method: "REGISTER", headers: []header{{"Content-Type", kind}}, body: body}
		n := &registration{}
		n.inner(readInner(p))
		if n.smsip != tenant.Unknown && n.smsip != tenant.Yes && n.smsip != tenant.No {
			t.Error(n.smsip)
		}
	})
}
