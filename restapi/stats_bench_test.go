package restapi

import (
	"fmt"
	"testing"
	"time"
)

// A second of statistics with every series that there can be.
func BenchmarkSample(b *testing.B) {
	g := newRig(b)
	s := Sample{Accounts: map[string]Flow{"acme": {Accepted: 1}, "shop": {Accepted: 1}, "other": {Delivered: 1}}, Links: map[string]LinkFlow{}, Backlogs: map[string]int{"shop": 5}}
	for i := range maxLinkSeries {
		s.Links[fmt.Sprint("link", i)] = LinkFlow{In: 1}
	}
	k, dir, at := g.server.operator.stats, g.catalog.Directory(), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		k.take(at, s, dir)
	}
}

// What a chart of a day asks for.
func BenchmarkStatsOfADay(b *testing.B) {
	g := newRig(b, withSamples)
	at := time.Now()
	for i := range 1440 {
		g.server.operator.stats.take(at.Add(time.Duration(i)*time.Minute), Sample{Accounts: map[string]Flow{"shop": {Accepted: 2}}, Links: map[string]LinkFlow{"carrier1": {Out: 2}}}, g.catalog.Directory())
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := g.as(operatorKey, "GET", "/api/stats?range=24h", ""); r.code != 200 {
			b.Fatal(r.body)
		}
	}
}
