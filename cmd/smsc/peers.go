package main

import (
	"context"
	"net/netip"
	"strings"

	"smsc/restapi"
	"smsc/smpp"
	"smsc/tenant"
)

// peers shows REST who is connected and registered.
type peers struct{ *house }

var _ restapi.Peers = peers{}

// Sessions implements restapi.Peers.
func (h peers) Sessions(link string) []restapi.Session {
	var all []restapi.Session
	for _, s := range h.smpp.Sessions(link) {
		by := "peer"
		if s.Client {
			by = "us"
		}
		all = append(all, restapi.Session{
			ID: s.ID, Peer: s.Peer, Bind: s.Bind, Opened: by, Since: s.Since, LastAt: s.LastAt, Asked: restapi.MillisOf(s.Asked),
			Window: restapi.LinkWindow{Used: s.WindowUsed, Size: s.WindowSize}, Inbound: s.Inbound,
		})
	}
	return all
}

// Disconnect implements restapi.Peers.
func (h peers) Disconnect(link, id string) bool { return h.smpp.Disconnect(link, id) }

// Registrations implements restapi.Peers: the devices of softphones, and the
// users that an IMS core told us of.
func (h peers) Registrations(link string) []restapi.Registration {
	var all []restapi.Registration
	for _, r := range h.presence.Registrations(h.catalog.Directory(), link) {
		for _, b := range r.Bindings {
			all = append(all, restapi.Registration{
				Link: r.Link, AOR: r.AOR, MSISDN: r.MSISDN, Contact: b.Contact, Path: strings.Join(b.Path, ","), UserAgent: b.UserAgent,
				Transport: strings.ToLower(b.Transport), Source: b.Source.String(), Since: b.Since, Updated: b.Updated, Expires: b.Expires, Seen: r.Seen,
			})
		}
	}
	for _, s := range h.sip.Subscribers(link) {
		if s.State != tenant.Registered {
			continue
		}
		r := restapi.Registration{
			Link: s.Link, MSISDN: s.Number(), IMSI: s.IMSI, Node: s.SCSCF, Source: s.Place, Since: s.Since, Updated: s.Updated, Expires: s.Expires,
		}
		if len(s.Public) > 0 {
			r.AOR = s.Public[0]
		}
		all = append(all, r)
	}
	return all
}

// Deregister implements restapi.Peers.
func (h peers) Deregister(ctx context.Context, link, aor, contact string) (bool, error) {
	l, u := h.catalog.Directory().UserNamed(aor)
	if l == nil || l.Name != link {
		return h.sip.EndSubscriber(ctx, link, aor)
	}
	if contact != "" {
		return h.presence.End(ctx, u.AOR, contact)
	}
	return h.presence.End(ctx, u.AOR)
}

// Bans implements restapi.Peers.
func (h peers) Bans() []restapi.Ban {
	var all []restapi.Ban
	for _, b := range h.sip.Bans() {
		all = append(all, restapi.Ban{Address: b.Addr.String(), Until: b.Until})
	}
	return all
}

// Pardon implements restapi.Peers.
func (h peers) Pardon(address netip.Addr) { h.sip.Pardon(address) }

// bound tells the event stream of binds.
func (h *house) bound(n smpp.BindNews) {
	if s := h.located.Load(); s != nil {
		s.BindChanged(n.Link, n.Peer, n.Opened)
	}
}
