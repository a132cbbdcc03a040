// Package web is the control panel: the pages an operator sees in a browser,
// as files inside the program. They speak the public REST API with the
// visitor's own key; there is no second way in.
//
// It refuses to know anything of messages, accounts or links, and to ask for a
// credential: what it serves is the same for everybody and holds no secret.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed panel
var files embed.FS

// Policy is the Content-Security-Policy of every answer: nothing from outside,
// no inline code or style, no frame around us (CSP Level 3 §6).
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Assets is the path below which the files of the panel lie. Every other path
// gives the page itself, which reads from the address what to show.
const Assets = "/assets/"

// shell is the page that every address of the panel gives.
const shell = "index.html"

// mediaTypes by extension: the table of the system may be missing or wrong,
// and a browser runs no module of another type.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one file as it is sent.
type file struct {
	plain, packed []byte
	mediaType     string
	tag           string // its ETag
}

// panel serves the files; it never changes.
type panel map[string]file

// Handler serves the panel for GET and HEAD: its files below [Assets], and the
// page for every other path. Its error is a fault of the build.
func Handler() (http.Handler, error) {
	p := panel{}
	err := fs.WalkDir(files, "panel", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := newFile(name, data)
		p[strings.TrimPrefix(name, "panel/")] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("panel: %w", err)
	}
	if _, ok := p[shell]; !ok {
		return nil, fmt.Errorf("panel: %s is missing", shell)
	}
	return p, nil
}

func newFile(name string, data []byte) (file, error) {
	f := file{plain: data, mediaType: mediaTypes[path.Ext(name)]}
	if f.mediaType == "" {
		return f, fmt.Errorf("%s: no media type is known for it", name)
	}
	sum := sha256.Sum256(data)
	f.tag = `"` + hex.EncodeToString(sum[:12]) + `"`
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return f, err
	}
	if _, err = z.Write(data); err == nil {
		err = z.Close()
	}
	f.packed = b.Bytes()
	return f, err
}

// ServeHTTP answers one request.
func (p panel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the panel is read only", http.StatusMethodNotAllowed)
		return
	}
	name, asset := strings.CutPrefix(r.URL.Path, Assets)
	if !asset {
		name = shell
	}
	f, ok := p[name]
	if !ok {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	f.serve(w, r)
}

// serve sends f, unless the browser has it: it asks each time, so a page is
// never made of files from two releases.
func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = f.packed
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // a browser that went away needs no answer
	}
}
