package restapi

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/tenant"
)

// rawJSON is JSON that is part of another answer.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// maxActions is how many messages one action works on.
const maxActions = 10_000

// actionsReply is the answer of POST /api/messages/actions.
type actionsReply struct {
	Matched int             `json:"matched"`
	Done    int             `json:"done"`
	Refused []actionRefusal `json:"refused"`
}

type actionRefusal struct {
	ID   message.ID `json:"id"`
	Code string     `json:"code"`
}

// actions are what can be done to many messages at once.
var actions = map[string]func(*call, context.Context, message.Record) error{
	"cancel": func(c *call, ctx context.Context, r message.Record) error {
		return c.s.deps.Editor.Cancel(ctx, only(r.Message), r.Message.ID, c.who())
	},
	"retry": func(c *call, ctx context.Context, r message.Record) error {
		return c.s.deps.Editor.Retry(ctx, only(r.Message), r.Message.ID, c.who())
	},
	"replay": (*call).replayAction,
}

// postActions answers POST /api/messages/actions (spec rest §2.5): the filter
// has the names of a listing.
func (c *call) postActions() error {
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	var body struct {
		Action string         `json:"action"`
		Filter map[string]any `json:"filter"`
		DryRun bool           `json:"dry_run"`
	}
	if err := parseObject(data, func([]byte, value) {}); err != nil {
		return refuse("malformed", err.Error())
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return invalid("body", "needs action, filter and dry_run of the right types")
	}
	act := actions[body.Action]
	if act == nil {
		return invalid("body.action", "must be cancel, retry or replay")
	}
	if c.query, err = filterQuery(body.Filter); err != nil {
		return err
	}
	q, keep, err := c.readQuery()
	if err != nil {
		return err
	}
	// Nobody changes what is only passing over his link.
	rows, _, err := c.collect(q, both(keep, func(r message.Record) bool { return c.owns(r.Message) }), maxActions)
	if err != nil {
		return err
	}
	reply := actionsReply{Matched: len(rows), Refused: []actionRefusal{}}
	for _, r := range rows {
		if body.DryRun {
			continue
		}
		ctx := c.r.Context()
		err := act(c, ctx, r)
		if errors.Is(err, message.ErrStale) {
			err = act(c, ctx, r) // it changed while we looked
		}
		if err == nil {
			reply.Done++
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		reply.Refused = append(reply.Refused, actionRefusal{r.Message.ID, problemOf(err).code})
	}
	return c.encode(reply)
}

// filterQuery makes a filter in JSON the query of a listing.
func filterQuery(filter map[string]any) (url.Values, error) {
	if len(filter) == 0 {
		return nil, invalid("body.filter", "must name at least one thing: an action on everything is not meant by leaving it out")
	}
	values := url.Values{}
	for name, v := range filter {
		switch v := v.(type) {
		case string:
			values.Set(name, v)
		case float64:
			values.Set(name, strconv.FormatFloat(v, 'f', -1, 64))
		case bool:
			values.Set(name, strconv.FormatBool(v))
		case nil:
			values.Set(name, "null")
		default:
			return nil, invalid("body.filter."+shorten(name), "must be a string or number")
		}
		known := false
		for _, p := range listParams {
			known = known || p == name
		}
		if !known {
			return nil, invalid("body.filter."+shorten(name), "unknown filter")
		}
	}
	return values, nil
}

// csvHead names the columns of a listing in CSV.
var csvHead = []string{"id", "sid", "account", "source_msisdn", "destination_msisdn", "dest_smsc", "status", "cause", "parts",
	"delivery_attempts", "inserted_at", "delivered_at", "done_at", "client_ref", "message_body"}

// streamed tells whether Accept asks for a listing that is not held to one
// page: CSV, or one JSON object a line.
func (c *call) streamed() string {
	for part := range strings.SplitSeq(c.r.Header.Get("Accept"), ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
		case "text/csv", "application/x-ndjson":
			return kind
		}
	}
	return ""
}

// streamMessages writes all that q matches, page by page: memory holds one.
func (c *call) streamMessages(kind string, q message.Query, keep func(message.Record) bool) error {
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", kind)
	c.w.WriteHeader(http.StatusOK)
	table := csv.NewWriter(c.w)
	if kind == "text/csv" {
		_ = table.Write(csvHead) // what is wrong is seen at the flush
	}
	for {
		rows, next, err := c.collect(q, keep, scanPage)
		if err != nil {
			return err // too late for another status: the answer breaks off
		}
		c.extend(0)
		for _, r := range rows {
			if kind == "text/csv" {
				_ = table.Write(c.csvRow(r))
			} else if _, err = c.w.Write(append(c.appendRow(nil, r, viewFull, c.destOf(r)), '\n')); err != nil {
				return nil // the reader went away
			}
		}
		if table.Flush(); table.Error() != nil || next == 0 || c.r.Context().Err() != nil {
			return nil
		}
		q.After = next
	}
}

