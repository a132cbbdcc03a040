package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

var updateTranscripts = flag.Bool("update-transcripts", false, "write what the house answers into the transcripts")

// A transcript is a text archive of provision.yaml and the exchanges with a
// house that was started with it:
//
//	> POST /api/messages          a request: line, headers, a blank line, body
//	< 201                         what is answered: status, headers, body
//	* POST /sms                   what the house asks a URL, $HOOK in the document
//
// Names like ID1, SM1, TIME stand for values that differ from run to run; the
// numbered ones are put back where a request names them. ">~" asks again
// until the answer is the recorded one.
type transcript struct {
	t     *testing.T
	house *house
	hook  chan posted
	text  string // of the archive: what stands there literally is never masked
	loose bool   // answers may have members that the transcript does not
	names map[string]string
	count map[string]int
}

// transcriptHeaders are the headers of an answer that a transcript tells.
var transcriptHeaders = []string{"Content-Type", "Location", "Link", "Etag", "X-Total-Count", "Retry-After", "Www-Authenticate", "Allow", "Idempotent-Replayed", "Webhook-Replay"}

func TestEveryExampleIsAnsweredAsRecorded(t *testing.T) {
	files, err := filepath.Glob("../../restapi/testdata/transcripts/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			url, hook, _ := urlServer(t)
			document := strings.ReplaceAll(string(a.Files[0].Data), "$HOOK", url)
			h := testHouse(t, t.TempDir(), document)
			s := &transcript{t: t, house: h, hook: hook, text: string(txtar.Format(a)), loose: strings.Contains(string(a.Comment), "further members"), names: map[string]string{url: "$HOOK", h.url(): "$HOUSE"}, count: map[string]int{}}
			got := s.play(string(a.Files[1].Data))
			if *updateTranscripts {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// play runs the blocks of a transcript, one after another, and returns it as
// it happened.
func (s *transcript) play(text string) string {
	var out []string
	blocks := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, block := range blocks {
		if !strings.HasPrefix(block, ">") {
			if !strings.HasPrefix(block, "<") && !strings.HasPrefix(block, "*") {
				out = append(out, block) // a remark
			}
			continue
		}
		again := strings.HasPrefix(block, ">~")
		want := ""
		if i+1 < len(blocks) && strings.HasPrefix(blocks[i+1], "<") {
			want = blocks[i+1]
		}
		out = append(out, block, s.answer(block, want, again))
		asked := blocks[min(i+2, len(blocks)):]
		n := 0
		for n < len(asked) && strings.HasPrefix(asked[n], "*") {
			n++
		}
		out = append(out, s.asked(asked[:n])...)
	}
	return strings.Join(out, "\n\n") + "\n"
}

// answer makes a request and compares what comes back with want.
func (s *transcript) answer(block, want string, again bool) (got string) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		names, count := maps.Clone(s.names), maps.Clone(s.count)
		if again && *updateTranscripts {
			time.Sleep(time.Second)
		}
		got = s.exchange(unmark(block, ">"), want)
		if got == want || *updateTranscripts || s.loose && covers(got, want) {
			return got
		}
		if !again || time.Now().After(end) {
			s.t.Errorf("%s\nis answered\n%s\nwant\n%s", block, got, want)
			return got
		}
		s.names, s.count = names, count
	}
}

// unmark takes the mark from the lines of a block.
func unmark(block, mark string) []string {
	lines := strings.Split(block, "\n")
	for i, l := range lines {
		l = strings.TrimPrefix(strings.TrimPrefix(l, mark), "~")
		lines[i] = strings.TrimPrefix(l, " ")
	}
	return lines
}

func (s *transcript) exchange(lines []string, want string) string {
	for value, name := range s.names {
		for i := range lines {
			lines[i] = regexp.MustCompile(regexp.QuoteMeta(name)+`\b`).ReplaceAllLiteralString(lines[i], value)
		}
	}
	head, body := lines, ""
	if i := slices.Index(lines, ""); i >= 0 {
		head, body = lines[:i], strings.Join(lines[i+1:], "\n")
	}
	method, path, _ := strings.Cut(head[0], " ")
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.house.url()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range head[1:] {
		name, v, _ := strings.Cut(h, ": ")
		if name == "Basic" {
			user, secret, _ := strings.Cut(v, ":")
			req.SetBasicAuth(user, secret)
			continue
		}
		req.Header.Set(name, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer []byte
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		answer = readStream(resp.Body, strings.Count(want, "event: "))
	} else if answer, err = io.ReadAll(resp.Body); err != nil {
		s.t.Fatal(err)
	}
	out := []string{fmt.Sprint(resp.StatusCode)}
	for _, name := range transcriptHeaders {
		if v := resp.Header.Get(name); v != "" {
			out = append(out, name+": "+v)
		}
	}
	if len(answer) > 0 {
		out = append(out, "", strings.TrimRight(string(answer), "\n"))
	}
	return s.marked("<", out)
}

// readStream reads n events, or what comes within a second while a transcript
// is made.
func readStream(r io.ReadCloser, n int) []byte {
	limit := patience
	if n == 0 || *updateTranscripts {
		n, limit = 1000, time.Second
	}
	defer time.AfterFunc(limit, func() { r.Close() }).Stop()
	var all []byte
	buffer := make([]byte, 4096)
	for strings.Count(string(all), "event: ") < n || !strings.HasSuffix(string(all), "\n\n") {
		k, err := r.Read(buffer)
		if all = append(all, buffer[:k]...); err != nil {
			break
		}
	}
	return all
}

// asked takes the next requests to URLs and compares them; between different
// URLs there is no order.
func (s *transcript) asked(want []string) []string {
	s.t.Helper()
	var got []string
	for range want {
		p := next(s.t, s.hook)
		out := []string{"POST " + p.path}
		for _, name := range transcriptHeaders {
			if v := p.head.Get(name); v != "" {
				out = append(out, name+": "+v)
			}
		}
		got = append(got, s.marked("*", append(out, "", strings.ReplaceAll(p.body, "&", "\n&"))))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) && !*updateTranscripts {
		s.t.Errorf("URLs are asked\n%s\nwant\n%s", strings.Join(got, "\n\n"), strings.Join(want, "\n\n"))
	}
	return got
}

// marked masks what differs from run to run and marks the lines.
func (s *transcript) marked(mark string, lines []string) string {
	lines = strings.Split(s.masked(strings.Join(lines, "\n")), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(mark+" "+l, " ")
	}
	return strings.Join(lines, "\n")
}
