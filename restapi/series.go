package restapi

// ring keeps what was counted in each of the last steps. A step nobody
// counted in has no value: a gap stays a gap.
type ring[T any] struct {
	step  int64 // seconds
	slots []slot[T]
}

type slot[T any] struct {
	at int64 // second that the step began; 0: never used
	v  T
}

// resolutions are the steps that statistics are kept in, and for how long
// (spec rest §6).
var resolutions = [...]struct {
	name string
	step int64 // seconds
	n    int
}{
	{"5m", 1, 300},
	{"1h", 10, 360},
	{"24h", 60, 1440},
}

// series is one thing counted, in every resolution.
type series[T any] struct {
	rings [len(resolutions)]ring[T]
	used  int64 // second in which it was last of interest
}

func newSeries[T any]() *series[T] {
	s := &series[T]{}
	for i, r := range resolutions {
		s.rings[i] = ring[T]{step: r.step, slots: make([]slot[T], r.n)}
	}
	return s
}

// add merges v into the steps that the second at lies in.
func (s *series[T]) add(at int64, v T, merge func(into *T, v T)) {
	for i := range s.rings {
		r := &s.rings[i]
		begin := at - at%r.step
		into := &r.slots[begin/r.step%int64(len(r.slots))]
		if into.at != begin {
			*into = slot[T]{at: begin}
		}
		merge(&into.v, v)
	}
}

// each calls f for the steps of ring i that end at the second until, oldest
// first; v is nil where nothing was counted.
func (s *series[T]) each(i int, until int64, f func(v *T)) {
	r := &s.rings[i]
	last := until - until%r.step
	for n := int64(len(r.slots)) - 1; n >= 0; n-- {
		begin := last - n*r.step
		if begin <= 0 { // before anything was counted
			f(nil)
			continue
		}
		if at := &r.slots[begin/r.step%int64(len(r.slots))]; at.at == begin {
			f(&at.v)
			continue
		}
		f(nil)
	}
}

// seriesSet holds series by name. It is bounded: what was not of interest for
// the longest time gives way.
type seriesSet[T any] struct {
	most  int
	named map[string]*series[T]
}

func (s *seriesSet[T]) get(name string) *series[T] {
	if k := s.named[name]; k != nil {
		return k
	}
	if s.named == nil {
		s.named = map[string]*series[T]{}
	}
	if len(s.named) >= s.most {
		oldest, at := "", int64(0)
		for n, k := range s.named {
			if oldest == "" || k.used < at {
				oldest, at = n, k.used
			}
		}
		delete(s.named, oldest)
	}
	k := newSeries[T]()
	s.named[name] = k
	return k
}
