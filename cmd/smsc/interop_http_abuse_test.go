package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// httpAbuse is what strangers with a key do to the HTTP port.
type httpAbuse struct {
	t      *testing.T
	s      *realServer
	client *http.Client
	mu     sync.Mutex
	told   map[int]int // answers by status
	bad    []string    // answers that may not be
}

// abusedPaths take bodies: JSON, forms, YAML.
var abusedPaths = []struct{ method, path, kind string }{
	{"POST", "/api/messages", "application/json"}, {"POST", "/api/messages/bulk", "application/json"}, {"POST", "/api/messages/preview", "application/json"},
	{"POST", "/api/messages/actions", "application/json"}, {"PATCH", "/api/messages/1", "application/json"}, {"POST", "/api/frontends", "application/json"},
	{"POST", "/api/locations", "application/json"}, {"POST", "/api/ss7_events", "application/json"}, {"POST", "/api/mms_message_queues", "application/json"},
	{"POST", "/api/webhooks/replay", "application/json"}, {"POST", "/api/accounts", "application/json"}, {"POST", "/api/links", "application/json"},
	{"POST", "/api/routes", "application/json"}, {"POST", "/api/rules", "application/json"}, {"POST", "/api/numbers", "application/json"},
	{"POST", "/api/routes/simulate", "application/json"}, {"PUT", "/api/provision?dry_run=true", "application/yaml"},
	{"POST", "/restcomm/2012-04-24/Accounts/operator/SMS/Messages.json", "application/x-www-form-urlencoded"},
	{"POST", "/restcomm/2012-04-24/Accounts/operator/Clients", "application/x-www-form-urlencoded"},
	{"POST", "/sendsms/send", "application/x-www-form-urlencoded"}, {"GET", "/api/messages", ""}, {"GET", "/api/events", ""}, {"GET", "/sendsms/send", ""},
}

// abuseBodies are where nonsense begins.
var abuseBodies = []string{
	`{"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","message_body":"Hello","source_smsc":"web-app","dest_smsc":"app"}`,
	`{"messages":[{"source_msisdn":"1","destination_msisdn":"2","message_body":"x","source_smsc":"w"}]}`, `{"name":"x","kind":"webhook","url":"http://x/"}`,
	`{"frontend_name":"a","frontend_type":"b","configuration":{"a":[1,2,{"b":null}]}}`, "From=%2B1654&To=%2B44&Body=x&X-A=b", "links:\n  - {name: a, kind: poll}\n",
	`{"action":"cancel","filter":{"to":"nobody"}}`, `{"msisdn":"1","location":"app","event_name":"alert_sc"}`,
}

// nonsense spoils a body.
func nonsense(r *rand.Rand) string {
	b := []byte(abuseBodies[r.IntN(len(abuseBodies))])
	switch r.IntN(8) {
	case 0: // octets anywhere
		for range 1 + r.IntN(6) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
	case 1: // cut short
		b = b[:r.IntN(len(b))]
	case 2: // too deep
		b = []byte(strings.Repeat(`{"a":[`, 20+r.IntN(2000)))
	case 3: // absurd numbers and types
		b = bytes.ReplaceAll(b, []byte(`"x"`), []byte([]string{"1e999", "-0", "18446744073709551616", "[]", "{}", "null", "true", `"\ud800"`}[r.IntN(8)]))
	case 4: // noise
		b = make([]byte, r.IntN(4096))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	case 5: // the same member over and over
		b = append(bytes.Repeat([]byte(`{"message_body":"`), 1), bytes.Repeat([]byte(`","message_body":"`), r.IntN(3000))...)
	case 6: // bad percent-encoding, endless keys
		b = []byte(strings.Repeat("%zz&a=", r.IntN(500)))
	}
	return string(b)
}

// ask sends one spoilt request.
func (a *httpAbuse) ask(r *rand.Rand) {
	p := abusedPaths[r.IntN(len(abusedPaths))]
	path, body := p.path, ""
	if p.kind == "" {
		path += "?" + []string{"limit=-1", "limit=99999999999999999999", "lease=1h&wait=x", "since=yesterday", "types=[", "account=%00", "text=%ff%fe", "after=x", "status=none",
			"order=" + strings.Repeat("a", r.IntN(4000)), "from=1&to=2&body=%zz"}[r.IntN(11)]
		if p.path == "/api/events" {
			path = p.path + "?types=[" // anything less wrong opens a stream
		}
	} else {
		body = nonsense(r)
	}
	req, err := http.NewRequest(p.method, a.s.api().base+path, strings.NewReader(body))
	if err != nil {
		return // not even a request
	}
	req.Header.Set("X-API-Key", testKey)
	req.Header.Set("Content-Type", []string{p.kind, p.kind, p.kind, "text/plain", "application/json; charset=x", strings.Repeat("a", 100)}[r.IntN(6)])
	switch r.IntN(10) {
	case 0:
		req.Header.Set("Idempotency-Key", strings.Repeat("k", r.IntN(300)))
	case 1:
		req.Header.Set("X-Request-Id", strings.Repeat("\"<", r.IntN(100)))
	case 2:
		req.Header.Set("Prefer", "handling=strict")
	case 3:
		req.Header.Set("If-Match", `"`+strings.Repeat("9", r.IntN(100)))
	case 4:
		req.Header.Set("Authorization", "Basic "+strings.Repeat("=", r.IntN(50)))
	case 5:
		req.Header.Set("SMSc", strings.Repeat("q", r.IntN(200)))
	case 6:
		req.Header.Set("Last-Event-ID", "-1")
	}
	a.judge(a.client.Do(req))
}

