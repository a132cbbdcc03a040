package tenant

import "time"

// endings finds the users whose last binding has expired without looking at
// all who are registered: by the slice of time in which it ends. A user who
// registers anew stands in several slices until they are over.
type endings map[int64][]*row

// endingSlice is how long a slice is.
const endingSlice = 10 * time.Second

func sliceOf(at time.Time) int64 { return at.UnixNano() / int64(endingSlice) }

// note files r with the bindings it has now; p.mu is held.
func (p *Presence) note(r *row, bindings []Binding) {
	var last time.Time
	flow := false
	for i := range bindings {
		b := &bindings[i]
		flow = flow || b.ByFlow && b.Transport == "UDP"
		if b.Expires.After(last) {
			last = b.Expires
		}
	}
	if flow {
		p.flows[r] = struct{}{}
	} else {
		delete(p.flows, r)
	}
	if len(bindings) > 0 {
		p.ends[sliceOf(last)] = append(p.ends[sliceOf(last)], r)
	}
}

// Lapsed returns, each once, the users whose last binding has expired since it
// was called last. Somebody among them may have registered anew meanwhile.
func (p *Presence) Lapsed() (aors []string) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for slice, rows := range p.ends {
		if slice >= sliceOf(now) {
			continue
		}
		delete(p.ends, slice)
		for _, r := range rows {
			if len(live(r.bindings(), now)) == 0 {
				aors = append(aors, r.aor)
			}
		}
	}
	return aors
}

// EachFlow calls f for every user whom pick takes and who has a binding now
// that only the way its REGISTER came by UDP leads back to. The slice holds
// all bindings of the user; it is shared and read-only.
func (p *Presence) EachFlow(pick func(aor string) bool, f func(aor string, bindings []Binding)) {
	var picked []*row
	p.mu.RLock()
	for r := range p.flows {
		if pick(r.aor) {
			picked = append(picked, r)
		}
	}
	p.mu.RUnlock()
	p.eachLive(picked, f)
}
