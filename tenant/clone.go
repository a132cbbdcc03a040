package tenant

import (
	"maps"
	"slices"
)

// Clone returns a copy that shares nothing.
func (d *Document) Clone() Document {
	out := Document{
		Accounts: slices.Clone(d.Accounts), Links: slices.Clone(d.Links), Routes: slices.Clone(d.Routes),
		Rules: slices.Clone(d.Rules), Numbers: slices.Clone(d.Numbers), source: d.source,
	}
	for i := range out.Accounts {
		a := &out.Accounts[i]
		a.Keys, a.Senders, a.Rates = slices.Clone(a.Keys), slices.Clone(a.Senders), maps.Clone(a.Rates)
		if a.Numbering != nil {
			n := *a.Numbering
			n.International = slices.Clone(n.International)
			a.Numbering = &n
		}
	}
	for i := range out.Rules {
		out.Rules[i] = out.Rules[i].Clone()
	}
	for i := range out.Links {
		out.Links[i].detach()
	}
	return out
}

// detach gives l its own copy of everything it points to.
func (l *Link) detach() {
	l.Numbering = dup(l.Numbering)
	l.SIP, l.IMS, l.SIPUsers, l.ESME, l.Carrier, l.Webhook =
		dup(l.SIP), dup(l.IMS), dup(l.SIPUsers), dup(l.ESME), dup(l.Carrier), dup(l.Webhook)
	if l.SIP != nil {
		l.SIP.From = slices.Clone(l.SIP.From)
	}
	if l.IMS != nil {
		l.IMS.From, l.IMS.Serves = slices.Clone(l.IMS.From), slices.Clone(l.IMS.Serves)
	}
	if l.SIPUsers != nil {
		l.SIPUsers.Users = slices.Clone(l.SIPUsers.Users)
	}
	if e := l.ESME; e != nil {
		e.From, e.Outbind = slices.Clone(e.From), dup(e.Outbind)
		e.TONNPI, e.StatusMap = maps.Clone(e.TONNPI), maps.Clone(e.StatusMap)
	}
	if c := l.Carrier; c != nil {
		c.Outbind = dup(c.Outbind)
		c.TONNPI, c.StatusMap = maps.Clone(c.TONNPI), maps.Clone(c.StatusMap)
		if tags, ok := c.TLVs.([]any); ok {
			c.TLVs = slices.Clone(tags)
		}
	}
	if l.Webhook != nil {
		l.Webhook.Events = slices.Clone(l.Webhook.Events)
	}
}

func dup[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
