package restapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/capture"
	"smsc/message"
)

// tracedRaw reads a trace as one sees it: "step protocol
// first-octets" each.
func tracedRaw(t *testing.T, g *rig, who string, id message.ID) (all []string) {
	t.Helper()
	r := g.send("GET", "/api/messages/"+id.String()+"/trace", "", who)
	var trace traceDoc
	if err := json.Unmarshal([]byte(r.body), &trace); err != nil || r.code != 200 {
		t.Fatalf("%d %s: %v", r.code, r.body, err)
	}
	for _, s := range trace.Steps {
		for _, raw := range s.Raw {
			first, _, _ := strings.Cut(raw.Text+raw.Hex, "\r\n")
			all = append(all, s.Step+" "+raw.Protocol+" "+first)
		}
	}
	return all
}

func TestOctetsAreForAdminsOfTheAccountAndAbove(t *testing.T) {
	ring := capture.New(100)
	g := accessRig(t, func(_ *Config, d *Deps) { d.Captured = ring })
	r := g.send("POST", "/api/messages", `{"source_msisdn":"+1","destination_msisdn":"+447700900123","message_body":"x","source_smsc":"a","status_callback":"http://u:geheim@127.0.0.1:9/"}`, "X-API-Key: "+accessKey("A", "send"))
	id, ok := message.ParseID(strings.TrimPrefix(r.header.Get("Location"), "/api/messages/"))
	if !ok {
		t.Fatal(r.code, r.body)
	}
	err := g.house.edit(nil, id, func(r *message.Record) error {
		for n := range 2 {
			at := r.Message.Accepted.Add(time.Duration(n) * time.Second)
			r.State.Note(message.Step{At: at, Kind: "attempt", Link: "carrier1", Text: message.Try{Round: 1, Number: n + 1}.Text()})
			r.State.Note(message.Step{At: at, Kind: "outcome", Link: "carrier1", Result: "Deferred"})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint16(2) {
		tap := ring.Tap(capture.SMPP, &message.Attempt{Message: &message.Message{ID: id}, Link: "carrier1", Number: n + 1})
		tap.Sent("", []byte{byte(n)})
		tap.Heard("", []byte{0x80 + byte(n)})
	}
	own := "accepted http POST /api/messages"
	whole := []string{own, "attempt smpp 00", "outcome smpp 80", "attempt smpp 01", "outcome smpp 81"}
	for who, want := range map[string][]string{
		credentialOf("operator", "admin"): whole, credentialOf("A", "admin"): {own}, credentialOf("P", "admin"): {own},
		credentialOf("A", "send"): nil, credentialOf("A", "read"): nil, credentialOf("P", "read"): nil,
	} {
		if got := tracedRaw(t, g, who, id); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s sees %q, want %q", who, got, want)
		}
	}
	for _, other := range []string{"B", "S", "C", "T"} {
		if r := g.send("GET", "/api/messages/"+id.String()+"/trace", "", credentialOf(other, "admin")); r.code != 404 {
			t.Errorf("%s: %d %s", other, r.code, r.body)
		}
	}
	if r := g.as(operatorKey, "GET", "/api/messages/"+id.String()+"/trace", ""); strings.Contains(r.body, "geheim") || !strings.Contains(r.body, `http://u:***@127`) {
		t.Error(r.body)
	}
}

func TestOctetsOfBulkAndOfReportsAreFound(t *testing.T) {
	ring := capture.New(100)
	g := newRig(t, func(_ *Config, d *Deps) { d.Captured = ring })
	r := g.as(acmeKey, "POST", "/api/messages/bulk", `{"messages":[`+simple("app")+`]}`)
	var said bulkReplyDoc
	if err := json.Unmarshal([]byte(r.body), &said); err != nil || len(said.Results) != 1 {
		t.Fatal(r.body, err)
	}
	id := message.ID(said.Results[0].ID)
	err := g.house.edit(nil, id, func(r *message.Record) error {
		r.State.Link = "carrier1"
		r.State.Segments = []message.Segment{{Remote: "00AB-1"}}
		r.State.Note(message.Step{At: time.Now(), Kind: "report", Link: "carrier1"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ring.Keep(capture.Hop{Step: capture.Report, Form: capture.SMPP, Link: "carrier1", Remote: []string{"ab1"}}, "", []byte{5})
	ring.Keep(capture.Hop{Step: capture.Report, Form: capture.SMPP, Link: "app", Remote: []string{"ab1"}}, "", []byte{6})
	ring.Keep(capture.Hop{Step: capture.Report, Form: capture.SMPP, Link: "carrier1", Remote: []string{"ab2"}}, "", []byte{7})
	if got := fmt.Sprint(tracedRaw(t, g, credentialOf("operator", "admin"), id)); got != "[accepted http POST /api/messages/bulk report smpp 05]" {
		t.Error(got)
	}
}

func TestOctetsThatAreNoTextAreToldInHexadecimal(t *testing.T) {
	for in, want := range map[string]string{"a\r\n\tä": `"text":"a\r\n\tä"`, "a\x00": `"hex":"6100"`, "\xff": `"hex":"ff"`} {
		if got := string(appendPacket(nil, &capture.Packet{Hop: capture.Hop{Form: capture.SIP}, Octets: []byte(in)})); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
