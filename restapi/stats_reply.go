package restapi

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"smsc/tenant"
)

// statsDoc is the answer of GET /api/stats. Every list has one value a step,
// oldest first; null where nothing was counted.
type statsDoc struct {
	Range   string             `json:"range"`
	Step    int64              `json:"step_seconds"`
	Since   string             `json:"since" doc:"Begin of the first step"`
	Until   string             `json:"until" doc:"Begin of the last step"`
	Account string             `json:"account"`
	Link    *string            `json:"link"`
	Series  map[string]figures `json:"series" doc:"accepted, parts, delivered, failed, expired, cancelled, dropped, retries, receipts: how many in the step; waiting and oldest_seconds at its end; ack_p50_ms, ack_p99_ms, sync_p50_ms, sync_p99_ms in its worst second. Of a link: in, out, failed."`
	Waiting map[string]figures `json:"waiting,omitempty" doc:"Messages without an end by status; of the whole house alone"`
	Totals  map[string]uint64  `json:"totals" doc:"Counts of the whole range"`
	Causes  map[string]uint64  `json:"causes" doc:"Why messages failed or expired, in the whole range"`
	Links   []statsLinkDoc     `json:"links"`
}

// statsLinkDoc is one link beside the others.
type statsLinkDoc struct {
	Name   string  `json:"name"`
	In     figures `json:"in"`
	Out    figures `json:"out"`
	Failed figures `json:"failed"`
}

// statsLinks is how many links, the busiest first, one answer shows beside
// each other.
const statsLinks = 20

// getStats answers GET /api/stats: what charts are drawn from (spec rest §6).
func (c *call) getStats() error {
	asked := or(c.query.Get("range"), resolutions[0].name)
	i := -1
	for n, r := range resolutions {
		if r.name == asked {
			i = n
		}
	}
	if i < 0 {
		return invalid("query.range", "must be 5m, 1h or 24h")
	}
	account, ok := c.account(c.query.Get("account"))
	if !ok {
		return refuse("not_found", "no such account")
	}
	link := c.query.Get("link")
	if l := c.dir.Link(link); link != "" && (l == nil || !c.dir.Within(l.Account, c.id.Account)) {
		return refuse("not_found", "no such link")
	}
	k := c.s.operator.stats
	k.mu.Lock()
	defer k.mu.Unlock()
	until := k.until - k.until%resolutions[i].step
	reply := &statsDoc{
		Range: asked, Step: resolutions[i].step, Account: account,
		Since:  time.Unix(until-resolutions[i].step*int64(resolutions[i].n-1), 0).UTC().Format(time.RFC3339),
		Until:  time.Unix(until, 0).UTC().Format(time.RFC3339),
		Series: map[string]figures{}, Totals: map[string]uint64{}, Causes: map[string]uint64{}, Links: []statsLinkDoc{},
	}
	if link != "" {
		reply.Link = &link
		reply.addLink(k.links.named[link], i, k.until)
		return c.encode(reply)
	}
	house := account == tenant.Operator
	s := k.house
	if !house {
		s = k.accounts.named[account]
	}
	reply.addPoints(s, i, k.until, house)
	reply.Links = c.busyLinks(i, account)
	return c.encode(reply)
}

// figures are the values of one series; what is not a number is null.
type figures []float64

// MarshalJSON implements json.Marshaler.
func (f figures) MarshalJSON() ([]byte, error) {
	dst := []byte{'['}
	for i, v := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		if math.IsNaN(v) {
			dst = append(dst, "null"...)
			continue
		}
		dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	return append(dst, ']'), nil
}

// Schema tells the OpenAPI document of the nulls.
func (figures) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeNumber, Nullable: true}}
}

var gap = math.NaN()

// addPoints writes the series of the house or an account; nil has only gaps.
func (d *statsDoc) addPoints(s *series[point], i int, until int64, house bool) {
	var sums [causes]uint64
	names := append(countNames[:], "waiting")
	if house {
		names = append(append(names, "oldest_seconds"), timeNames[:]...)
	}
	walk(s, i, until, func(p *point) {
		for n, name := range names {
			d.Series[name] = append(d.Series[name], p.figure(n))
		}
		if p == nil {
			return
		}
		for n, name := range countNames {
			d.Totals[name] += uint64(p.counts[n])
		}
		for n := range p.causes {
			sums[n] += uint64(p.causes[n])
		}
	})
	d.Causes = causeCounts(&sums)
	if !house {
		return
	}
	d.Waiting = map[string]figures{}
	walk(s, i, until, func(p *point) {
		for n, name := range stateNames {
			v := gap
			if p != nil {
				v = float64(p.states[n])
			}
			d.Waiting[name] = append(d.Waiting[name], v)
		}
	})
}

