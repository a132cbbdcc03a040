package tenant

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestLargeDocumentsAreSavedCompressedAndReadAgain(t *testing.T) {
	s := newShelf()
	ctx := context.Background()
	for _, n := range []int{1, 3000} {
		c, err := Open(ctx, s, "", CatalogConfig{}, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		doc, bad := ParseDocument("", many(n))
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		if _, err := c.Apply(ctx, doc, ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
		saved, _, _ := s.Get(ctx, shelfCatalog, keyCurrent)
		if packed := strings.HasPrefix(string(saved), gzipMagic); packed != (n > 1) || packed && len(saved) > len(many(n))/4 {
			t.Errorf("%d of each: %d octets, packed %v", n, len(saved), packed)
		}
		again, err := Open(ctx, s, "", CatalogConfig{}, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		now, then := c.Directory().Document(), again.Directory().Document()
		if !bytes.Equal(now.YAML(true), then.YAML(true)) || again.Directory().Stamp("links", "crowd") != c.Directory().Stamp("links", "crowd") {
			t.Errorf("%d of each: read again, it is another", n)
		}
		past, found, err := again.Past(ctx, again.Directory().Revision)
		if err != nil || !found || !bytes.Equal(past.YAML(true), now.YAML(true)) {
			t.Errorf("%d of each: the revision is not found: %v", n, err)
		}
		if all, err := again.History(ctx); err != nil || len(all) == 0 {
			t.Errorf("%v, %v", all, err)
		}
	}
}

func TestDocumentsOfTheFirstFormatAreRead(t *testing.T) {
	s := newShelf()
	ctx := context.Background()
	_ = s.Set(ctx, shelfCatalog, keyCurrent, []byte(`{"format":1,"revision":3,"last_route":7,"yaml":"links:\n  - {name: app, kind: poll}\n"}`), time.Time{})
	c, err := Open(ctx, s, "", CatalogConfig{}, zerolog.Nop())
	if err != nil || c.Directory().Link("app") == nil || c.Directory().Revision != 3 {
		t.Errorf("%v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(gzipMagic))
	large, err := pack(saved{YAML: strings.Repeat("a", packAbove)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(large)
	f.Fuzz(func(t *testing.T, data []byte) {
		var s, again saved
		if unpack(data, &s) != nil {
			return
		}
		if data, err := pack(s); err == nil && (unpack(data, &again) != nil || again.YAML != s.YAML) {
			t.Error("packed and unpacked, it is another")
		}
	})
}
