package restapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"smsc/message"
)

// Records reads the files of records (CDR), row by row.
type Records interface {
	// Files lists them, oldest first.
	Files() ([]RecordFile, error)
	// Read calls f for the rows of a file, oldest first, or back, newest
	// first, until f returns false. It begins behind the row at the place
	// given, in that direction; at 0 with the first. values are valid during
	// the call.
	Read(ctx context.Context, file string, at int64, back bool, f func(at int64, columns, values []string) bool) error
	// Number tells whether a column holds numbers.
	Number(column string) bool
}

// RecordFile is one file: its rows were written after From, and before the
// next file began.
type RecordFile struct {
	Name string
	From time.Time
}

// recordRow is one row while it is looked at.
type recordRow struct {
	at     map[string]int // places of the columns
	values []string
}

func (r *recordRow) get(column string) string {
	if i, ok := r.at[column]; ok && i < len(r.values) {
		return r.values[i]
	}
	return ""
}

// Columns of a record that its filters and its short view speak of (spec
// records §5).
const (
	colTime    = "delivery_date"
	colAccount = "network_id"
	colOwner   = "link_account"
	colLink    = "dest_smsc"
)

// private are the columns that the owner of a link is not shown of a message
// that is not his (spec rest §1.2).
var private = []string{
	"orig_network_id", "network_id", "orig_system_id", "first_20_characters", "client_ref", "charged", "charge_result", "charge_ref",
	"cost", "cost_unit", "mproc_notes", "peer", "route_id",
}

// recordFilter is what a listing of records is asked for.
type recordFilter struct {
	since, until         time.Time
	account              string // and those below it
	link, kind, from, to string
	statuses, causes     []string
}

// kinds of records; the first is what is meant when none is named.
var recordKinds = []string{"final", "attempt", "reject", "dlr", "all"}

func (c *call) readRecordFilter() (f recordFilter, err error) {
	if f.since, err = c.moment("since"); err != nil {
		return f, err
	}
	if f.until, err = c.moment("until"); err != nil {
		return f, err
	}
	f.account, _ = c.account(c.query.Get("account")) // "" where it is out of reach: nothing matches
	f.link, f.from, f.to = c.query.Get("link"), c.phone("from"), c.phone("to")
	if f.kind = or(c.query.Get("type"), recordKinds[0]); !slices.Contains(recordKinds, f.kind) {
		return f, invalid("query.type", "must be "+strings.Join(recordKinds, ", "))
	}
	if s := c.query.Get("status"); s != "" {
		f.statuses = strings.Split(s, ",")
	}
	if s := c.query.Get("cause"); s != "" {
		f.causes = strings.Split(s, ",")
		for _, word := range f.causes {
			if _, ok := message.ParseCause(word); !ok {
				return f, invalid("query.cause", "is no cause")
			}
		}
	}
	return f, nil
}

// matches tells whether r answers f and the caller may see it; where only its
// link is his, what is private is taken out.
func (c *call) matches(f *recordFilter, r *recordRow) bool {
	if f.account == "" || f.kind != "all" && r.get("record_type") != f.kind || f.link != "" && r.get(colLink) != f.link ||
		f.statuses != nil && !slices.Contains(f.statuses, r.get("status")) || f.causes != nil && !slices.Contains(f.causes, r.get("cause")) ||
		!sameNumber(f.from, r.get("addr_src_digits"), r.get("src_received")) || !sameNumber(f.to, r.get("addr_dst_digits"), r.get("dst_received")) {
		return false
	}
	if !f.since.IsZero() || !f.until.IsZero() {
		at, err := time.Parse(time.RFC3339, r.get(colTime))
		if err != nil || at.Before(f.since) || !f.until.IsZero() && !at.Before(f.until) {
			return false
		}
	}
	if c.dir.Within(r.get(colAccount), f.account) {
		return true
	}
	if owner := r.get(colOwner); owner == "" || !c.dir.Within(owner, f.account) {
		return false
	}
	if !c.dir.Within(r.get(colAccount), c.id.Account) {
		for _, name := range private {
			if i, ok := r.at[name]; ok {
				r.values[i] = ""
			}
		}
	}
	return true
}

// sameNumber compares a number or name as it was asked for with the forms
// that a record has of it; a trailing * matches a prefix.
func sameNumber(want string, forms ...string) bool {
	if want == "" {
		return true
	}
	prefix, any := strings.CutSuffix(want, "*")
	return slices.ContainsFunc(forms, func(form string) bool {
		if any {
			return strings.HasPrefix(form, prefix) || strings.HasPrefix(digits(form), digits(prefix))
		}
		return form == want || digits(form) == digits(want)
	})
}

// lateRecords is how much later than a message's end its row may be written
// and still be found by a search that ends before the file began: rows wait
// while the disk is full.
const lateRecords = time.Hour

// recordFiles lists the files that may hold rows of f, oldest first.
func (s *Server) recordFiles(f *recordFilter) ([]RecordFile, error) {
	files, err := s.deps.Records.Files()
	if err != nil {
		return nil, err
	}
	var out []RecordFile
	for i, file := range files {
		if i+1 < len(files) && !f.since.IsZero() && !files[i+1].From.After(f.since) ||
			!f.until.IsZero() && file.From.After(f.until.Add(lateRecords)) {
			continue
		}
		out = append(out, file)
	}
	return out, nil
}

// readRecords calls visit for the rows of a file that match, with their
// places in it, until it returns false. seen counts all that were read.
func (c *call) readRecords(f *recordFilter, file string, at int64, back bool, seen *int, visit func(at int64, r *recordRow) bool) error {
	var columns []string
	row := &recordRow{}
	return c.s.deps.Records.Read(c.r.Context(), file, at, back, func(at int64, names, values []string) bool {
		*seen++
		if !slices.Equal(columns, names) {
			columns = slices.Clone(names)
			row.at = make(map[string]int, len(names))
			for i, name := range names {
				row.at[name] = i
			}
		}
		row.values = values
		return !c.matches(f, row) || visit(at, row)
	})
}