// figure is the n-th of the values of p: its counts, what waits, and for the
// house the age of the oldest and the times.
func (p *point) figure(n int) float64 {
	if p == nil {
		return gap
	}
	switch n -= len(countNames); {
	case n < 0:
		return float64(p.counts[n+len(countNames)])
	case n == 0:
		return float64(p.all)
	case n == 1:
		return float64(p.oldest)
	}
	if p.times[n-2] == 0 {
		return gap // nothing was timed
	}
	return rounded(p.times[n-2])
}

// walk calls f for every step; s may be nil, which has only gaps.
func walk[T any](s *series[T], i int, until int64, f func(*T)) {
	if s != nil {
		s.each(i, until, f)
		return
	}
	for range resolutions[i].n {
		f(nil)
	}
}

// rounded keeps three digits behind the point.
func rounded(ms float32) float64 {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(float64(ms), 'f', 3, 64), 64)
	return v
}

// addLink writes the series of one link.
func (d *statsDoc) addLink(s *series[linkPoint], i int, until int64) {
	l := linkSeries(s, i, until)
	d.Series["in"], d.Series["out"], d.Series["failed"] = l.In, l.Out, l.Failed
	sums := linkSums(s, i, until)
	d.Totals["in"], d.Totals["out"], d.Totals["failed"] = sums.In, sums.Out, sums.Failed
}

func linkSeries(s *series[linkPoint], i int, until int64) (l statsLinkDoc) {
	walk(s, i, until, func(p *linkPoint) {
		v := [3]float64{gap, gap, gap}
		if p != nil {
			v = [3]float64{float64(p.in), float64(p.out), float64(p.failed)}
		}
		l.In, l.Out, l.Failed = append(l.In, v[0]), append(l.Out, v[1]), append(l.Failed, v[2])
	})
	return l
}

func linkSums(s *series[linkPoint], i int, until int64) (sums LinkFlow) {
	walk(s, i, until, func(p *linkPoint) {
		if p != nil {
			sums.In, sums.Out, sums.Failed = sums.In+uint64(p.in), sums.Out+uint64(p.out), sums.Failed+uint64(p.failed)
		}
	})
	return sums
}

// busyLinks shows the links of an account and below it that carried most.
// c.s.operator.stats.mu is held.
func (c *call) busyLinks(i int, account string) []statsLinkDoc {
	type busy struct {
		name string
		n    uint64
	}
	var all []busy
	k := c.s.operator.stats
	for name, s := range k.links.named {
		if l := c.dir.Link(name); l == nil || !c.dir.Within(l.Account, account) {
			continue
		}
		sums := linkSums(s, i, k.until)
		if n := sums.In + sums.Out + sums.Failed; n > 0 {
			all = append(all, busy{name, n})
		}
	}
	slices.SortFunc(all, func(a, b busy) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	docs := make([]statsLinkDoc, 0, statsLinks)
	for _, b := range all[:min(len(all), statsLinks)] {
		doc := linkSeries(k.links.named[b.name], i, k.until)
		doc.Name = b.name
		docs = append(docs, doc)
	}
	return docs
}

// statsEvent is the newest second as the event stream tells it, for an
// account; nil where there is none.
func (k *stats) statsEvent(account string) map[string]any {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until == 0 {
		return nil
	}
	p, house := k.of(account), account == tenant.Operator
	data := map[string]any{"account": account, "second": time.Unix(k.until, 0).UTC().Format(time.RFC3339), "waiting": p.all}
	for n, name := range countNames {
		data[name] = p.counts[n]
	}
	if house {
		data["oldest_seconds"] = p.oldest
		for n, name := range timeNames {
			if data[name] = any(nil); p.times[n] > 0 {
				data[name] = rounded(p.times[n])
			}
		}
	}
	return data
}

// of is the newest second of an account. mu is held.
func (k *stats) of(account string) point {
	if account == tenant.Operator {
		return k.whole
	}
	return k.newest[account]
}

// last is the newest second of an account.
func (k *stats) last(account string) point {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.of(account)
}

// lastSync is how long syncs took in the newest second that had any.
func (k *stats) lastSync() (p50, p99 *float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.house.each(0, k.until, func(p *point) {
		if p != nil && p.times[3] > 0 {
			a, b := rounded(p.times[2]), rounded(p.times[3])
			p50, p99 = &a, &b
		}
	})
	return p50, p99
}
