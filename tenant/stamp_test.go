package tenant

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestObjectsKnowWhenTheyWereMadeAndChanged(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	ctx, s := context.Background(), newShelf()
	openAt := func() *Catalog {
		t.Helper()
		c, err := Open(ctx, s, "", CatalogConfig{Now: func() time.Time { return now }}, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := openAt()
	apply := func(text string) {
		t.Helper()
		doc, faults := ParseDocument("", []byte(text))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if _, err := c.Apply(ctx, doc, ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	first := now.Truncate(time.Second)
	apply(`links: [{name: a, kind: poll}, {name: b, kind: poll}]`)
	now = now.Add(time.Hour)
	second := now.Truncate(time.Second)
	apply(`{links: [{name: a, kind: poll, shared: true}, {name: c, kind: poll}], routes: [{dest_smsc: a}]}`)
	c = openAt()
	d := c.Directory()
	for name, want := range map[string]Stamp{"a": {first, second}, "b": {}, "c": {second, second}} {
		if got := d.Stamp("links", name); got != want {
			t.Errorf("link %s: %v, want %v", name, got, want)
		}
	}
	if got := d.Stamp("routes", "1"); got != (Stamp{second, second}) {
		t.Errorf("route: %v", got)
	}
}
