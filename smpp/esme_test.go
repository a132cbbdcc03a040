package smpp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"smsc/message"
	"smsc/smpp/pdu"
)

// receiver binds an ESME that answers every deliver_sm with a status and
// hands it out.
func (h *house) receiver(t testing.TB, version uint8, status pdu.Status) (*raw, <-chan *pdu.SM) {
	t.Helper()
	r := h.connect(t)
	r.send(bindPDU(pdu.BindReceiver, "esme1", "pw1", version), 1)
	r.want(pdu.BindReceiverResp, pdu.ROK, 1)
	got := make(chan *pdu.SM, 100)
	go func() {
		defer close(got)
		for {
			frame, ok := r.frame()
			if !ok {
				return
			}
			p := new(pdu.SM)
			if head, _ := pdu.ParseHeader(frame); head.Command == pdu.DeliverSM && p.Decode(frame) == nil {
				got <- p
				_, _ = r.conn.Write((&pdu.SMResp{Cmd: pdu.DeliverSMResp}).Append(nil, status, head.Sequence))
			}
		}
	}()
	soon(t, "the link is up", func() bool { return h.up("esme1") })
	return r, got
}

func TestESMEReceivesMessages(t *testing.T) {
	h := open(t, oneESME)
	r, got := h.receiver(t, 0x34, pdu.ROK)
	if o := h.deliver(t, "esme1", outgoing("hello")); o.Result != message.Delivered || o.Remote[0] != "" {
		t.Errorf("%+v", o)
	}
	p := <-got
	if p.ESMClass != 0 || string(p.ShortMessage) != "hello" || string(p.Source.Addr) != "15550001" || p.Source.TON != 1 || len(p.Validity) != 0 {
		t.Errorf("%+v", p)
	}
	soon(t, "what waits is woken", func() bool { // after the link is up
		h.mu.Lock()
		defer h.mu.Unlock()
		return slices.Equal(h.woken, []string{"link:esme1"})
	})
	_ = r.conn.Close()
	soon(t, "the link is down", func() bool { return !h.up("esme1") })
	if o := h.deliver(t, "esme1", outgoing("hello")); o.Result != message.Deferred || o.Cause != message.Absent {
		t.Errorf("%+v", o)
	}
}

func TestTransmitterReceivesNothing(t *testing.T) {
	h := open(t, oneESME)
	h.bound(t, pdu.BindTransmitter)
	if o := h.deliver(t, "esme1", outgoing("hello")); o.Result != message.Deferred || o.Cause != message.Absent {
		t.Errorf("%+v", o)
	}
}

func TestESMERefusals(t *testing.T) {
	for status, want := range map[pdu.Status]message.Outcome{
		pdu.RxTAppn:    {Result: message.Deferred, Cause: message.MemoryFull},
		pdu.RxPAppn:    {Result: message.Refused, Cause: message.Barred},
		pdu.RThrottled: {Result: message.Deferred, Cause: message.Throttled, Pause: true},
	} {
		t.Run(status.String(), func(t *testing.T) {
			h := open(t, oneESME)
			h.receiver(t, 0x34, status)
			o := h.deliver(t, "esme1", outgoing("hello"))
			if o.Result != want.Result || o.Cause != want.Cause || o.Pause != want.Pause {
				t.Errorf("%+v", o)
			}
		})
	}
}

func receiptAbout() *message.Message {
	return &message.Message{
		Kind: message.KindReceipt, Dest: "esme1",
		From: message.Address{Value: "+15551230001", Given: "0015551230001", TON: 0, NPI: 1, Typed: true},
		To:   message.Address{Value: "Shop", Given: "Shop", TON: 5, NPI: 0, Typed: true},
		About: &message.About{
			ID: 905969664, Phase: message.Failed, Cause: message.UnknownNumber,
			Submitted: time.Date(2026, 11, 21, 8, 9, 0, 0, time.UTC), Done: time.Date(2026, 11, 21, 8, 10, 0, 0, time.UTC),
			Parts: 1, Excerpt: "hello", Handle: "77", Extra: map[string]string{keyServiceType: "CMT"},
		},
	}
}

