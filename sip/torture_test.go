package sip

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// torments are the answers that RFC 4475 §3 wants of a user agent server that
// serves MESSAGE, OPTIONS and REGISTER: 0 is none. Where the RFC leaves a
// choice the comment says which one we made.
var torments = map[string]struct{ udp, tcp int }{
	// §3.1.1, valid.
	"wsinv": {405, 405}, "intmeth": {501, 501}, "esc01": {405, 405}, "escnull": {401, 401}, "esc02": {501, 501},
	"lwsdisp": {200, 200}, "longreq": {405, 405}, "dblreq": {401, 401}, "semiuri": {200, 200}, "transports": {200, 200},
	"mpart01": {202, 202}, "unreason": {0, 0}, "noreason": {0, 0},
	// §3.1.2, invalid. A stream waits for the octets that clerr promises.
	// The names of badaspec and baddn are read liberally, and so is baddate,
	// whose Date an INVITE never gets to.
	"badinv01": {400, 400}, "clerr": {400, 0}, "ncl": {400, 400}, "scalar02": {400, 400}, "scalarlg": {0, 0},
	"quotbal": {400, 400}, "ltgtruri": {400, 400}, "lwsruri": {400, 400}, "lwsstart": {400, 400}, "trws": {400, 400},
	"escruri": {400, 400}, "baddate": {405, 405}, "regbadct": {401, 401}, "badaspec": {200, 200}, "baddn": {200, 200},
	"badvers": {505, 505}, "mismatch01": {400, 400}, "mismatch02": {400, 400}, "bigcode": {0, 0},
	// §3.2 to §3.4. A REGISTER says who it is before To and Contact are looked
	// at; on a stream inv2543 lacks the length that alone ends it.
	"badbranch": {200, 200}, "insuf": {400, 400}, "unkscm": {416, 416}, "novelsc": {416, 416}, "unksm2": {401, 401},
	"bext01": {420, 420}, "invut": {405, 405}, "regaut01": {401, 401}, "multi01": {400, 400}, "mcl01": {400, 400},
	"bcast": {0, 0}, "zeromf": {200, 200}, "cparam01": {401, 401}, "cparam02": {401, 401}, "regescrt": {401, 401},
	"sdp01": {405, 405}, "inv2543": {405, 400},
}

// tormentors reads the messages as they are on the wire.
func tormentors(t testing.TB) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile("testdata/rfc4475.txtar")
	if err != nil {
		t.Fatal(err)
	}
	octets, repeated := regexp.MustCompile(`<hex>([0-9A-F]*)</hex>`), regexp.MustCompile(`<x(\d+)>(.*?)</x\d+>`)
	all := map[string][]byte{}
	for _, f := range txtar.Parse(data).Files {
		text := strings.ReplaceAll(string(f.Data), "\n", "\r\n")
		text = repeated.ReplaceAllStringFunc(text, func(s string) string {
			m := repeated.FindStringSubmatch(s)
			n, _ := strconv.Atoi(m[1])
			return strings.Repeat(m[2], n)
		})
		text = octets.ReplaceAllStringFunc(text, func(s string) string {
			b, err := hex.DecodeString(octets.FindStringSubmatch(s)[1])
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		})
		_, body, _ := strings.Cut(text, "\r\n\r\n")
		all[f.Name] = []byte(strings.Replace(text, "~LEN~", strconv.Itoa(len(body)), 1))
	}
	return all
}

// ear hears what a server answers, wherever it sends it.
type ear struct {
	mu    sync.Mutex
	heard map[string][]int // statuses by transport and CSeq number with method
}

func (e *ear) listen(s *Server) {
	e.heard = map[string][]int{}
	count := s.end.onAnswer
	s.end.onAnswer = func(x *exchange, status int) {
		count(x, status)
		e.mu.Lock()
		defer e.mu.Unlock()
		key := x.flow.transport.String() + " " + x.get("CSeq")
		e.heard[key] = append(e.heard[key], status)
	}
}

func TestTortureMessagesGetTheirAnswers(t *testing.T) {
	all := tormentors(t)
	if len(all) != 49 || len(all) != len(torments) {
		t.Fatalf("%d messages, %d answers", len(all), len(torments))
	}
	for name, raw := range all {
		t.Run(name, func(t *testing.T) {
			h := prepare(t, quick(), connect+"  - {name: users, kind: sip-users, users: [{aor: watson, password: p}]}\n", &shelf{})
			var e ear
			e.listen(h.Server)
			h.serve()
			dial(t, "udp", h.udp()).send(string(raw))
			stream := dial(t, "tcp", h.tcp())
			_, _ = stream.Write(raw)
			// Who comes after is served, on both.
			for _, network := range []string{"udp", "tcp"} {
				w := dial(t, network, map[string]string{"udp": h.udp(), "tcp": h.tcp()}[network])
				if a := w.answer(draft{method: "OPTIONS", kind: "-", cseq: "77 OPTIONS"}.String()); a.status != 200 {
					t.Errorf("then over %s: %d", network, a.status)
				}
			}
			want := torments[name]
			for transport, status := range map[string]int{"UDP": want.udp, "TCP": want.tcp} {
				e.expect(t, raw, transport, status)
			}
		})
	}
}

// expect waits for the one answer to a message, or shows that there is none.
func (e *ear) expect(t *testing.T, raw []byte, transport string, status int) {
	t.Helper()
	take := func() (all []int) {
		e.mu.Lock()
		defer e.mu.Unlock()
		for key, statuses := range e.heard {
			if by, cseq, _ := strings.Cut(key, " "); by == transport && cseq != "77 OPTIONS" {
				all = append(all, statuses...)
			}
		}
		return all
	}
	if status != 0 {
		eventually(t, "an answer over "+transport, func() bool { return len(take()) > 0 })
	}
	time.Sleep(20 * time.Millisecond) // for what should not be said
	want := []int{status}
	switch {
	case status == 0:
		want = nil
	case transport == "TCP" && bytes.Contains(raw, []byte("dblreq")): // on a stream the rest is a request of its own
		eventually(t, "the second answer", func() bool { return len(take()) == 2 })
		want = []int{401, 405}
	}
	got := take()
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("over %s: %v, want %v", transport, got, want)
	}
}
