package tenant

import (
	"fmt"
	"strings"
	"testing"
)

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

func BenchmarkParseMany(b *testing.B) {
	data := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, bad := ParseDocument("", data); len(bad) > 0 {
			b.Fatal(bad)
		}
	}
}
