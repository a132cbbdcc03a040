package tenant

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// libraryTree is the tree that the library reads.
func libraryTree(data []byte) (*node, []Fault) {
	f := &faults{}
	return slowTree(data, f), f.list
}

func sameTree(t *testing.T, data []byte) bool {
	t.Helper()
	got := quickTree(data)
	if got == nil || !utf8.Valid(data) { // which nobody reads
		return false
	}
	want, faults := libraryTree(data)
	if len(faults) > 0 {
		t.Errorf("%q was read, and has faults: %v", data, faults)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(node{}, pair{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%q: library -, ours +\n%s", data, diff)
	}
	return true
}

var plainDocuments = map[string]string{
	"blocks within blocks":        "links:\n  - name: a\n    kind: esme\n    from: [10.0.0.0/8, \"::1\"]\n\n  - name: b # who\n    users:\n      - {aor: x, password: 'p w'}\n# end\n",
	"a list at its key's column":  "routes:\n- dest_smsc: a\n  priority: 5\n- {dest_smsc: b}\nnumbers: []\n",
	"empty collections":           "accounts: []\nlinks: {}\n",
	"a key without a value":       "accounts:\nlinks:\n  - name: a\n    from:\n    kind: poll\n",
	"words and numbers":           "a: 30s\nb: -5\nc: 0x10\nd: 1e3\ne: 1.5\nf: true\ng: False\nh: yes\ni: 007\nj: .5\nk: +44\nl: nan\nm: .nan\nn: 12345678901234567890123\no: 1_000\np: inf\n",
	"escapes":                     `a: "x\"y\\z\n\x41\u00e9\U0001F600 é"` + "\nb: 'single'\nc: \"\"\nd: ''\n",
	"text with spaces":            "description: it's fine, and (nearly) done! 100% \nurl: http://example.com:80/a?b=c&d#e # there\n",
	"JSON in one line":            `{"accounts":[{"name":"a","senders":["ACME","+44*"]}],"routes":[{"weight":0,"enabled":false,"x":{}}]}`,
	"JSON in many lines":          "{\n  \"accounts\": [\n    {\n      \"name\": \"a\",\n      \"binds\": 5\n    }\n  ],\n  \"links\": []\n}\n",
	"comments and an empty first": "# head\n\n  # more\nlinks:\n  # of them\n  - {name: a, kind: poll} # x\n",
}

func TestPlainDocumentsAreReadAsTheLibraryReadsThem(t *testing.T) {
	for name, doc := range plainDocuments {
		t.Run(name, func(t *testing.T) {
			if !sameTree(t, []byte(doc)) {
				t.Error("was left to the library")
			}
		})
	}
	files, _ := filepath.Glob("../testdata/config/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(filepath.Base(file), sameTree(t, data))
	}
}

func TestWhatIsNotPlainIsLeftToTheLibrary(t *testing.T) {
	for _, doc := range []string{
		"", "a: &x 1\nb: *x\n", "a: |\n  x\n", "a: >-\n  x\n", "---\na: 1\n", "? a\n: b\n", "a: !t b\n", "a:\tb\n", "a: b\r\n", "a: 1\na: 2\n",
		"a: b: c\n", "a: x\n  y\n", "{a: 1,}", "{a: }", "[a, b: c]", "a: ~\n", "a: null\n", "- \n", "a: 'it''s'\n", "a: \"x\n  y\"\n", "a: [1,\n 2]\n",
		"<<: {a: b}\n", "a: 1\n b: 2\n", "a:\n    b: 1\n  c: 2\n", "a: 1\n...\n", "1: 2\n", "a: %x\n", "a: {b: c}d\n", strings.Repeat("[", 40),
	} {
		if sameTree(t, []byte(doc)) {
			t.Errorf("%q was read", doc)
		}
	}
}

func TestWhatAnExportWritesIsPlain(t *testing.T) {
	doc, bad := ParseDocument("", []byte(small))
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	if !sameTree(t, doc.YAML(true)) {
		t.Error("an export is left to the library")
	}
}

func FuzzQuick(f *testing.F) {
	for _, doc := range plainDocuments {
		f.Add([]byte(doc))
	}
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<12 {
			sameTree(t, data)
		}
	})
}

// many is a document of n links, users and routes.
func many(n int) []byte {
	var b strings.Builder
	b.WriteString("links:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {name: link%05d, kind: esme, system_id: s%05d, password: pw}\n", i, i)
	}
	b.WriteString("  - name: crowd\n    kind: sip-users\n    users:\n")
	for i := range n {
		fmt.Fprintf(&b, "      - {aor: user%06d, password: pw}\n", i)
	}
	b.WriteString("routes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {called_prefix: \"1555%06d\", dest_smsc: link%05d}\n", i, i)
	}
	return []byte(b.String())
}

func BenchmarkTree(b *testing.B) {
	data := many(1000)
	for name, read := range map[string]func(){
		"quick":   func() { quickTree(data) },
		"library": func() { libraryTree(data) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for range b.N {
				read()
			}
		})
	}
}

func BenchmarkParseDocument(b *testing.B) {
	data := many(10_000)
	b.ReportAllocs()
	for range b.N {
		if _, bad := ParseDocument("", data); len(bad) > 0 {
			b.Fatal(bad)
		}
	}
}

func TestSpoiltDocumentsAreReadAsTheLibraryReadsThemOrNotAtAll(t *testing.T) {
	rounds := 3_000
	if os.Getenv("SMSC_LONG") != "" {
		rounds = 300_000
	}
	random := rand.New(rand.NewPCG(1, 2))
	signs := []string{" ", "  ", "\n", "\n  ", ":", ": ", "- ", "-", "{", "}", "[", "]", ",", "\"", "'", "#", " #", "a", "b: c", "1", "&", "*", "|", ">", "?", "\\", "null", "~", "."}
	var docs []string
	for _, name := range slices.Sorted(maps.Keys(plainDocuments)) {
		docs = append(docs, plainDocuments[name])
	}
	docs = append(docs, small)
	read := 0
	for range rounds {
		doc := docs[random.IntN(len(docs))]
		if len(doc) > 300 {
			from := random.IntN(len(doc) - 200)
			from += strings.IndexByte(doc[from:]+"\n", '\n')
			doc = doc[min(from, len(doc)):min(from+200, len(doc))]
		}
		for range 1 + random.IntN(3) {
			at := random.IntN(len(doc) + 1)
			cut := min(len(doc), at+random.IntN(3))
			doc = doc[:at] + signs[random.IntN(len(signs))] + doc[cut:]
		}
		if sameTree(t, []byte(doc)) {
			read++
		}
	}
	t.Log(read, "of", rounds, "were read")
}
