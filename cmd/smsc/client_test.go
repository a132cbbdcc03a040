package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answers is a server that knows one answer for each "METHOD path" and keeps
// what it was asked.
type answers struct {
	t     *testing.T
	known map[string]canned
	asked []*http.Request
	sent  []string
}

type canned struct {
	status int
	body   string
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.asked, a.sent = append(a.asked, r), append(a.sent, string(body))
	c, ok := a.known[r.Method+" "+r.URL.Path]
	if !ok {
		c = canned{http.StatusNotFound, `{"status":404,"code":"not_found","detail":"no such thing"}`}
	}
	w.WriteHeader(c.status)
	io.WriteString(w, c.body)
}

// ask runs the program against a server with these answers.
func ask(t *testing.T, known map[string]canned, args ...string) (code int, out, errs string, a *answers) {
	t.Helper()
	a = &answers{t: t, known: known}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	var stdout, stderr bytes.Buffer
	code = run(append(args, "--server", srv.URL, "--key", "k-123"), &stdout, &stderr)
	return code, stdout.String(), stderr.String(), a
}

const oneRow = `[{"id":890210734080,"source_msisdn":"+1555","destination_msisdn":"+4477","message_body":"Hi\nthere","dest_smsc":"carrier1","status":"failed","parts":1,"delivery_attempts":2,"inserted_at":"2026-11-21T10:30:00Z","link":"carrier1","cause":"absent"}]`

func TestClientCommandsPrintTablesAndPassJSONThrough(t *testing.T) {
	for _, c := range []struct {
		name  string
		known map[string]canned
		args  []string
		code  int
		want  []string
	}{
		{"messages list shows one row a message, control characters made harmless",
			map[string]canned{"GET /api/messages": {200, oneRow}},
			[]string{"messages", "list"}, 0, []string{"890210734080  failed", "carrier1", "absent", "Hi there"}},
		{"messages list --json keeps the order of the keys",
			map[string]canned{"GET /api/messages": {200, `[{"z":1,"a":2}]`}},
			[]string{"messages", "list", "--json"}, 0, []string{"\"z\": 1,\n    \"a\": 2"}},
		{"messages show prints a field a line, null as a dash",
			map[string]canned{"GET /api/messages/7": {200, `{"id":7,"cause":null,"remote_ids":["a"]}`}},
			[]string{"messages", "show", "7"}, 0, []string{"id          7\n", "cause       -\n", `remote_ids  ["a"]`}},
		{"messages trace prints the hops",
			map[string]canned{"GET /api/messages/7/trace": {200, `{"id":7,"steps":[{"at":"2026-11-21T10:30:00.012Z","step":"attempt","link":"carrier1","summary":"submit_sm seq 17","after_ms":3}]}`}},
			[]string{"messages", "trace", "7"}, 0, []string{"3 ms", "attempt", "submit_sm seq 17"}},
		{"messages cancel says how the message stands",
			map[string]canned{"POST /api/messages/7/cancel": {200, `{"id":7,"status":"cancelled"}`}},
			[]string{"messages", "cancel", "7"}, 0, []string{"message 7: cancelled\n"}},
		{"links shows the state",
			map[string]canned{"GET /api/links": {200, `[{"name":"carrier1","kind":"carrier","account":"operator","state":{"status":"up","sessions":1,"window":{"used":12,"size":100},"queue":{"waiting":40}}}]`}},
			[]string{"links"}, 0, []string{"carrier1  carrier  operator  up", "12/100", "40"}},
		{"routes list says where each leads",
			map[string]canned{"GET /api/routes": {200, `[{"id":3,"account":"operator","called_prefix":"44","dest_smsc":"c1","priority":100,"weight":100,"enabled":true},{"id":4,"drop":true,"enabled":true},{"id":5,"dest_smsc":"c2"}]`}},
			[]string{"routes", "list"}, 0, []string{"44", "c1", "(drop)", "(disabled) c2"}},
		{"routes explain prints plan and reasons",
			map[string]canned{"GET /api/routes/explain": {200, `{"message":{"from":"acme","to":"+4477","account":"operator"},"outcome":"forward","plan":[{"route":7,"dest_smsc":"carrier1","share":1}],"considered":[{"route":7,"verdict":"chosen","why":"called prefix 44"}]}`}},
			[]string{"routes", "explain", "--from", "acme", "--to", "4477"}, 0, []string{"forward", "1. carrier1 (route 7, share 100 %)", "route 7", "called prefix 44"}},
		{"routes explain fails where there is no way",
			map[string]canned{"GET /api/routes/explain": {200, `{"message":{},"outcome":"no_route"}`}},
			[]string{"routes", "explain", "--from", "acme", "--to", "1"}, 1, []string{"no_route"}},
		{"export prints the document as it is",
			map[string]canned{"GET /api/provision": {200, "links: []\n"}},
			[]string{"export"}, 0, []string{"links: []\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs, a := ask(t, c.known, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d; %s", code, c.code, errs)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
			for _, r := range a.asked {
				if r.Header.Get("X-API-Key") != "k-123" {
					t.Errorf("%s without the key", r.URL)
				}
			}
		})
	}
}

