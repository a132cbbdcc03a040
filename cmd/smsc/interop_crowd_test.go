package main

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smsc/sip"
)

// crowd are many phones behind a few addresses, as behind the NATs of an
// operator: each registers with digest, answers every MESSAGE at once and
// remembers in which order they came.
type crowd struct {
	server *net.UDPAddr
	sites  []*site

	registered atomic.Int64
	mu         sync.Mutex
	heard      map[string][]string // texts by user
	total      int
}

// site is one address of the crowd.
type site struct {
	*crowd
	conn *net.UDPConn

	mu      sync.Mutex
	pending map[string]*enrolment // by user
}

// enrolment is a REGISTER without its 200; it is sent again until that comes.
type enrolment struct {
	octets []byte
	cseq   int
	sent   time.Time
}

func newCrowd(t *testing.T, server, sites int) *crowd {
	t.Helper()
	c := &crowd{server: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: server}, heard: map[string][]string{}}
	for n := range sites {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 2, byte(n+1))})
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadBuffer(4 << 20)
		s := &site{crowd: c, conn: conn, pending: map[string]*enrolment{}}
		c.sites = append(c.sites, s)
		ended := make(chan struct{})
		go func() { s.read(); close(ended) }()
		t.Cleanup(func() { _ = conn.Close(); <-ended })
	}
	return c
}

// enrol begins the registration of a user.
func (s *site) enrol(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &enrolment{cseq: 1}
	s.pending[user] = e
	s.send(user, e, "")
}

// send writes a REGISTER; s.mu is held.
func (s *site) send(user string, e *enrolment, authorization string) {
	at := s.conn.LocalAddr().String()
	e.octets = fmt.Appendf(nil, "REGISTER sip:smsc.test SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s.%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%[2]s@smsc.test>;tag=1\r\nTo: <sip:%[2]s@smsc.test>\r\nCall-ID: %[2]s\r\nCSeq: %[3]d REGISTER\r\n"+
		"Contact: <sip:%[2]s@%[1]s>\r\nExpires: 600\r\n%[4]sContent-Length: 0\r\n\r\n", at, user, e.cseq, authorization)
	e.sent = time.Now()
	_, _ = s.conn.WriteToUDP(e.octets, s.server)
}

// again sends what is without an answer for a second.
func (s *site) again() (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.pending {
		if time.Since(e.sent) > time.Second {
			e.sent = time.Now()
			_, _ = s.conn.WriteToUDP(e.octets, s.server)
		}
	}
	return len(s.pending)
}

func (s *site) read() {
	buf := make([]byte, 65536)
	for {
		n, from, err := s.conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		head, body, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
		if strings.HasPrefix(head, "MESSAGE ") {
			s.message(head, body, from)
		} else {
			s.answered(head)
		}
	}
}

