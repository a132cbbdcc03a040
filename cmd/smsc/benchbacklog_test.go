package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestABacklogComesWaitsThroughARestartAndLeaves(t *testing.T) {
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	c := &benchBacklog{Count: 5_000, Normal: 200 * time.Millisecond}
	if long() {
		c.Count, c.Normal = 10_000_000, 10*time.Second
	}
	r, err := c.run(t.Context(), self)
	if err != nil {
		t.Fatal(err)
	}
	if r.Waiting != c.Count || r.Lost > 0 || r.Duplicates > 0 || len(r.In) != backlogParts || len(r.Out) != backlogParts || r.Ready <= 0 || r.Peak <= 0 || r.Normal.Rate <= 0 {
		t.Errorf("%+v", r)
	}
	if last := r.In[backlogParts-1].Rate / r.In[0].Rate; long() && (last < 0.85 || r.Ready > 10 || r.Peak > 500) {
		t.Errorf("acceptance falls to %.2f, ready after %.1f s, %.0f MiB", last, r.Ready, r.Peak)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil || strings.Count(out.String(), "\n") != backlogParts+8 {
		t.Errorf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
}