func TestReceiptsAreWrittenExactly(t *testing.T) {
	h := open(t, oneESME)
	_, got := h.receiver(t, 0x34, pdu.ROK)
	if o := h.deliver(t, "esme1", receiptAbout()); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	p := <-got
	want := "id:905969664 sub:001 dlvrd:000 submit date:2611210809 done date:2611210810 stat:UNDELIV err:001 text:hello"
	if string(p.ShortMessage) != want {
		t.Errorf("%s", p.ShortMessage)
	}
	if p.ESMClass != 0x04 || string(p.Source.Addr) != "0015551230001" || p.Source.NPI != 1 || string(p.Dest.Addr) != "Shop" ||
		p.Dest.TON != 5 || string(p.ServiceType) != "CMT" || p.DataCoding != 0 || p.RegisteredDelivery != 0 {
		t.Errorf("%+v", p)
	}
	tlvs := pdu.TLVs(nil).AddText(pdu.TagReceiptedMessageID, "905969664").AddUint8(pdu.TagMessageState, 5).
		Add(pdu.TagNetworkErrorCode, []byte{3, 0, 1}).AddUint16(pdu.TagUserMessageReference, 77)
	if d := cmp.Diff([]byte(tlvs), []byte(p.TLVs)); d != "" {
		t.Error(d)
	}
}

func TestReceiptsForA33PeerHaveNoParameters(t *testing.T) {
	h := open(t, oneESME)
	_, got := h.receiver(t, 0x33, pdu.ROK)
	h.deliver(t, "esme1", receiptAbout())
	if p := <-got; len(p.TLVs) != 0 {
		t.Errorf("%x", p.TLVs)
	}
}

func TestPartsPassAsTheyCameIfThePeerCanReadThem(t *testing.T) {
	part := outgoing("hello")
	part.Body.Part = &message.Part{Kind: message.PartSAR, Ref: 9, Total: 2, Seq: 1}
	for version, check := range map[uint8]func(p *pdu.SM) bool{
		0x34: func(p *pdu.SM) bool {
			ref, ok := p.TLVs.Uint16(pdu.TagSarMsgRefNum)
			return ok && ref == 9 && p.ESMClass == 0 && string(p.ShortMessage) == "hello"
		},
		0x33: func(p *pdu.SM) bool {
			return len(p.TLVs) == 0 && p.ESMClass == 0x40 && string(p.ShortMessage) == "\x05\x00\x03\x09\x02\x01hello"
		},
	} {
		h := open(t, oneESME)
		_, got := h.receiver(t, version, pdu.ROK)
		h.deliver(t, "esme1", part)
		if p := <-got; !check(p) {
			t.Errorf("version %#x: %+v", version, p)
		}
	}
}

func TestIntermediateNotification(t *testing.T) {
	h := open(t, oneESME)
	_, got := h.receiver(t, 0x34, pdu.ROK)
	m := receiptAbout()
	m.About.Phase = message.Waiting
	h.deliver(t, "esme1", m)
	if p := <-got; p.ESMClass != 0x20 {
		t.Errorf("esm_class %#x", p.ESMClass)
	}
}

func TestLoadIsSharedAndPairsKeepTheirOrder(t *testing.T) {
	l := newLine(&Edge{}, mustSettings(t))
	for range 3 {
		s := newSession(nopConn{}, Options{Window: 10}, Funcs{})
		s.set(stateBound)
		s.bind.Store(uint32(pdu.BindReceiver))
		l.senders = append(l.senders, s)
	}
	first, release := l.pick("a", "b")
	for range 5 {
		if s, _ := l.pick("a", "b"); s != first {
			t.Fatal("a pair changed its session while under way")
		}
	}
	release()
	count := map[*Session]int{}
	for i := range 30 {
		s, _ := l.pick("a", string(rune('A'+i)))
		s.load.Add(1)
		count[s]++
	}
	for s, n := range count {
		if n < 5 || n > 15 {
			t.Errorf("%p has %d of 30", s, n)
		}
	}
}

