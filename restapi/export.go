package restapi

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"smsc/message"
)

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
