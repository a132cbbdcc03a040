package restapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

// feed gives a server samples second by second.
func (g *rig) feed(from time.Time, samples ...Sample) {
	for i, s := range samples {
		g.server.operator.stats.take(from.Add(time.Duration(i)*time.Second), s, g.catalog.Directory())
	}
}

func withSamples(_ *Config, d *Deps) { d.Sample = func() Sample { return Sample{} } }

type statsAnswer struct {
	Step    int64 `json:"step_seconds"`
	Until   string
	Series  map[string][]*float64
	Waiting map[string][]*float64
	Totals  map[string]uint64
	Causes  map[string]uint64
	Links   []struct {
		Name    string
		In, Out []*float64
	}
}

func (g *rig) stats(key, query string) (a statsAnswer) {
	g.t.Helper()
	r := g.as(key, "GET", "/api/stats"+query, "")
	if err := json.Unmarshal([]byte(r.body), &a); r.code != 200 || err != nil {
		g.t.Fatalf("%d %v %s", r.code, err, r.body)
	}
	return a
}

func TestStatisticsKeepEachSecondAndSumItUp(t *testing.T) {
	g := newRig(t, withSamples)
	flow := Flow{Accepted: 3, Parts: 4, Failed: 2}
	flow.Causes[message.Absent] = 2
	one := Sample{
		Accounts: map[string]Flow{"shop": flow}, Links: map[string]LinkFlow{"carrier1": {Out: 3}, "app": {In: 1}}, Backlogs: map[string]int{"shop": 5, "other": 1},
		Waiting: map[string]int{"queued": 5, "sent": 1}, Oldest: 3 * time.Second, Ack: Quantiles{N: 3, P50: time.Millisecond, P99: 2 * time.Millisecond},
	}
	begin := time.Now().Truncate(time.Minute)
	g.feed(begin, one, Sample{})
	g.feed(begin.Add(4*time.Second), one)

	g.steps(t, []step{
		{operatorKey, "GET", "/api/status?view=full", "", 200, `"queue":{"waiting":5,"sending":0,"sent":1,"oldest_seconds":0,"unpolled":0}`, nil},
		{acmeKey, "GET", "/api/status?view=full", "", 200, `"queue":{"waiting":5,"oldest_seconds":0,"unpolled":0}`, nil},
	})
	a := g.stats(operatorKey, "")
	n := len(a.Series["accepted"])
	if n != 300 || a.Step != 1 || a.Until != begin.Add(4*time.Second).UTC().Format(time.RFC3339) {
		t.Fatalf("%d steps of %d until %s", n, a.Step, a.Until)
	}
	got := ""
	for _, v := range a.Series["accepted"][n-5:] {
		if v == nil {
			got += "- "
			continue
		}
		got += fmt.Sprint(*v, " ")
	}
	if got != "3 0 - - 3 " {
		t.Errorf("a gap is no gap, or nothing is one: %s", got)
	}
	if a.Series["ack_p99_ms"][n-4] != nil || *a.Series["ack_p99_ms"][n-1] != 2 || *a.Series["waiting"][n-1] != 6 || *a.Waiting["sent"][n-1] != 1 {
		t.Errorf("%v", a.Series)
	}
	if a.Totals["accepted"] != 6 || a.Causes["absent"] != 4 || len(a.Links) != 2 || a.Links[0].Name != "carrier1" {
		t.Errorf("%v %v %v", a.Totals, a.Causes, a.Links)
	}
	for _, r := range []string{"1h", "24h"} {
		if a = g.stats(operatorKey, "?range="+r); a.Totals["parts"] != 8 || *a.Series["parts"][len(a.Series["parts"])-1] != 8 {
			t.Errorf("%s: %v", r, a.Totals)
		}
	}
}

