package web

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func handler(t *testing.T) http.Handler {
	t.Helper()
	h, err := Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(t *testing.T, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler(t).ServeHTTP(w, r)
	return w.Result()
}

func TestEveryAddressThatIsNoFileGivesThePage(t *testing.T) {
	for _, target := range []string{"/", "/messages", "/messages/123?status=failed", "/links/a%2Fb", "/no/such/page"} {
		reply := ask(t, "GET", target)
		body, _ := io.ReadAll(reply.Body)
		if reply.StatusCode != 200 || !strings.Contains(string(body), `<div id="app">`) {
			t.Errorf("%s: %d %.60q", target, reply.StatusCode, body)
		}
		if got := reply.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: %s", target, got)
		}
	}
}

func TestFilesHaveTheirTypeAndUnknownOnesAreNotThere(t *testing.T) {
	for target, want := range map[string]string{
		"/assets/app.js":         "text/javascript; charset=utf-8",
		"/assets/pages/links.js": "text/javascript; charset=utf-8",
		"/assets/panel.css":      "text/css; charset=utf-8",
		"/assets/icon.svg":       "image/svg+xml",
	} {
		reply := ask(t, "GET", target)
		if reply.StatusCode != 200 || reply.Header.Get("Content-Type") != want {
			t.Errorf("%s: %d %s", target, reply.StatusCode, reply.Header.Get("Content-Type"))
		}
	}
	for _, target := range []string{"/assets/", "/assets/nothing.js", "/assets/../web.go", "/assets/pages"} {
		if reply := ask(t, "GET", target); reply.StatusCode != 404 {
			t.Errorf("%s: %d", target, reply.StatusCode)
		}
	}
}

func TestEveryAnswerCarriesTheStrictPolicy(t *testing.T) {
	for _, target := range []string{"/", "/assets/app.js", "/assets/nothing"} {
		h := ask(t, "GET", target).Header
		if h.Get("Content-Security-Policy") != Policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", target, h)
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if reply := ask(t, method, "/"); reply.StatusCode != 405 || reply.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, reply.StatusCode)
		}
	}
	reply := ask(t, "HEAD", "/assets/app.js")
	if body, _ := io.ReadAll(reply.Body); reply.StatusCode != 200 || len(body) != 0 || reply.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %d, %d octets", reply.StatusCode, len(body))
	}
}

func TestABrowserThatHasTheFileIsToldSo(t *testing.T) {
	tag := ask(t, "GET", "/assets/app.js").Header.Get("ETag")
	if reply := ask(t, "GET", "/assets/app.js", "If-None-Match", tag); reply.StatusCode != 304 {
		t.Errorf("%s: %d", tag, reply.StatusCode)
	}
	if reply := ask(t, "GET", "/assets/app.js", "If-None-Match", `"other"`); reply.StatusCode != 200 {
		t.Errorf("another tag: %d", reply.StatusCode)
	}
}

func TestPackedAndPlainAreTheSame(t *testing.T) {
	plain, _ := io.ReadAll(ask(t, "GET", "/assets/panel.css").Body)
	reply := ask(t, "GET", "/assets/panel.css", "Accept-Encoding", "br, gzip")
	if reply.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not packed")
	}
	z, err := gzip.NewReader(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	if packed, err := io.ReadAll(z); err != nil || string(packed) != string(plain) {
		t.Errorf("%d and %d octets, %v", len(packed), len(plain), err)
	}
}

// sources calls f with every file of the panel.
func sources(t *testing.T, f func(name, text string)) {
	t.Helper()
	err := fs.WalkDir(files, "panel", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		f(name, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestThePanelStaysSmall(t *testing.T) {
	total := 0
	sources(t, func(_, text string) { total += len(text) })
	if total > 400<<10 {
		t.Errorf("%d octets, more than 400 KiB", total)
	}
}

// What the policy would block, or what would let a stranger's text become
// markup, is not written at all.
func TestNoFileNamesAnotherHostOrWritesMarkup(t *testing.T) {
	bad := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z]{2,}|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\bstyle="|\son\w+="`)
	sources(t, func(name, text string) {
		text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "")
		for _, hit := range bad.FindAllString(text, -1) {
			t.Errorf("%s: %s", name, hit)
		}
	})
}

func TestEveryImportIsAFileOfOurs(t *testing.T) {
	known := map[string]bool{}
	sources(t, func(name, _ string) { known[name] = true })
	imports := regexp.MustCompile(`(?m)^import .*?"([^"]+)";$`)
	pages := regexp.MustCompile(`(?m)^  \["(\w+)", "/`)
	sources(t, func(name, text string) {
		if path.Ext(name) != ".js" {
			return
		}
		for _, m := range imports.FindAllStringSubmatch(text, -1) {
			if !known[path.Join(path.Dir(name), m[1])] {
				t.Errorf("%s imports %s", name, m[1])
			}
		}
		if name != "panel/app.js" {
			return
		}
		for _, m := range pages.FindAllStringSubmatch(text, -1) {
			if !known["panel/pages/"+m[1]+".js"] {
				t.Errorf("page %s has no file", m[1])
			}
		}
	})
}
