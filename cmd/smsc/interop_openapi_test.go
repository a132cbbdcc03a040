package main

import "testing"

// A client that a foreign library drives from our document performs the tour,
// and each answer fits the schema that the document has for it.
func TestInteropAForeignClientPerformsTheTour(t *testing.T) {
	needNPM(t)
	s := newServer(t, "", "")
	s.start(foreignREST)
	var got struct {
		Steps, Faults []string
		Same, Polled  bool
		Status        string
		Refused       int
		Operations    int
	}
	node(t, nil, &got, "openapi-client.mjs", s.api().base, testKey)
	for _, fault := range got.Faults {
		t.Error(fault)
	}
	t.Logf("%d of %d operations: %v", len(got.Steps), got.Operations, got.Steps)
	if !got.Same || !got.Polled || got.Status != "delivered" || got.Refused != 422 {
		t.Errorf("%+v", got)
	}
}