func TestStatisticsOfAnAccountCountWhatLiesBelowItAndNothingElse(t *testing.T) {
	g := newRig(t, withSamples)
	begin := time.Now().Truncate(time.Minute)
	g.feed(begin, Sample{Accounts: map[string]Flow{"shop": {Accepted: 2}, "other": {Accepted: 7}}, Backlogs: map[string]int{"shop": 5, "acme": 1, "other": 3},
		Links: map[string]LinkFlow{"carrier1": {Out: 9}, "app": {Out: 2}}})
	a := g.stats(acmeKey, "")
	last := len(a.Series["accepted"]) - 1
	if a.Totals["accepted"] != 2 || *a.Series["waiting"][last] != 6 || a.Waiting != nil || a.Series["ack_p50_ms"] != nil {
		t.Errorf("%v", a)
	}
	if len(a.Links) != 1 || a.Links[0].Name != "app" {
		t.Errorf("%v", a.Links)
	}
	if a = g.stats(operatorKey, "?account=other"); a.Totals["accepted"] != 7 {
		t.Errorf("%v", a.Totals)
	}
	if a = g.stats(acmeKey, "?link=app"); a.Totals["out"] != 2 {
		t.Errorf("%v", a.Totals)
	}
	g.steps(t, []step{
		{acmeKey, "GET", "/api/stats?link=carrier1", "", 404, "not_found", nil},
		{acmeKey, "GET", "/api/stats?account=other", "", 404, "not_found", nil},
		{acmeKey, "GET", "/api/stats?range=7d", "", 422, "5m, 1h or 24h", nil},
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	set := seriesSet[linkPoint]{most: 3}
	for i := range 10 {
		set.get(fmt.Sprint(i)).used = int64(i)
	}
	if len(set.named) != 3 || set.named["9"] == nil || set.named["8"] == nil {
		t.Errorf("%v", set.named)
	}
}

func TestQueuesShowWhatWaitsAndWhoPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // ages are in whole seconds
		at := time.Now().Add(-90 * time.Second)
		g := newRig(t, func(_ *Config, d *Deps) {
			d.Queues = func() []QueueCount {
				return []QueueCount{{"app", "acme", 2, 1, at}, {"app", "other", 3, 0, at.Add(time.Minute)}, {"old", "acme", 4, 0, at}, {"old", "other", 1, 0, at}, {"", "shop", 1, 0, at}}
			}
			d.Links = func() []LinkState {
				return []LinkState{{Name: "carrier1", Window: LinkWindow{Used: 2, Size: 9}, Queue: LinkQueue{Waiting: 7, OldestSeconds: 5}}, {Name: "app", Queue: LinkQueue{Waiting: 99}}}
			}
		})
		g.as(acmeKey, "GET", "/api/messages?lease=30", "", "SMSc: app")
		g.as(acmeKey, "GET", "/api/messages", "", "SMSc: idle")
		list := func(key, query string) string {
			var rows []queueRow
			r := g.as(key, "GET", "/api/queues"+query, "")
			if err := json.Unmarshal([]byte(r.body), &rows); r.code != 200 || err != nil {
				t.Fatalf("%d %v %s", r.code, err, r.body)
			}
			var b strings.Builder
			for _, q := range rows {
				kind := "-"
				if q.Kind != nil {
					kind = *q.Kind
				}
				fmt.Fprintf(&b, "%s/%s/%s %d+%d %ds polled %t by %d\n", q.Name, q.Account, kind, q.Waiting, q.Leased, q.Oldest, q.LastPoll != nil, q.Pollers)
			}
			return b.String()
		}
		want := `carrier1/operator/carrier 7+2 5s polled false by 0
app/acme/poll 5+1 90s polled true by 1
old/acme/- 4+0 90s polled false by 0
/shop/- 1+0 90s polled false by 0
old/other/- 1+0 90s polled false by 0
idle/acme/- 0+0 0s polled true by 1
`
		if got := list(operatorKey, ""); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if got := list(acmeKey, ""); strings.Contains(got, "other") || strings.Contains(got, "carrier1") || !strings.Contains(got, "old/acme") {
			t.Errorf("%s", got)
		}
	})
}