// csvRow is one line (RFC 4180 §2).
func (c *call) csvRow(r message.Record) []string {
	stamp := func(b []byte) string { return strings.Trim(strings.TrimPrefix(string(b), "null"), `"`) }
	account, ref := "", ""
	if c.owns(r.Message) {
		account, ref = r.Message.Account, r.Message.Origin.Handle
	}
	text, _ := appendText(nil, r.Message)
	var body string
	_ = json.Unmarshal(text, &body) // it was written as JSON just now
	row := []string{
		r.Message.ID.String(), string(c.s.sids.append(nil, r.Message.ID)), account, r.Message.From.Shown(), r.Message.To.Shown(),
		c.destOf(r), r.Status(), r.Cause().String(), strconv.Itoa(max(parts(r.Message), 1)), strconv.Itoa(int(r.State.Rounds)),
		stamp(appendTime(nil, r.Message.Accepted)), stamp(appendTime(nil, deliverTime(r))), stamp(appendTime(nil, r.State.Ended)), ref, body,
	}
	for i, s := range row {
		row[i] = spreadsheet(s)
	}
	return row
}

// spreadsheet keeps a program that opens a table from taking a text for a
// formula.
func spreadsheet(s string) string {
	if s != "" && strings.ContainsRune("=@\t\r", rune(s[0])) || len(s) > 1 && (s[0] == '+' || s[0] == '-') && strings.Trim(s[1:], "0123456789.") != "" {
		return "'" + s
	}
	return s
}

// simulateReply is the answer of POST /api/routes/simulate.
type simulateReply struct {
	Messages int             `json:"messages"`
	Results  []simulated     `json:"results"`
	Totals   []simulatedLink `json:"totals"`
}

type simulated struct {
	To       string   `json:"to"`
	Outcome  string   `json:"outcome"`
	Plan     []string `json:"plan"`
	DestSMSC *string  `json:"dest_smsc"`
}

type simulatedLink struct {
	DestSMSC string `json:"dest_smsc"`
	Messages int    `json:"messages"`
}

// simulateRoutes answers POST /api/routes/simulate: what a table would do with
// messages, before it is in force.
func (c *call) simulateRoutes() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	dir, err := c.candidate(body)
	if err != nil {
		return err
	}
	ms, err := c.sample(body)
	if err != nil {
		return err
	}
	reply := simulateReply{Messages: len(ms), Results: []simulated{}, Totals: []simulatedLink{}}
	counts := map[string]int{}
	for _, m := range ms {
		e, _ := c.explained(dir.Table(), m)
		row := simulated{To: m.To.Shown(), Outcome: e.Outcome, Plan: []string{}}
		for _, h := range e.Hops {
			row.Plan = append(row.Plan, h.Link)
		}
		first := e.Outcome
		if len(row.Plan) > 0 {
			first = row.Plan[0]
			row.DestSMSC = &row.Plan[0]
		}
		if counts[first]++; counts[first] == 1 {
			reply.Totals = append(reply.Totals, simulatedLink{DestSMSC: first})
		}
		reply.Results = append(reply.Results, row)
	}
	for i := range reply.Totals {
		reply.Totals[i].Messages = counts[reply.Totals[i].DestSMSC]
	}
	return c.encode(reply)
}

// candidate is the directory with the routes of the request in the place of
// the caller's own; the live one where it names none.
func (c *call) candidate(body map[string]any) (*tenant.Directory, error) {
	given, ok := body["routes"].([]any)
	if !ok {
		return c.dir, nil
	}
	doc := c.dir.Document()
	kept := doc.Routes[:0:0]
	for _, r := range doc.Routes {
		if !c.dir.Within(or(r.Account, tenant.Operator), c.id.Account) {
			kept = append(kept, r)
		}
	}
	for i, r := range given {
		data, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		one, err := readObject(routesSection, data)
		if err != nil {
			return nil, err
		}
		one.Routes[0].Account = or(one.Routes[0].Account, c.id.Account)
		if err := c.mayRoute(&one.Routes[0]); err != nil {
			return nil, invalid("body.routes["+strconv.Itoa(i)+"]", err.Error())
		}
		kept = append(kept, one.Routes[0])
	}
	doc.Routes = kept
	if faults := doc.Check(tenant.Insecure(c.s.cfg.Insecure)); len(faults) > 0 {
		return nil, c.unfitHere(faults)
	}
	return tenant.NewDirectory(c.dir.Revision, doc, "")
}

// sample reads the messages that are asked about: those of the request, or
// the newest that were accepted.
func (c *call) sample(body map[string]any) ([]*message.Message, error) {
	var ms []*message.Message
	if list, ok := body["messages"].([]any); ok {
		if len(list) == 0 || len(list) > maxBulk {
			return nil, invalid("body.messages", "must have from 1 to 1000 messages")
		}
		for i, v := range list {
			fields, _ := v.(map[string]any)
			c.query = url.Values{}
			for _, key := range []string{"from", "to", "source", "source_type", "account", "dest", "text"} {
				if s, ok := fields[key].(string); ok {
					c.query.Set(key, s)
				}
			}
			m, err := c.imagined()
			if err != nil {
				return nil, invalid("body.messages["+strconv.Itoa(i)+"]", err.Error())
			}
			ms = append(ms, m)
		}
		return ms, nil
	}
	n := int64(100)
	if v, ok := body["recent"].(json.Number); ok {
		n, _ = v.Int64()
	}
	if n < 1 || n > maxBulk {
		return nil, invalid("body.recent", "must be from 1 to 1000")
	}
	kind := message.KindMessage
	rows, err := c.s.deps.Ledger.List(c.r.Context(), message.Query{Reach: c.reach(), Kind: &kind, Desc: true, Limit: int(n)})
	for _, r := range rows {
		ms = append(ms, r.Message)
	}
	return ms, err
}
