package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// files are records in memory: one row a line, columns as in recordHead.
type files map[string]string

var recordHead = strings.Fields("record_type delivery_date network_id link_account dest_smsc status cause addr_src_digits src_received addr_dst_digits dst_received message_id msg_parts delivery_count cost first_20_characters client_ref")

func (f files) Files() ([]RecordFile, error) {
	var all []RecordFile
	for name := range f {
		at, err := time.Parse("2006-01-02", name)
		if err != nil {
			return nil, err
		}
		all = append(all, RecordFile{name, at})
	}
	slices.SortFunc(all, func(a, b RecordFile) int { return a.From.Compare(b.From) })
	return all, nil
}

func (f files) Number(column string) bool {
	return slices.Contains([]string{"message_id", "msg_parts", "delivery_count"}, column)
}

// Read has the number of a line, from 1, for its place.
func (f files) Read(_ context.Context, name string, at int64, back bool, visit func(at int64, columns, values []string) bool) error {
	lines := slices.Collect(strings.Lines(f[name]))
	for i := range lines {
		n := int64(i) + 1
		if back {
			n = int64(len(lines) - i)
		}
		if at > 0 && (back && n >= at || !back && n <= at) {
			continue
		}
		if !visit(n, recordHead, strings.Split(strings.TrimSpace(lines[n-1]), ",")) {
			return nil
		}
	}
	return nil
}

var someRecords = files{
	"2026-01-01": `final,2026-01-01T10:00:00.000Z,shop,operator,carrier1,delivered,,4917,+4917,44771,+44771,1,1,1,0.010000,Hello,r1
attempt,2026-01-01T10:00:01.000Z,shop,operator,carrier1,,absent,4917,+4917,44771,+44771,2,1,1,,Hello,
final,2026-01-01T10:00:02.000Z,other,acme,app,failed,absent,Other,Other,44772,+44772,2,3,2,0.100000,Secret,r2
`,
	"2026-01-02": `final,2026-01-02T10:00:00.000Z,acme,acme,app,delivered,,4917,+4917,44772,+44772,3,2,1,1.5,=1+1,r3
final,2026-01-02T11:00:00.000Z,acme,operator,carrier1,expired,expired,4917,+4917,0,0,4,1,9,,Bye,
`,
}

func withRecords(_ *Config, d *Deps) { d.Records = someRecords }

// rowIDs lists the messages of an answer.
func rowIDs(t *testing.T, r reply) string {
	t.Helper()
	var rows []recordDoc
	if err := json.Unmarshal([]byte(r.body), &rows); r.code != 200 || err != nil {
		t.Fatalf("%d %v %s", r.code, err, r.body)
	}
	got := ""
	for _, row := range rows {
		got += fmt.Sprint(row.ID, " ")
	}
	return strings.TrimSpace(got)
}

func TestRecordsAreListedByReachAndFilter(t *testing.T) {
	g := newRig(t, withRecords)
	for query, want := range map[string]string{
		"": "4 3 2 1", "?order=asc": "1 2 3 4", "?type=all&order=asc": "1 2 2 3 4", "?type=attempt": "2",
		"?account=acme": "4 3 2 1", "?account=other": "2", "?account=shop": "1", "?link=app": "3 2", "?status=failed,expired": "4 2", "?cause=absent": "2",
		"?to=%2B44772": "3 2", "?to=4477*": "3 2 1", "?from=Other": "2", "?since=2026-01-02T00:00:00Z": "4 3", "?until=2026-01-02T00:00:00Z": "2 1",
		"?since=2026-01-01T10:00:02Z&until=2026-01-02T11:00:00Z": "3 2", "?limit=1": "4",
	} {
		if got := rowIDs(t, g.as(operatorKey, "GET", "/api/cdrs"+query, "")); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if got := rowIDs(t, g.as(acmeKey, "GET", "/api/cdrs", "")); got != "4 3 2 1" {
		t.Errorf("acme sees %s", got)
	}
	r := g.as(acmeKey, "GET", "/api/cdrs?status=failed", "")
	if strings.Contains(r.body, "Secret") || strings.Contains(r.body, "other") || strings.Contains(r.body, "0.1") || !strings.Contains(r.body, `"link":"app"`) {
		t.Errorf("of a foreign message over one's own link: %s", r.body)
	}
	g.steps(t, []step{
		{acmeKey, "GET", "/api/cdrs?account=other", "", 200, "[]", nil},
		{acmeKey, "GET", "/api/cdrs?type=some", "", 422, "query.type", nil},
		{acmeKey, "GET", "/api/cdrs?cause=some", "", 422, "query.cause", nil},
		{acmeKey, "GET", "/api/cdrs?group=number", "", 422, "query.group", nil},
		{acmeKey, "GET", "/api/cdrs?after=nothing:1", "", 422, "query.after", nil},
		{acmeKey, "GET", "/api/cdrs?view=full&limit=1", "", 200, `"addr_dst_digits":"0"`, nil},
	})
}

func TestPagesOfRecordsJoinWithoutGapOrRepeat(t *testing.T) {
	g := newRig(t, withRecords)
	for order, want := range map[string]string{"desc": "4 3 2 2 1", "asc": "1 2 2 3 4"} {
		for limit := 1; limit <= 5; limit++ {
			var got []string
			next := fmt.Sprintf("/api/cdrs?type=all&order=%s&limit=%d", order, limit)
			for next != "" {
				r := g.as(operatorKey, "GET", next, "")
				got = append(got, rowIDs(t, r))
				next, _, _ = strings.Cut(strings.TrimPrefix(r.header.Get("Link"), "<"), ">")
			}
			if all := strings.Join(got, " "); all != want {
				t.Errorf("%s by %d: %s, want %s", order, limit, all, want)
			}
		}
	}
}

func TestRecordsAreSummedUp(t *testing.T) {
	g := newRig(t, withRecords)
	g.steps(t, []step{
		{operatorKey, "GET", "/api/cdrs?group=link", "", 200, `[{"link":"app","messages":2,"parts":5,"delivered":1,"attempts":3,"cost":"1.600000"},{"link":"carrier1","messages":2,"parts":2,"delivered":1,"attempts":10,"cost":"0.010000"}]`, nil},
		{operatorKey, "GET", "/api/cdrs?group=account,status&to=44772", "", 200, `{"account":"acme","status":"delivered","messages":1,`, nil},
		{acmeKey, "GET", "/api/cdrs?group=account&link=app", "", 200, `{"account":"","messages":1,"parts":3,"delivered":0,"attempts":2,"cost":"0.000000"}`, nil},
	})
}

func TestAllRecordsAreStreamed(t *testing.T) {
	g := newRig(t, withRecords)
	r := g.as(operatorKey, "GET", "/api/cdrs?type=all", "", "Accept: text/csv")
	if lines := strings.Split(strings.TrimSpace(r.body), "\n"); len(lines) != 6 || lines[0] != strings.Join(recordHead, ",") || !strings.Contains(r.body, "'=1+1") ||
		!strings.Contains(r.body, ",+4917,") {
		t.Errorf("%s", r.body)
	}
	r = g.as(operatorKey, "GET", "/api/cdrs", "", "Accept: application/x-ndjson")
	lines := strings.Split(strings.TrimSpace(r.body), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], `{"record_type":"final",`) || !strings.Contains(lines[0], `"message_id":1,"msg_parts":1`) {
		t.Errorf("%s", r.body)
	}
}