func TestAQueueNobodyPollsIsToldOnce(t *testing.T) {
	g := newRig(t, func(_ *Config, d *Deps) {
		d.Queues = func() []QueueCount { return []QueueCount{{"old", "acme", 4, 0, time.Now().Add(-time.Hour)}} }
	})
	g.server.started = time.Now().Add(-time.Hour)
	now := time.Now()
	for i := range 5 {
		g.server.notice(t.Context(), now.Add(time.Duration(i)*time.Minute))
	}
	n := 0
	for _, e := range g.server.events.ring {
		if e.kind == "queue.unpolled" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestAFrontendThatFallsSilentIsTold(t *testing.T) {
	g := newRig(t)
	g.as(acmeKey, "POST", "/api/frontends", `{"frontend_name":"gw","frontend_type":"SMPP"}`)
	now := time.Now()
	for i := range 20 {
		g.server.notice(t.Context(), now.Add(time.Duration(i)*noticeEvery))
	}
	n := 0
	for _, e := range g.server.events.ring {
		if e.kind == "frontend.expired" && e.status == "gw" && e.account == "acme" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestTheSystemIsTheOperatorsToSee(t *testing.T) {
	g := newRig(t, func(_ *Config, d *Deps) {
		d.System = func() System {
			return System{RSS: 12345, CPU: 2, DiskFree: 10, DiskTotal: 30, Store: SystemStore{Tables: 4, LastSync: MillisOf(1500 * time.Microsecond)}}
		}
	})
	g.steps(t, []step{
		{acmeKey, "GET", "/api/system", "", 403, "operator", nil},
		{operatorKey, "GET", "/api/system", "", 200, `"rss_bytes":12345`, nil},
		{operatorKey, "GET", "/api/system", "", 200, `"disk":{"free_bytes":10,"used_bytes":20,"total_bytes":30}`, nil},
		{operatorKey, "GET", "/api/system", "", 200, `"last_ms":1.5`, nil},
	})
}

func TestLogLinesAreShownWithoutSecrets(t *testing.T) {
	logs := NewLogs(zerolog.InfoLevel)
	g := newRig(t, func(_ *Config, d *Deps) { d.Logs = logs })
	log := zerolog.New(zerolog.MultiLevelWriter(logs)).Sample(logs)
	log.Debug().Msg("too quiet")
	log.Info().Str("link", "carrier1").Uint64("msg", 4711).Msg("bound")
	log.Warn().Str("password", "hunter2").Str("url", "http://me:hunter2@h/").Msg("token=hunter2 is wrong")
	r := g.as(operatorKey, "GET", "/api/logs", "")
	if r.code != 200 || strings.Contains(r.body, "hunter2") || strings.Contains(r.body, "quiet") || !strings.Contains(r.body, `"msg":4711`) ||
		!strings.Contains(r.body, `"url":"http://***@h/"`) || !strings.Contains(r.body, `"line":2`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	g.steps(t, []step{
		{operatorKey, "GET", "/api/logs?level=warn", "", 200, `[{"line":2,`, nil},
		{operatorKey, "GET", "/api/logs?q=CARRIER1", "", 200, `"message":"bound"`, nil},
		{operatorKey, "GET", "/api/logs?after=2", "", 200, `[]`, nil},
		{operatorKey, "GET", "/api/logs?since=2999-01-01T00:00:00Z", "", 200, `[]`, nil},
		{operatorKey, "GET", "/api/logs?level=loud", "", 422, "query.level", nil},
		{acmeKey, "GET", "/api/logs", "", 403, "operator", nil},
		{acmeKey, "PUT", "/api/logs/level", `{"level":"debug"}`, 403, "", nil},
		{operatorKey, "PUT", "/api/logs/level", `{"level":"loud"}`, 422, "body.level", nil},
		{operatorKey, "PUT", "/api/logs/level", `{"level":"debug","for":"25h"}`, 422, "body.for", nil},
		{operatorKey, "PUT", "/api/logs/level", `{"level":"debug","for":"10m"}`, 200, `"level":"debug","until":"2`, nil},
	})
	log.Debug().Msg("loud now")
	logs.SetLevel(zerolog.InfoLevel, 0)
	log.Debug().Msg("again quiet")
	if r = g.as(operatorKey, "GET", "/api/logs", ""); !strings.Contains(r.body, "loud now") || strings.Contains(r.body, "again quiet") {
		t.Errorf("%s", r.body)
	}
}

func TestTheRingOfLogLinesForgetsTheOldest(t *testing.T) {
	logs := NewLogs(zerolog.InfoLevel)
	for i := range logRing + 10 {
		fmt.Fprintf(logs, `{"message":"line %d"}`, i)
	}
	all := logs.after(0, maxLogRows, func(*logLine) bool { return true })
	if len(all) != logRing || !bytes.Contains(all[0].text, []byte("line 10\"")) {
		t.Errorf("%d %s", len(all), all[0].text)
	}
}

func TestAStreamHearsTheFiguresOfItsAccountAndTheLog(t *testing.T) {
	logs := NewLogs(zerolog.InfoLevel)
	g := newRig(t, withSamples, func(_ *Config, d *Deps) { d.Logs = logs })
	g.feed(time.Now().Truncate(time.Second), Sample{Accounts: map[string]Flow{"shop": {Accepted: 2}, "other": {Accepted: 7}}})
	wish := &eventWish{account: "acme", stats: true}
	c := &call{s: g.server}
	if got := string(c.eachSecond(nil, wish)); !strings.HasPrefix(got, "event: stats\ndata: {") || !strings.Contains(got, `"accepted":2`) || strings.Contains(got, "oldest") {
		t.Errorf("%s", got)
	}
	if got := c.eachSecond(nil, wish); len(got) != 0 {
		t.Errorf("the same second twice: %s", got)
	}
	wish = &eventWish{account: tenant.Operator, logs: true}
	for range 3 {
		fmt.Fprint(logs, `{"level":"info","message":"hello"}`)
	}
	if got := string(c.eachSecond(nil, wish)); strings.Count(got, "event: log\ndata: {\"line\":") != 3 {
		t.Errorf("%s", got)
	}
}
