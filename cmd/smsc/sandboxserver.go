package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"smsc/sip"
	"smsc/tenant"
)

// sandbox is the house with its neighbours.
type sandbox struct {
	flags *sandboxCommand
	out   io.Writer
	dir   string

	story   *story
	carrier *centre
	handset *sip.Peer
	core    *imsCore
	phones  *phoneMoods
	key     string // of the operator
	house   *house

	mu     sync.Mutex
	homeID string // message the last receipt was about
}

// provision is the document of the sandbox: a peer for each of the tools of
// the manual, and everything else to the carrier.
func (c *sandboxCommand) provision() string {
	return fmt.Sprintf(`links:
  - name: connect
    kind: sip
    uri: "sip:127.0.0.1:%d;transport=udp"
    from: ["127.0.0.1/32"]
    keepalive: 0s
  - name: handset
    kind: sip
    uri: "sip:127.0.0.1:%d;transport=udp"
    from: ["127.0.0.1/32"]
  - name: ims
    kind: ims
    uri: "sip:127.0.0.1:%d;transport=udp"
    from: ["127.0.0.1/32"]
    smsc_address: "%s"
    serves: ["%s*"]
    report_wait: 5s
  - name: esme1
    kind: esme
    system_id: esme1
    password: pw1
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:%d"
    system_id: sandbox
    password: sandbox
    response_timeout: 3s
  - name: app
    kind: poll
routes:
  - called_prefix: "%s"
    dest_smsc: handset
  - called_prefix: "%s"
    dest_smsc: ims
  - called_prefix: ""
    dest_smsc: carrier1
`, c.ToolPort, c.HandsetPort, c.IMSPort, imsCentre, phoneRange, c.CarrierPort, handsetNumber, phoneRange)
}

// config is smsc.yaml of the sandbox.
func (c *sandboxCommand) config(dir string) config {
	cfg := defaultConfig()
	cfg.Name = "sandbox"
	cfg.Data = filepath.Join(dir, "data")
	cfg.Listen.SIP = []listener{{"udp", loopback(c.SIPPort)}, {"tcp", loopback(c.SIPPort)}}
	cfg.Listen.SMPP = []listener{{"tcp", loopback(c.SMPPPort)}}
	cfg.Listen.HTTP = []listener{{"http", loopback(c.HTTPPort)}}
	// 4 s, 8 s, 16 s: a retry can be watched.
	cfg.Delivery.Retry.Base = 2 * time.Second
	return cfg
}

// start opens carrier, server and handset, and waits until the server is
// bound to the carrier.
func (s *sandbox) start(ctx context.Context) error {
	s.story = newStory(s.out)
	moods := &temper{tries: map[string]int{}}
	carrier, err := newCentre(loopback(s.flags.CarrierPort), moods.fate)
	if err != nil {
		return usage(fmt.Errorf("the simulated carrier cannot listen: %w (another port: --carrier-port)", err))
	}
	carrier.heard = s.heard
	s.carrier = carrier
	go carrier.serve()
	if err := s.startHouse(); err != nil {
		return err
	}
	s.handset, err = sip.NewPeer(sip.PeerConfig{
		Listen: "udp:" + loopback(s.flags.HandsetPort), Remote: loopback(s.flags.SIPPort), Handle: s.message,
	})
	if err != nil {
		return usage(fmt.Errorf("the simulated handset cannot listen: %w (another port: --handset-port)", err))
	}
	if err := s.startCore(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "sandbox %s\n", s.house.readyLine())
	return wait(ctx, s.carrier.joined, "the bind of the server to the carrier")
}

// startHouse runs the server in this process.
func (s *sandbox) startHouse() error {
	doc, faults := tenant.ParseDocument("sandbox", []byte(s.flags.provision()))
	if len(faults) > 0 {
		return fmt.Errorf("the sandbox's own document: %v", faults)
	}
	cfg := s.flags.config(s.dir)
	out := io.Discard
	if s.flags.Log {
		out = os.Stderr
	}
	log, logs := newLogger(cfg.Log, out)
	h, err := openHouse(cfg, &doc, log, logs)
	if err != nil {
		return usage(err)
	}
	s.house, s.key = h, h.key
	h.start()
	return nil
}

// stop takes everything down, the server first.
func (s *sandbox) stop() {
	if s.house != nil {
		ctx, cancel := context.WithTimeout(context.Background(), sandboxDrain)
		s.house.drain(ctx)
		cancel()
		if err := s.house.close(); err != nil {
			fmt.Fprintln(s.out, "the server did not end well:", err)
		}
	}
	if s.handset != nil {
		s.handset.Close()
	}
	if s.core != nil {
		s.core.close()
	}
	if s.carrier != nil {
		s.carrier.close()
	}
}

// sandboxDrain is shorter than a server's: nothing here is worth waiting for.
const sandboxDrain = 3 * time.Second

// url is the address of the server's HTTP side.
func (s *sandbox) url() string { return "http://" + loopback(s.flags.HTTPPort) }

// invite says how to play.
func (s *sandbox) invite() {
	f := s.flags
	extra := ""
	if f.HTTPPort != 8080 {
		extra += " --server " + s.url()
	}
	sipAt, smppAt := "", ""
	if f.SIPPort != 5060 {
		sipAt = " --sip " + loopback(f.SIPPort)
	}
	if f.ToolPort != 5070 {
		sipAt += " --local " + loopback(f.ToolPort)
	}
	if f.SMPPPort != 2775 {
		smppAt = " --smpp " + loopback(f.SMPPPort)
	}
	fmt.Fprintf(s.out, `
It works, and stays up until Ctrl-C. The key of the operator is %[1]s

  panel      %[2]s/#key=%[1]s
  HTTP       %[2]s/            (docs: /api/docs, metrics: /metrics)
  SMPP       bind to 127.0.0.1:%[3]d as esme1, password pw1
  SIP        MESSAGE to 127.0.0.1:%[4]d, udp or tcp; receipts go to 127.0.0.1:%[5]d

  export SMSC_KEY=%[1]s
  smsc send%[6]s --from 15551230002 --to 447700900456 --receipt "Hello"
  smsc send%[7]s --via smpp --user esme1 --password pw1 --from acme --to 447700900456 --receipt "Hello"
  smsc send%[8]s --via rest --from acme --to %[9]s "Hello, handset"
  smsc send%[7]s --via smpp --user esme1 --password pw1 --from acme --to %[11]s --receipt "Hello, phone"
  smsc send%[12]s --ims --from %[13]s --to 447700900456 --receipt "From a phone behind an IMS core"
  smsc messages list%[8]s
  smsc links%[8]s
  curl -s -H "X-API-Key: $SMSC_KEY" -H 'Content-Type: application/json' %[2]s/api/messages \
    -d '{"source_msisdn":"acme","destination_msisdn":"447700900789","message_body":"Hello","source_smsc":"curl"}'

Numbers that misbehave:
%[10]s
Phones behind the IMS core, %[14]s and four digits, that misbehave:
%[15]s
What passes the handset, the phones and the carrier:
`, s.key, s.url(), f.SMPPPort, f.SIPPort, f.ToolPort, sipAt, smppAt, extra, handsetNumber, listMisbehaviours(),
		phoneNumberOf(1), strings.Split(sipAt, " --local")[0], phoneNumberOf(9), phoneRange, listPhones())
}
