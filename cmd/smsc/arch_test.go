package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// law is who may import whom (docs/architecture.md §2). A package without a
// row, and any arrow that is not here, fails the test.
var law = map[string]room{
	"message":           {floor: 1, plain: true},
	"web":               {floor: 1, plain: true},
	"translate":         {floor: 2, may: []string{"message"}, pure: true, outside: []string{"github.com/warthog618/sms"}},
	"routing":           {floor: 2, may: []string{"message"}, pure: true, outside: []string{"github.com/expr-lang/expr"}},
	"charging":          {floor: 2, may: []string{"message"}, pure: true},
	"charging/postgres": {floor: 3, may: []string{"charging"}},
	"charging/cgrates":  {floor: 4, may: []string{"message", "charging"}},
	"charging/ro":       {floor: 4, may: []string{"message", "charging"}},

	"charging/cgrates/enginetest": {floor: 3, test: true},

	"store":                    {floor: 2, may: []string{"message"}},
	"capture":                  {floor: 2, may: []string{"message"}},
	"charging/postgres/pgtest": {floor: 3, test: true},
	"tenant":                   {floor: 3, may: []string{"message", "routing"}},
	"delivery":                 {floor: 3, may: []string{"message", "routing"}},
	"delivery/queuetest":       {floor: 3, may: []string{"message", "delivery"}, test: true},
	"intake":                   {floor: 4, may: []string{"message", "translate", "routing", "tenant", "charging"}},
	"sip":                      {floor: 4, may: []string{"message", "capture", "translate", "tenant"}},
	"smpp":                     {floor: 4, may: []string{"message", "capture", "translate", "tenant", "smpp/pdu"}},
	"smpp/pdu":                 {floor: 2, pure: true},
	"restapi":                  {floor: 4, may: []string{"message", "capture", "translate", "tenant", "routing"}},
	"cmd/smsc":                 {floor: 5, may: []string{"*"}},
}

// room is the row of one package.
type room struct {
	floor   int
	may     []string // packages of ours it may import; "*" is all
	plain   bool     // no library at all
	pure    bool     // a decider: no library but those in outside, and none of banned
	outside []string // library prefixes a pure room may use
	test    bool     // imported by tests only
}

// banned is what a room without clock, disk and wire has no use for.
var banned = []string{"os", "net", "context", "math/rand", "math/rand/v2", "log", "log/slog", "net/http"}

// owners are the only importers of a library.
var owners = map[string][]string{
	"github.com/cockroachdb/pebble":                           {"store"},
	"github.com/emiago/sipgo":                                 {"sip"},
	"github.com/danielgtaylor/huma":                           {"restapi"},
	"github.com/fiorix/go-smpp":                               {"cmd/smsc", "smpp"},
	"github.com/fiorix/go-diameter":                           {"charging/ro"},
	"github.com/jackc/pgx":                                    {"charging/postgres", "charging/postgres/pgtest"},
	"github.com/alecthomas/kong":                              {"cmd/smsc"},
	"github.com/linxGnu/gosmpp":                               {},
	"go.yaml.in/yaml/v3":                                      {"tenant"},
	"github.com/prometheus/client_golang":                     {"store", "tenant", "intake", "delivery", "sip", "smpp", "restapi", "charging/postgres", "cmd/smsc"},
	"github.com/rs/zerolog":                                   {"store", "tenant", "intake", "delivery", "sip", "smpp", "restapi", "charging/postgres", "cmd/smsc"},
	"github.com/rs/zerolog/log":                               {},
	"github.com/prometheus/client_golang/prometheus/promauto": {},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "smsc/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestEveryImportFollowsTheLaw(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, "smsc/")
		row, ok := law[name]
		if !ok {
			t.Errorf("package %s has no row in the law: add one here and in docs/architecture.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, "smsc/"); ok {
				checkOwn(t, name, row, own)
				continue
			}
			checkOutside(t, name, row, imp)
		}
	}
}

func checkOwn(t *testing.T, name string, row room, imp string) {
	t.Helper()
	switch {
	case law[imp].test && !row.test:
		t.Errorf("%s imports %s, which is for tests", name, imp)
	case !slices.Contains(row.may, imp) && !slices.Contains(row.may, "*"):
		t.Errorf("%s may not import %s", name, imp)
	case !row.test && law[imp].floor >= row.floor:
		t.Errorf("%s (floor %d) imports %s (floor %d): every arrow points down", name, row.floor, imp, law[imp].floor)
	}
}

func checkOutside(t *testing.T, name string, row room, imp string) {
	t.Helper()
	if row.pure && slices.Contains(banned, imp) {
		t.Errorf("%s is pure and may not import %s", name, imp)
	}
	if !strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
		return // standard library
	}
	if row.plain || row.pure && !hasPrefix(row.outside, imp) {
		t.Errorf("%s may not import %s: it lives on the standard library", name, imp)
	}
	for lib, who := range owners {
		if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(who, name) {
			t.Errorf("%s imports %s; only %v may", name, imp, who)
		}
	}
}

func hasPrefix(prefixes []string, s string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

func TestOnlyTheStackNamesTheSIPLibrary(t *testing.T) {
	out, err := exec.Command("grep", "-rlE", "emiago/sipgo", "../../sip", "--include=*.go").Output()
	if err != nil {
		t.Fatalf("grep: %v", err)
	}
	for _, file := range strings.Fields(string(out)) {
		base := file[strings.LastIndexByte(file, '/')+1:]
		if !strings.HasPrefix(base, "stack") && !strings.HasSuffix(base, "_test.go") {
			t.Errorf("%s names the SIP library; only stack*.go may", file)
		}
	}
}
