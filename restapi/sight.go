package restapi

import (
	"context"
	"strings"
	"sync/atomic"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
)

// parentName stands for the name of a link that the caller may not know.
const parentName = "(parent)"

// queuePrefix begins the wake key of what waits for pollers.
const queuePrefix = "queue:"

// linkName is the name of a link as the caller may see it.
func (c *call) linkName(name string) string {
	if name != "" && !c.seesLink(name) {
		return parentName
	}
	return name
}

// owns tells whether the message is the caller's or of an account below.
func (c *call) owns(m *message.Message) bool { return c.dir.Within(m.Account, c.id.Account) }

// sees tells whether the caller may read r: his own, what waits for or left
// by a link of his, and what went to a number that he hosts.
func (c *call) sees(r message.Record) bool {
	if c.owns(r.Message) {
		return true
	}
	for _, name := range [...]string{r.State.Link, queueOf(r)} {
		if l := c.dir.Link(name); l != nil && c.dir.Within(l.Account, c.id.Account) {
			return true
		}
	}
	n := c.dir.Number(r.Message.To.Value)
	return n != nil && c.dir.Within(n.Account, c.id.Account)
}

// find returns a record that the caller may read.
func (c *call) find(ctx context.Context, id message.ID) (message.Record, error) {
	r, err := c.s.deps.Ledger.Find(ctx, nil, id)
	if err != nil {
		return r, err
	}
	if !c.sees(r) || c.s.isHidden(ctx, r) {
		return message.Record{}, message.ErrNotFound
	}
	return r, nil
}

// only is the reach of one who has just been shown m.
func only(m *message.Message) message.Reach {
	return func(account string) bool { return account == m.Account }
}

// queueOf is the poll queue or link that r waits for, "" if it waits for none.
func queueOf(r message.Record) string {
	if name, ok := strings.CutPrefix(r.State.WakeOn, queuePrefix); ok {
		return name
	}
	name, _ := strings.CutPrefix(r.State.WakeOn, "link:")
	if name == r.State.WakeOn {
		return ""
	}
	return name
}

// leased tells whether a poller has r now.
func leased(r message.Record) bool {
	return r.State.Phase == message.Trying && strings.HasPrefix(r.State.WakeOn, queuePrefix)
}

// destOf is the dest_smsc that r shows: the one asked for, else where it is
// or was, else where routing would send it now.
func (c *call) destOf(r message.Record) string {
	if r.Message.Dest != "" {
		return r.Message.Dest
	}
	name := r.State.Link
	switch {
	case name != "":
	case strings.HasPrefix(r.State.WakeOn, queuePrefix):
		name = queueOf(r)
	case queueOf(r) != "":
		name = queueOf(r)
	case r.State.Phase.Ended():
		return ""
	default:
		if p := c.s.deps.Plan(r.Message); p.Verdict == routing.Forward && len(p.Hops) > 0 {
			name = p.Hops[0].Link
		}
	}
	return c.linkName(name)
}

// routeOf is the route that leads r to where destOf says, 0 where there is
// none or the caller may not know it.
func (c *call) routeOf(r message.Record) int {
	if r.State.Phase.Ended() || r.Message.Kind == message.KindReceipt {
		return 0
	}
	p := c.s.deps.Plan(r.Message)
	id := p.Route
	for _, h := range p.Hops {
		if r.State.Link == "" || h.Link == r.State.Link {
			id = h.Route
			break
		}
	}
	if id == 0 || !c.seesRoute(id) {
		return 0
	}
	return id
}

// routeOwners knows whose each route of one snapshot is.
type routeOwners struct {
	dir    *tenant.Directory
	owners map[int]string
}

// ownersCache keeps the last one: snapshots change rarely.
type ownersCache struct{ last atomic.Pointer[routeOwners] }

func (o *ownersCache) of(dir *tenant.Directory) map[int]string {
	if k := o.last.Load(); k != nil && k.dir == dir {
		return k.owners
	}
	k := &routeOwners{dir: dir, owners: map[int]string{}}
	doc := dir.Document()
	for i := range doc.Routes {
		k.owners[doc.Routes[i].ID] = or(doc.Routes[i].Account, tenant.Operator)
	}
	o.last.Store(k)
	return k.owners
}

// seesRoute tells whether the route belongs to an account in reach.
func (c *call) seesRoute(id int) bool {
	if c.id.Account == tenant.Operator {
		return true
	}
	owner, ok := c.s.owners.of(c.dir)[id]
	return ok && c.dir.Within(owner, c.id.Account)
}

// seesLink tells whether the caller may know the link by its name: his own or
// below, or shared by an account above.
func (c *call) seesLink(name string) bool {
	l := c.dir.Link(name)
	return l == nil || c.seesDeclared(l)
}

func (c *call) seesDeclared(l *tenant.Link) bool {
	return c.dir.Within(l.Account, c.id.Account) || l.Shared && c.dir.Within(c.id.Account, l.Account)
}