func TestThePlaceOfASessionThatHasEndedIsFree(t *testing.T) {
	l := newLine(&Edge{}, mustSettings(t))
	conn, peer := net.Pipe()
	defer func() { _ = peer.Close() }()
	dead, next := newSession(conn, Options{}, Funcs{}), newSession(nopConn{}, Options{}, Funcs{})
	if !l.reserve(dead, 1) || l.reserve(next, 1) {
		t.Fatal("there is one place")
	}
	dead.fail(errPeerClosed) // and its Closed has not come to the line yet
	if !l.reserve(next, 1) {
		t.Error("refused for a session that has ended")
	}
}

func mustSettings(t testing.TB) *settings {
	t.Helper()
	h := open(t, oneESME)
	st, err := settingsOf(h.catalog.Directory().Link("esme1"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

type nopConn struct{ net.Conn }

func (nopConn) RemoteAddr() net.Addr { return nil }

// selfSigned makes a certificate of 127.0.0.1 that trusts itself.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLSListener(t *testing.T) {
	cert, pool := selfSigned(t)
	h := open(t, oneESME, func(c *Config, _ *Deps) {
		c.Listen, c.TLS = []string{"tls:127.0.0.1:0"}, &tls.Config{Certificates: []tls.Certificate{cert}}
	})
	peer := Peer{Address: h.address, SystemID: "esme1", Password: "pw1", TLS: &tls.Config{RootCAs: pool}}
	s, err := Dial(t.Context(), peer)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	peer.TLS = &tls.Config{}
	if s, err := Dial(t.Context(), peer); err == nil {
		s.Close()
		t.Error("a certificate of nobody was trusted")
	}
}

func TestBothSidesShowTheirCertificates(t *testing.T) {
	cert, pool := selfSigned(t)
	centre := open(t, oneESME, func(c *Config, _ *Deps) {
		c.Listen = []string{"tls:127.0.0.1:0"}
		c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	document := fmt.Sprintf("links:\n  - {name: c1, kind: carrier, address: %q, system_id: esme1, password: pw1, tls: true, tls_ca: %q}\n", centre.address, ca)
	without := open(t, document)
	with := open(t, document, func(c *Config, _ *Deps) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
	soon(t, "the carrier that asks for our certificate is bound", func() bool { return with.up("c1") })
	soon(t, "the other is refused", func() bool { st, _ := without.edge.Status("c1"); return st.LastError != "" })
	if without.up("c1") {
		t.Error("bound without a certificate")
	}
}

func TestMetricsAreShown(t *testing.T) {
	h := open(t, oneESME)
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{h.edge})
	r := h.bound(t, pdu.BindTransceiver)
	r.send(hello(), 2)
	r.want(pdu.SubmitSMResp, pdu.ROK, 2)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range families {
		seen[f.GetName()] = true
		for _, m := range f.GetMetric() {
			s := f.GetName()
			for _, l := range m.GetLabel() {
				s += " " + l.GetValue()
			}
			seen[s] = true
		}
	}
	for _, want := range []string{"smsc_smpp_pdus_total submit_sm in esme1", "smsc_smpp_pdus_total submit_sm_resp out esme1",
		"smsc_smpp_status_total out esme1 ESME_ROK", "smsc_link_sessions esme1"} {
		if !seen[want] {
			t.Errorf("%q is missing in %v", want, seen)
		}
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	if err := (Config{Listen: []string{"tcp:127.0.0.1:0", "tcp::2775"}}).Validate(); err != nil {
		t.Error(err)
	}
	err := Config{Listen: []string{"udp:127.0.0.1:1", "tls:127.0.0.1:1", "2775"}, MaxValidity: -1}.Validate()
	if err == nil || len(err.(interface{ Unwrap() []error }).Unwrap()) != 4 {
		t.Error(err)
	}
}