func TestListPassesItsFiltersOn(t *testing.T) {
	_, _, _, a := ask(t, map[string]canned{"GET /api/messages": {200, `[]`}},
		"messages", "list", "--status", "failed,expired", "--to", "+4477*", "--limit", "5", "--oldest", "--account", "acme")
	q := a.asked[0].URL.Query()
	for name, want := range map[string]string{"status": "failed,expired", "to": "+4477*", "limit": "5", "order": "asc", "account": "acme", "subaccounts": "false", "view": "full"} {
		if q.Get(name) != want {
			t.Errorf("%s=%q, want %q", name, q.Get(name), want)
		}
	}
}

func TestApplySendsTheDocumentAndSaysWhatChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "provision.yaml")
	if err := os.WriteFile(file, []byte("links: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	known := map[string]canned{"PUT /api/provision": {200, `{"revision":42,"changed":{"links":{"added":["c1"],"changed":[],"removed":["c2"]},"routes":{"added":[12]}},"warnings":["link c1 will rebind"]}`}}
	code, out, errs, a := ask(t, known, "apply", "-f", file)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{"links added: c1", "links removed: c2", "routes added: 12", "warning: link c1 will rebind", "revision 42"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if a.sent[0] != "links: []\n" || a.asked[0].Header.Get("Content-Type") != yamlType {
		t.Errorf("sent %q as %q", a.sent[0], a.asked[0].Header.Get("Content-Type"))
	}
	if _, _, _, a = ask(t, known, "apply", "--dry-run", "-f", file); a.asked[0].URL.Query().Get("dry_run") != "true" {
		t.Error("--dry-run was not passed on")
	}
}

func TestApplyPrintsEveryFaultWithItsLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(file, []byte("routes: [{}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs, _ := ask(t, map[string]canned{"PUT /api/provision": {422, `{"status":422,"code":"unfit","errors":[{"location":"routes[0].dest_smsc","message":"no link x","line":3},{"message":"other"}]}`}}, "apply", "-f", file)
	if code != 1 || !strings.Contains(out, file+":3: routes[0].dest_smsc: no link x\n") || !strings.Contains(out, file+": other\n") || !strings.Contains(errs, "2 faults") {
		t.Errorf("code %d\n%s%s", code, out, errs)
	}
}

func TestErrorsSayWhatWhereAndWhatToDo(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"links", "--server", "http://127.0.0.1:1"}, &out, &errs); code != 1 {
		t.Errorf("unreachable server: exit code %d, want 1", code)
	}
	for _, want := range []string{"http://127.0.0.1:1", "--server", "smsc serve"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("unreachable server: %q lacks %q", errs.String(), want)
		}
	}
	errs.Reset()
	if code := run([]string{"links", "--server", "nonsense"}, &out, &errs); code != 2 {
		t.Errorf("bad URL: exit code %d, want 2", code)
	}
	code, _, text, _ := ask(t, map[string]canned{"GET /api/links": {401, `{"status":401,"code":"unauthorized","detail":"no credential"}`}}, "links")
	if code != 1 || !strings.Contains(text, "--key") || !strings.Contains(text, "operator.key") {
		t.Errorf("401: code %d, %q", code, text)
	}
	code, _, text, _ = ask(t, map[string]canned{"GET /api/links": {502, "<html>\nBad Gateway"}}, "links")
	if code != 1 || !strings.Contains(text, "502: <html>") {
		t.Errorf("an answer that is no problem document: code %d, %q", code, text)
	}
}

func TestNameAndTokenGoAsHTTPBasic(t *testing.T) {
	a := &api{key: "acme:s3cret"}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	a.sign(r)
	if user, token, ok := r.BasicAuth(); !ok || user != "acme" || token != "s3cret" || r.Header.Get("X-API-Key") != "" {
		t.Errorf("got %v", r.Header)
	}
}
