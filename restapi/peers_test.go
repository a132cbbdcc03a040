package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakePeers are two sessions of carrier1 and two devices on a link of users.
type fakePeers struct {
	ended    []string
	pardoned netip.Addr
}

var someMoment = time.Date(2026, 11, 21, 9, 0, 0, 5e8, time.UTC)

func (p *fakePeers) Sessions(link string) []Session {
	if link != "carrier1" {
		return nil
	}
	return []Session{{ID: "a1", Peer: "192.0.2.1:2775", Bind: "transceiver", Opened: "us", Since: someMoment, LastAt: someMoment, Window: LinkWindow{2, 100}}}
}

func (p *fakePeers) Disconnect(link, id string) bool {
	p.ended = append(p.ended, link+" "+id)
	return id == "a1"
}

func (p *fakePeers) Registrations(link string) []Registration {
	all := []Registration{
		{Link: "phones", AOR: "bob", MSISDN: "15551230002", Contact: "sip:bob@192.0.2.7", UserAgent: "x", Transport: "udp", Since: someMoment, Updated: someMoment, Expires: someMoment.Add(time.Hour)},
		{Link: "phones", AOR: "alice", MSISDN: "15551230001", Contact: "sip:alice@192.0.2.8", UserAgent: "y", Transport: "tcp", Since: someMoment, Updated: someMoment, Expires: someMoment.Add(time.Hour), Seen: someMoment},
		{Link: "core", AOR: "sip:carol@ims.example", MSISDN: "15551230003", Node: "sip:scscf", IMSI: "001010000000001", Since: someMoment, Updated: someMoment, Expires: someMoment.Add(time.Hour)},
	}
	return slices.DeleteFunc(all, func(r Registration) bool { return link != "" && r.Link != link })
}

func (p *fakePeers) Deregister(_ context.Context, link, aor, contact string) (bool, error) {
	p.ended = append(p.ended, strings.TrimSpace(link+" "+aor+" "+contact))
	return aor == "alice", nil
}

func (p *fakePeers) Bans() []Ban {
	return []Ban{{Address: "192.0.2.66", Until: someMoment}}
}

func (p *fakePeers) Pardon(a netip.Addr) { p.pardoned = a }

const phones = `{"name":"phones","kind":"sip-users","account":"acme","users":[{"aor":"alice","password":"a1","msisdn":"15551230001"},{"aor":"bob","password":"b1","msisdn":"15551230002"}]}`

// withPeers is a rig with connections and registrations.
func withPeers(t *testing.T) (*rig, *fakePeers) {
	t.Helper()
	p := &fakePeers{}
	g := withAdmin(t, func(_ *Config, d *Deps) { d.Peers = p })
	g.steps(t, []step{
		{operatorKey, "POST", "/api/links", phones, 201, "", nil},
		{operatorKey, "POST", "/api/links", `{"name":"core","kind":"ims","uri":"sip:127.0.0.1:5080","from":["127.0.0.2/32"],"smsc_address":"+15550000000","serves":["1555*"]}`, 201, "", nil},
	})
	return g, p
}

func TestSessionsAndRegistrationsAreSeenAndEndedByTheirOwners(t *testing.T) {
	g, p := withPeers(t)
	g.steps(t, []step{
		{operatorKey, "GET", "/api/links/carrier1/sessions", "", 200, `[{"id":"a1","peer":"192.0.2.1:2775","bind":"transceiver","opened_by":"us","since":"2026-11-21T09:00:00Z"`, nil},
		{operatorKey, "GET", "/api/links/app/sessions", "", 200, `[]`, nil},
		{acmeKey, "GET", "/api/links/carrier1/sessions", "", 404, "", nil},
		{adminKey, "DELETE", "/api/links/carrier1/sessions/a1", "", 404, "", nil},
		{operatorKey, "DELETE", "/api/links/carrier1/sessions/zz", "", 404, "no such session", nil},
		{operatorKey, "DELETE", "/api/links/carrier1/sessions/a1", "", 204, "", nil},
		{acmeKey, "GET", "/api/links/phones/registrations", "", 200, `[{"aor":"alice",`, nil},
		{acmeKey, "DELETE", "/api/links/phones/registrations/alice", "", 403, "", nil},
		{adminKey, "DELETE", "/api/links/phones/registrations/mallory", "", 404, "nobody", nil},
		{adminKey, "DELETE", "/api/links/phones/registrations/alice?contact=sip:alice@192.0.2.8", "", 204, "", nil},
		{adminKey, "GET", "/api/bans", "", 403, "", nil},
		{operatorKey, "GET", "/api/bans", "", 200, `[{"address":"192.0.2.66","until":"2026-11-21T09:00:00Z"}]`, nil},
		{operatorKey, "DELETE", "/api/bans/nonsense", "", 404, "", nil},
		{operatorKey, "DELETE", "/api/bans/192.0.2.66", "", 204, "", nil},
	})
	want := []string{"carrier1 zz", "carrier1 a1", "phones mallory", "phones alice sip:alice@192.0.2.8"}
	if !slices.Equal(p.ended, want) || p.pardoned.String() != "192.0.2.66" {
		t.Errorf("%v %v", p.ended, p.pardoned)
	}
}

