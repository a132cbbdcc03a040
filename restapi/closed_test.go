package restapi

import (
	"testing"
	"time"

	"smsc/message"
	"smsc/tenant"
)

func TestAClosedAccountHasNothingWaiting(t *testing.T) {
	g := newRig(t)
	waits, other := g.post(simple("q")), message.ID(0)
	r := g.send("POST", "/api/messages", simple("q"), basic("other", "other-t0ken"))
	for id := range g.house.records {
		if id != waits {
			other = id
		}
	}
	if r.code != 201 || other == 0 {
		t.Fatalf("%d %s", r.code, r.body)
	}
	phase := func(id message.ID) message.Phase {
		rec, err := g.house.Find(t.Context(), nil, id)
		if err != nil {
			t.Fatal(err)
		}
		return rec.State.Phase
	}
	g.server.Declared(g.catalog.Directory())
	doc := g.catalog.Directory().Document()
	for i := range doc.Accounts {
		if doc.Accounts[i].Name == "acme" {
			doc.Accounts[i].Status = tenant.Closed
		}
	}
	if _, err := g.catalog.Apply(t.Context(), doc, tenant.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	g.server.Declared(g.catalog.Directory())
	for end := time.Now().Add(time.Minute); phase(waits) != message.Cancelled; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it still waits")
		}
	}
	if phase(other) != message.Waiting {
		t.Errorf("another account's message stands at %v", phase(other))
	}
	rec, _ := g.house.Find(t.Context(), nil, waits)
	if code, _ := g.server.rcFailure(rec); code != 30002 {
		t.Errorf("its error is %v", code)
	}
}
