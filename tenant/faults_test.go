package tenant

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write the first lines of testdata/config/bad-*.yaml anew")

// The first line of each bad document lists the faults it has: line and path.
func TestEveryFaultOfABadDocumentIsReportedWithItsPlace(t *testing.T) {
	files, _ := filepath.Glob("../testdata/config/bad-*.yaml")
	if len(files) < 4 {
		t.Fatal("bad documents are missing:", files)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "bad-smsc.yaml") {
			continue // the other kind of file: cmd/smsc holds it
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, faults := ParseDocument(filepath.Base(file), data)
			var got []string
			for _, f := range faults {
				t.Log(f)
				got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s", f.Line, f.Path)))
			}
			first, rest, _ := strings.Cut(string(data), "\n")
			if *rewrite {
				first = "# faults: " + strings.Join(got, ", ")
				if err := os.WriteFile(file, []byte(first+"\n"+rest), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := strings.Split(strings.TrimPrefix(first, "# faults: "), ", ")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
