package restapi

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"smsc/tenant"
)

// recordDoc is one row in its short view; view=full has every column of the
// file under its name there.
type recordDoc struct {
	ID       uint64  `json:"id" doc:"Of the message"`
	Type     string  `json:"type" enum:"final,attempt,reject,dlr"`
	At       string  `json:"at" doc:"End of the message, or of the attempt"`
	Accepted *string `json:"submitted_at"`
	Account  *string `json:"account"`
	From     *string `json:"from"`
	To       *string `json:"to"`
	Source   *string `json:"source_smsc"`
	Link     *string `json:"link"`
	Status   *string `json:"status"`
	Cause    *string `json:"cause"`
	Parts    *int    `json:"parts"`
	Attempts *int    `json:"attempts"`
	Millis   *int    `json:"ms" doc:"From acceptance to the end"`
	Cost     *string `json:"cost"`
	Unit     *string `json:"cost_unit"`
	Text     *string `json:"text" doc:"Its first 20 characters"`
	Reason   *string `json:"reason"`
}

// shortColumns are the columns of the short view and their names there.
var shortColumns = [...][2]string{
	{"id", "message_id"}, {"type", "record_type"}, {"at", colTime}, {"submitted_at", "submit_date"}, {"account", colAccount},
	{"from", "src_received"}, {"to", "dst_received"}, {"source_smsc", "source_smsc"}, {"link", colLink}, {"status", "status"}, {"cause", "cause"},
	{"parts", "msg_parts"}, {"attempts", "delivery_count"}, {"ms", "processing_time"}, {"cost", "cost"}, {"cost_unit", "cost_unit"},
	{"text", "first_20_characters"}, {"reason", "reason_for_failure"},
}

// maxRecordRows bounds one page.
const maxRecordRows = 1000

// listRecords answers GET /api/cdrs: the newest rows, sums, or all of them.
func (c *call) listRecords() error {
	f, err := c.readRecordFilter()
	if err != nil {
		return err
	}
	files, err := c.s.recordFiles(&f)
	if err != nil {
		return err
	}
	if s := c.query.Get("group"); s != "" {
		return c.sumRecords(&f, files, strings.Split(s, ","))
	}
	if kind := c.streamed(); kind != "" {
		return c.streamRecords(kind, &f, files)
	}
	limit, err := c.number("limit", 100, 1, maxRecordRows)
	if err != nil {
		return err
	}
	full := c.query.Get("view") == "full"
	back := c.query.Get("order") != "asc"
	if back {
		slices.Reverse(files)
	}
	n, at, err := c.recordCursor(files)
	if err != nil {
		return err
	}
	p := recordPage{back: back, limit: limit, write: func(r *recordRow) []byte { return c.s.appendRecord(nil, r, full) }}
	for _, file := range files[min(n, len(files)):] {
		if err := p.read(c, &f, file.Name, at); err != nil {
			return err
		}
		if at = 0; p.next != "" {
			break
		}
	}
	if p.next != "" {
		query := c.r.URL.Query()
		query.Set("after", p.next)
		c.w.Header().Set("Link", "<"+c.r.URL.Path+"?"+query.Encode()+`>; rel="next"`)
	}
	out := []byte{'['}
	for i, row := range p.rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, row...)
	}
	return c.json(http.StatusOK, append(out, ']'))
}

// recordCursor finds where a page begins: the number of a file, and the row
// behind which; 0 for the first.
func (c *call) recordCursor(files []RecordFile) (n int, at int64, err error) {
	after := c.query.Get("after")
	if after == "" {
		return 0, 0, nil
	}
	name, text, _ := strings.Cut(after, ":")
	at, err = strconv.ParseInt(text, 10, 64)
	n = slices.IndexFunc(files, func(f RecordFile) bool { return f.Name == name })
	if err != nil || n < 0 || at <= 0 {
		return 0, 0, invalid("query.after", "is no cursor of this server, or its file is gone")
	}
	return n, at, nil
}

