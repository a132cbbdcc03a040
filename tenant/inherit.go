package tenant

import (
	"reflect"

	"smsc/routing"
)

// likeness is what makes two routes alike but for their ids. Routes hold lists,
// so that they cannot be compared as they are; few of them have any.
type likeness struct {
	account, called, calling, sourceSMSC, sourceType, destSMSC, reply, description string
	charged, refund, failover, afterUnsure                                         string
	priority, weight                                                               int
	drop, back, enabled                                                            bool
	more                                                                           string // its rewrites and its window, as documents write them
}

// likenesses makes them.
type likenesses struct{ w writer }

// whole is everything that a document says of a route.
func (l *likenesses) whole(r *routing.Route) likeness {
	return likeness{account: r.Account, called: r.CalledPrefix, calling: r.CallingPrefix, sourceSMSC: r.SourceSMSC, sourceType: r.SourceType,
		destSMSC: r.DestSMSC, reply: r.AutoReply, description: r.Description, charged: r.Charged, refund: r.Refund, failover: r.Failover,
		afterUnsure: r.AfterUnsure, priority: r.Priority, weight: r.Weight, drop: r.Drop, back: r.Back, enabled: r.Enabled, more: l.more(r)}
}

func (l *likenesses) more(r *routing.Route) string {
	if len(r.Rewrite.Called)+len(r.Rewrite.Calling) == 0 && r.Valid.From.IsZero() && r.Valid.To.IsZero() {
		return ""
	}
	l.w.Reset()
	l.w.flow(reflect.ValueOf(routing.Route{Rewrite: r.Rewrite, Valid: r.Valid}), "")
	return l.w.String()
}

// way is where a route leads, and under which conditions.
func (*likenesses) way(r *routing.Route) likeness {
	return likeness{account: r.Account, called: routing.Key(r.CalledPrefix), calling: routing.Key(r.CallingPrefix),
		sourceSMSC: r.SourceSMSC, sourceType: r.SourceType, destSMSC: r.DestSMSC, reply: r.AutoReply, drop: r.Drop}
}

// inheritAll gives routes without id those of old ones, in whatever order the
// document has them: first of those that are equal in everything, then of
// those that lead the same way under the same conditions.
func (d *Document) inheritAll(old []routing.Route) {
	var l likenesses
	d.inherit(old, l.whole)
	d.inherit(old, l.way)
}

// inherit gives routes without id that of an old one alike in what key
// keeps, if no other route has it.
func (d *Document) inherit(old []routing.Route, key func(*routing.Route) likeness) {
	taken, lacking := make(map[int]bool, len(d.Routes)), 0
	for i := range d.Routes {
		if id := d.Routes[i].ID; id != 0 {
			taken[id] = true
		} else {
			lacking++
		}
	}
	if lacking == 0 {
		return
	}
	ids := make(map[likeness]int)
	for i := range old {
		if r := &old[i]; !taken[r.ID] {
			ids[key(r)] = r.ID
		}
	}
	for i := range d.Routes {
		r := &d.Routes[i]
		if r.ID != 0 || len(ids) == 0 {
			continue
		}
		like := key(r)
		if id := ids[like]; id != 0 {
			delete(ids, like)
			r.ID = id
		}
	}
}