func TestTheStreamTellsOfBindsRegistrationsAndLimits(t *testing.T) {
	g, _ := withPeers(t)
	g.server.events.publish(event{kind: "first"})
	g.server.BindChanged("carrier1", "192.0.2.1:2775", true)
	g.server.BindChanged("carrier1", "192.0.2.1:2775", false)
	g.server.RegistrationChanged("phones", "alice", true)
	g.server.RegistrationChanged("phones", "alice", false)
	g.server.LimitReached("shop", "too many messages in a short time")
	got := ""
	_, missed := g.server.events.open(1, &eventWish{event: func(*event) bool { return true }})
	for _, e := range missed {
		if e.kind != "provision.changed" {
			got += e.kind + "/" + e.account + "/" + e.status + "\n"
		}
	}
	for _, want := range []string{"bind.opened/operator/192.0.2.1:2775", "bind.closed/operator/", "registration.added/acme/alice", "registration.removed/acme/alice", "limit.reached/shop/too many"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestLiveRegistrationsAreLocations(t *testing.T) {
	g, p := withPeers(t)
	g.steps(t, []step{
		{acmeKey, "POST", "/api/locations", `{"msisdn":"447700900123","location":"app"}`, 201, `"id":1`, nil},
		{acmeKey, "GET", "/api/locations?msisdn=%2B15551230001", "", 200, `"location":"phones","contact":"sip:alice@192.0.2.8","path":null,"serving_node":null,"access_type":"sip"`, nil},
		{operatorKey, "GET", "/api/locations?location=core", "", 200, `"contact":"sip:carol@ims.example"`, nil},
		{operatorKey, "GET", "/api/locations?imsi=001010000000001", "", 200, `"ims_capable":true`, nil},
		{acmeKey, "GET", "/api/locations?location=core", "", 200, `[]`, nil},
		{operatorKey, "GET", "/api/locations/4503599627370497", "", 404, "", nil},
	})
	var seen []string
	ids := map[string]string{}
	next := "/api/locations?limit=1"
	for next != "" {
		var rows []struct {
			ID         uint64
			MSISDN     string
			Registered bool
		}
		r := g.as(operatorKey, "GET", next, "")
		if err := json.Unmarshal([]byte(r.body), &rows); err != nil || len(rows) != 1 {
			t.Fatalf("%v %s", err, r.body)
		}
		seen = append(seen, rows[0].MSISDN)
		ids[rows[0].MSISDN] = fmt.Sprint(rows[0].ID)
		if rows[0].Registered != strings.HasPrefix(rows[0].MSISDN, "1555") {
			t.Errorf("%+v", rows[0])
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(r.header.Get("Link"), "<"), ">")
	}
	if len(seen) != 4 || seen[0] != "447700900123" {
		t.Errorf("%v", seen)
	}
	alice := "/api/locations/" + ids["15551230001"]
	g.steps(t, []step{
		{acmeKey, "GET", alice, "", 200, `"registered":true`, nil},
		{acmeKey, "PATCH", alice, `{"location":"app"}`, 409, "registered", nil},
		{acmeKey, "DELETE", alice, "", 204, "", nil},
		{acmeKey, "DELETE", "/api/locations/" + ids["15551230003"], "", 404, "", nil},
	})
	if !slices.Equal(p.ended, []string{"phones alice sip:alice@192.0.2.8"}) {
		t.Errorf("%v", p.ended)
	}
}
