package restapi

import (
	"cmp"
	"hash/fnv"
	"io"
	"slices"
	"strings"

	"smsc/tenant"
)

// liveBase is the lowest id of a location row that stands for a live
// registration. The id is made of what names the registration, so that it
// stays the same while that lasts; JSON readers keep it (below 2^53).
const liveBase uint64 = 1 << 52

func liveID(r *Registration) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, r.Link+"\x00"+r.AOR+"\x00"+r.Contact) // never fails
	return liveBase | h.Sum64()&(liveBase-1)
}

// liveRows shows the registrations of sip-users and ims links as location
// rows, in the order of their ids (spec rest §2.9).
func (s *Server) liveRows(dir *tenant.Directory) []*row {
	if s.deps.Peers == nil {
		return nil
	}
	all := s.deps.Peers.Registrations("")
	rows := make([]*row, 0, len(all))
	for i := range all {
		if l := dir.Link(all[i].Link); l != nil {
			rows = append(rows, liveRowOf(&all[i], l))
		}
	}
	slices.SortFunc(rows, func(a, b *row) int { return cmp.Compare(a.ID, b.ID) })
	return rows
}

func liveRowOf(r *Registration, l *tenant.Link) *row {
	fields := map[string]any{"location": r.Link, "access_type": "sip", "registered_at": *instant(r.Since), "expires": *instant(r.Expires)}
	if l.Kind == tenant.KindIMS {
		fields["access_type"], fields["ims_capable"] = "ims", true
	}
	for name, v := range map[string]string{
		"msisdn": r.MSISDN, "imsi": r.IMSI, "contact": or(r.Contact, uriOf(r.AOR)), "path": r.Path, "serving_node": r.Node, "user_agent": r.UserAgent,
	} {
		if v != "" {
			fields[name] = v
		}
	}
	return &row{ID: liveID(r), Account: l.Account, Inserted: r.Since, Updated: r.Updated, Fields: fields, live: r}
}

// uriOf is an identity if it is a URI, else nothing.
func uriOf(aor string) string {
	if strings.Contains(aor, ":") {
		return aor
	}
	return ""
}

// liveRow finds the row of a live registration, within reach.
func (c *call) liveRow(id uint64) (*row, error) {
	for _, r := range c.s.liveRows(c.dir) {
		if r.ID == id && c.dir.Within(r.Account, c.id.Account) {
			return r, nil
		}
	}
	return nil, refuse("not_found", "no such row")
}