// judge notes an answer: a refusal says why, and nothing is our fault.
func (a *httpAbuse) judge(resp *http.Response, err error) {
	if err != nil {
		return // cut off is an answer as well
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[resp.StatusCode]++
	switch {
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented:
		a.bad = append(a.bad, fmt.Sprintf("%s %s: %d %s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, body))
	case resp.StatusCode >= 400 && !bytes.Contains(body, []byte(`"detail"`)) && !bytes.Contains(body, []byte("essage")):
		a.bad = append(a.bad, fmt.Sprintf("%s %s: %d without a reason: %q", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, body))
	}
}

// storm sends n spoilt requests from 20 connections at once.
func (a *httpAbuse) storm(n int) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(i)))
			for range n / 20 {
				a.ask(r)
			}
		})
	}
	all.Wait()
}

// endless sends a body of 64 MiB to a path that takes 1 MiB.
func (a *httpAbuse) endless(path string) {
	req, err := http.NewRequest(http.MethodPost, a.s.api().base+path, io.LimitReader(zeros{}, 64<<20))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("X-API-Key", testKey)
	req.Header.Set("Content-Type", "application/json")
	a.judge(a.client.Do(req))
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// slow opens connections that send one octet now and then, half of them in
// the head of a request and half in its body, until stop; it counts those
// that the server has cut off.
func slow(t *testing.T, s *realServer, n int, stop <-chan struct{}) (cut *atomic.Int64) {
	cut = &atomic.Int64{}
	head := "POST /api/messages HTTP/1.1\r\nHost: x\r\nX-API-Key: " + testKey + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
	for i := range n {
		conn, err := net.DialTimeout("tcp", loopback(s.http), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			fmt.Fprint(conn, head+"\r\n{")
		} else {
			fmt.Fprint(conn, head)
		}
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			cut.Add(1)
		}()
		go func() {
			defer conn.Close()
			for tick := time.NewTicker(500 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-tick.C:
					if _, err := conn.Write([]byte("X")); err != nil {
						return
					}
				}
			}
		}()
	}
	return cut
}

func TestInteropNonsenseOverHTTPIsRefusedAndHarmsNobody(t *testing.T) {
	s := newServer(t, "", "")
	s.start("links: [{name: app, kind: poll}]\n")
	a := &httpAbuse{t: t, s: s, client: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}, told: map[int]int{}}
	a.storm(1000) // buffers and pools reach their size
	before := s.rss()
	stop := make(chan struct{})
	cut := slow(t, s, 400, stop)
	began := time.Now()
	a.storm(3000)
	for range 4 {
		a.endless("/api/messages")
		a.endless("/restcomm/2012-04-24/Accounts/operator/SMS/Messages")
	}
	// The neighbour goes on while all of it lasts.
	id, err := post(t.Context(), s.api(), map[string]any{"source_msisdn": "acme", "destination_msisdn": "447700900123", "message_body": "neighbour", "source_smsc": "web", "dest_smsc": "app"})
	if err != nil || id == 0 {
		t.Errorf("the neighbour: %v", err)
	}
	// A head has 5 s, whatever trickles in.
	eventually(t, "slow heads are cut off", func() bool { return cut.Load() >= 200 })
	took := time.Since(began)
	close(stop)
	after := s.rss()
	t.Logf("answers %v; RSS %d KiB before, %d KiB after; slow heads cut off within %s", a.told, before, after, took.Round(time.Millisecond))
	for _, bad := range a.bad[:min(len(a.bad), 10)] {
		t.Error(bad)
	}
	if a.told[413] == 0 || a.told[415] == 0 || a.told[400] == 0 || a.told[422] == 0 {
		t.Errorf("some abuse did not reach the server: %v", a.told)
	}
	if after > before+64<<10 {
		t.Errorf("memory grew from %d KiB to %d KiB", before, after)
	}
}
