package restapi

import (
	"fmt"
	"time"
)

// Config holds the settings of the HTTP edge. The zero value of every field
// but Name stands for its default.
type Config struct {
	Name     string // node name, shown by /api/me
	Version  string // of the program, shown by /api/me and in the OpenAPI document
	Memory   bool   // the store keeps nothing: replies to a POST say X-SMSC-Stored: no
	CostUnit string // unit of "cost"; default USD
	Exposed  bool   // some HTTP listener is not loopback: tenants' URLs must not lead into this house
	Insecure bool   // smsc.yaml says insecure: true

	// Retention is how long finished messages stay readable (default 24h):
	// the mark of a message deleted from reading lives at least as long.
	Retention time.Duration

	MaxBody      int64         // octets of a request body; default 1 MiB
	MaxDocument  int64         // octets of a PUT /api/provision; default 16 MiB
	MaxBulk      int64         // octets of a bulk submission; default 10 MiB
	HeaderWait   time.Duration // for the head of a request; default 5s
	BodyWait     time.Duration // for its body; default 30s
	WriteWait    time.Duration // for a reply to be taken; default 60s
	IdleWait     time.Duration // between requests of one connection; default 120s
	MaxWaits     int           // open long polls in all; default 10000
	MaxWaitsEach int           // open long polls of one account; default 1000
	MaxWrong     int           // wrong credentials a minute from one address; default 100
}

// Validate returns every fault of c, as path and text.
func (c Config) Validate() []string {
	var faults []string
	for _, d := range []struct {
		path string
		v    time.Duration
	}{
		{"retention", c.Retention}, {"header_wait", c.HeaderWait}, {"body_wait", c.BodyWait},
		{"write_wait", c.WriteWait}, {"idle_wait", c.IdleWait},
	} {
		if d.v < 0 {
			faults = append(faults, fmt.Sprintf("http.%s: %s is negative", d.path, d.v))
		}
	}
	for _, n := range []struct {
		path string
		v    int64
	}{
		{"max_body", c.MaxBody}, {"max_document", c.MaxDocument}, {"max_waits", int64(c.MaxWaits)},
		{"max_waits_each", int64(c.MaxWaitsEach)}, {"max_wrong", int64(c.MaxWrong)},
	} {
		if n.v < 0 {
			faults = append(faults, fmt.Sprintf("http.%s: %d is negative", n.path, n.v))
		}
	}
	return faults
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.CostUnit = or(c.CostUnit, "USD")
	c.Version = or(c.Version, "dev")
	c.Retention = or(c.Retention, 24*time.Hour)
	c.MaxBody = or(c.MaxBody, 1<<20)
	c.MaxDocument = or(c.MaxDocument, 16<<20)
	c.MaxBulk = or(c.MaxBulk, 10<<20)
	c.HeaderWait = or(c.HeaderWait, 5*time.Second)
	c.BodyWait = or(c.BodyWait, 30*time.Second)
	c.WriteWait = or(c.WriteWait, 60*time.Second)
	c.IdleWait = or(c.IdleWait, 120*time.Second)
	c.MaxWaits = or(c.MaxWaits, 10_000)
	c.MaxWaitsEach = or(c.MaxWaitsEach, 1000)
	c.MaxWrong = or(c.MaxWrong, 100)
	return c
}

// or returns v, or fallback where v is the zero value.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