// recordPage collects the rows of one page.
type recordPage struct {
	back  bool
	limit int
	write func(*recordRow) []byte
	rows  [][]byte
	last  string // where the newest of rows lies
	seen  int
	next  string // after which a further page begins; "": there is none
}

// maxRecordScan bounds the rows that one page looks at; the next page goes on
// where it stopped.
const maxRecordScan = 1_000_000

// read adds the rows of a file that lie behind a place. One more than fit
// shows that there is a further page.
func (p *recordPage) read(c *call, f *recordFilter, file string, at int64) error {
	err := c.readRecords(f, file, at, p.back, &p.seen, func(at int64, r *recordRow) bool {
		if len(p.rows) == p.limit {
			p.next = p.last
			return false
		}
		p.rows = append(p.rows, p.write(r))
		p.last = file + ":" + strconv.FormatInt(at, 10)
		if p.seen >= maxRecordScan {
			c.w.Header().Set("X-Scan-Truncated", "true")
			p.next = p.last
		}
		return p.next == ""
	})
	return err
}

// appendRecord writes a row as JSON. What is unknown or does not apply is
// null.
func (s *Server) appendRecord(dst []byte, r *recordRow, full bool) []byte {
	dst = append(dst, '{')
	open := len(dst)
	put := func(name, column string) {
		if len(dst) > open {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, name), ':')
		v := r.get(column)
		switch {
		case v == "":
			dst = append(dst, "null"...)
		case s.deps.Records.Number(column) && plainNumber(v):
			dst = append(dst, v...)
		default:
			dst = appendString(dst, v)
		}
	}
	if !full {
		for _, k := range shortColumns {
			put(k[0], k[1])
		}
		return append(dst, '}')
	}
	names := make([]string, len(r.at))
	for name, i := range r.at {
		names[i] = name
	}
	for _, name := range names {
		put(name, name)
	}
	return append(dst, '}')
}

// plainNumber tells whether s is a whole number as JSON has it.
func plainNumber(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil && (s == "0" || s[0] != '0' && s[0] != '+' && !strings.HasPrefix(s, "-0"))
}

// streamRecords writes every row that matches, oldest first: memory holds one.
func (c *call) streamRecords(kind string, f *recordFilter, files []RecordFile) error {
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", kind)
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	table := csv.NewWriter(c.w)
	var head []string
	broken, seen := false, 0
	for _, file := range files {
		c.extend(0)
		err := c.readRecords(f, file.Name, 0, false, &seen, func(_ int64, r *recordRow) bool {
			if seen%10_000 == 0 {
				c.extend(0)
			}
			if kind != "text/csv" {
				_, err := c.w.Write(append(c.s.appendRecord(nil, r, true), '\n'))
				broken = err != nil
				return !broken
			}
			if head == nil {
				head = make([]string, len(r.at))
				for name, i := range r.at {
					head[i] = name
				}
				_ = table.Write(head) // what is wrong is seen at the flush
			}
			_ = table.Write(cells(r, head))
			broken = table.Error() != nil
			return !broken
		})
		table.Flush()
		if err != nil || broken {
			return err // too late for another status: the answer breaks off
		}
	}
	return nil
}

// cells are the values of r under head: a file of another release may have
// other columns.
func cells(r *recordRow, head []string) []string {
	row := make([]string, len(head))
	for i, name := range head {
		row[i] = spreadsheet(r.get(name))
	}
	return row
}

// recordRoutes serve the records.
func (s *Server) recordRoutes() []route {
	if s.deps.Records == nil {
		return nil
	}
	return []route{{method: "GET", path: "/api/cdrs", need: tenant.Read, handle: (*call).listRecords,
		params: []string{"since", "until", "account", "link", "status", "cause", "from", "to", "type", "group", "view", "order", "limit", "after"},
		doc: doc{tag: "operation", summary: "Records of messages that ended; group sums them up, Accept: text/csv or application/x-ndjson gives all",
			reply: []recordDoc{}, headers: []string{"Accept"}, errors: []int{422}}}}
}