// field returns the first header of that name, as our server spells it.
func field(head, name string) string {
	_, rest, _ := strings.Cut(head, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// message answers 200; a repeat of a request is answered and not counted.
func (s *site) message(head, body string, from *net.UDPAddr) {
	_, rest, _ := strings.Cut(head, "sip:")
	user, _, _ := strings.Cut(rest, "@")
	s.crowd.mu.Lock()
	if all := s.heard[user]; len(all) == 0 || all[len(all)-1] != body {
		s.heard[user] = append(all, body)
		s.total++
	}
	s.crowd.mu.Unlock()
	var b strings.Builder
	b.WriteString("SIP/2.0 200 OK\r\n")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		fmt.Fprintf(&b, "%s: %s\r\n", name, field(head, name))
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	_, _ = s.conn.WriteToUDP([]byte(b.String()), from)
}

// answered reads an answer to a REGISTER.
func (s *site) answered(head string) {
	user := field(head, "Call-ID")
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.pending[user]
	switch {
	case e == nil || !strings.HasPrefix(field(head, "CSeq"), fmt.Sprint(e.cseq, " ")):
	case strings.HasPrefix(head, "SIP/2.0 200"):
		delete(s.pending, user)
		s.registered.Add(1)
	case strings.HasPrefix(head, "SIP/2.0 401"):
		_, rest, _ := strings.Cut(field(head, "WWW-Authenticate"), `nonce="`)
		nonce, _, _ := strings.Cut(rest, `"`)
		sum := func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
		response := sum(sum(user+":smsc.test:pw") + ":" + nonce + ":00000001:c:auth:" + sum("REGISTER:sip:smsc.test"))
		e.cseq++
		s.send(user, e, fmt.Sprintf("Authorization: Digest username=%q, realm=\"smsc.test\", nonce=%q, uri=\"sip:smsc.test\", response=%q, algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n", user, nonce, response))
	}
}

// register brings every user in, so many a second, and waits until all are.
func (c *crowd) register(t *testing.T, users []string, rate int) time.Duration {
	t.Helper()
	began := time.Now()
	for i, s := range c.sites { // who has registered is no stranger
		s.enrol(users[i])
	}
	again := func() (left int) {
		for _, s := range c.sites {
			left += s.again()
		}
		return left
	}
	eventually(t, "the first of each site is registered", func() bool { return again() == 0 })
	first, beat := time.Now(), time.NewTicker(20*time.Millisecond)
	defer beat.Stop()
	for i := len(c.sites); i < len(users); <-beat.C {
		for due := min(len(users), len(c.sites)+int(time.Since(first).Seconds()*float64(rate))); i < due; i++ {
			c.sites[i%len(c.sites)].enrol(users[i])
		}
		again()
	}
	eventually(t, "all users are registered", func() bool { return again() == 0 })
	return time.Since(began)
}

// submitRounds submits rounds of one message to each of the users, in order.
func submitRounds(t *testing.T, s *realServer, users []string, rounds int) {
	t.Helper()
	p, err := sip.NewPeer(sip.PeerConfig{Listen: "tcp:127.0.0.1:0", Remote: loopback(s.sip), Window: 256})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for round := range rounds {
		var wg sync.WaitGroup
		var refused atomic.Int64
		for _, user := range users {
			wg.Add(1)
			err := p.Send(context.Background(), sip.PeerMessage{From: "15559870001", To: user, Body: fmt.Append(nil, round)}, func(a sip.PeerAnswer) {
				if a.Status != 202 {
					refused.Add(1)
				}
				wg.Done()
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if wg.Wait(); refused.Load() > 0 {
			t.Fatalf("%d messages were not taken", refused.Load())
		}
	}
}

// TestInteropACrowdRegistersAndGetsWhatWaits lets users come back all within
// a minute: each gets all that waits for it, once and in order.
func TestInteropACrowdRegistersAndGetsWhatWaits(t *testing.T) {
	users, rounds, rate := 2_000, 4, 1_000
	if long() {
		users = 50_000
	}
	waited := users / 20 // of the users, each with rounds messages
	names := make([]string, users)
	var list strings.Builder
	for i := range names {
		names[i] = fmt.Sprintf("user%05d", i)
		fmt.Fprintf(&list, "      - {aor: %s, password: pw}\n", names[i])
	}
	s := newServer(t, "", "sip: {domain: smsc.test}\n")
	s.start(`links:
  - {name: peer, kind: sip, from: ["127.0.0.1/32"]}
  - name: users
    kind: sip-users
    users:
` + list.String())
	before := s.rss()
	submitRounds(t, s, names[users-waited:], rounds)
	eventually(t, "all wait", func() bool { return s.metric("smsc_attempts_total") >= float64(waited*rounds) })

	c := newCrowd(t, s.sip, 50)
	began, peak := time.Now(), s.rss()
	took := c.register(t, names, rate)
	eventually(t, "all that waited is there", func() bool {
		peak = max(peak, s.rss())
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.total >= waited*rounds
	})
	t.Logf("%d users registered in %s, %d messages were there after %s; memory %d MiB at start, %d MiB at most",
		users, took.Round(time.Millisecond), c.total, time.Since(began).Round(time.Millisecond), before>>10, peak>>10)
	if n := c.registered.Load(); n != int64(users) || s.metric("smsc_sip_registrations") != float64(users) {
		t.Errorf("%d are registered, the server counts %.0f", n, s.metric("smsc_sip_registrations"))
	}
	if took > time.Minute && long() {
		t.Errorf("it took more than a minute")
	}
	want := []string{"0", "1", "2", "3"}
	for _, user := range names[users-waited:] {
		if got := strings.Join(c.heard[user], " "); got != strings.Join(want[:rounds], " ") {
			t.Errorf("%s heard %q", user, got)
		}
	}
}
