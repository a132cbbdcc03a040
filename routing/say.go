package routing

import "strconv"

// Text is the plan as one line of a trace (spec records §3): its links in
// order, each with the id of its route, what decided, and whether it is
// charged.
func (p *Plan) Text() string {
	b := make([]byte, 0, 96)
	switch p.Verdict {
	case NoWay:
		return "no way"
	case Hold:
		return "held for any poller"
	case Drop:
		return string(strconv.AppendInt(append(b, "dropped by route "...), int64(p.Route), 10))
	case Reply:
		return string(strconv.AppendInt(append(b, "answered by route "...), int64(p.Route), 10))
	}
	for i := range p.Hops {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, p.Hops[i].Link...)
		if id := p.Hops[i].Route; id != 0 {
			b = strconv.AppendInt(append(b, " #"...), int64(id), 10)
		}
	}
	b = append(append(b, "; by "...), p.By...)
	if p.Charged == "yes" || p.Charged == "no" {
		b = append(append(b, "; charged "...), p.Charged...)
	}
	return string(b)
}

// Decisive is the route that the plan hangs on: that of its first hop, or the
// one that ended the message; 0 where none decided.
func (p *Plan) Decisive() int {
	if p.Verdict == Forward && len(p.Hops) > 0 {
		return p.Hops[0].Route
	}
	return p.Route
}
