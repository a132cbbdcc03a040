package restapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// listing are the parameters that every list of ours knows (spec rest §1.2,
// spec rest §1.6).
var listing = []string{"account", "subaccounts", "limit", "after"}

// scope reads whose things a list shows: the whole reach; with account, that
// one and what lies below it; with subaccounts=false, without what lies below.
// What is out of reach does not exist.
func (c *call) scope() func(account string) bool {
	root, ok := c.account(c.query.Get("account"))
	if !ok {
		return func(string) bool { return false }
	}
	if c.alone() {
		return func(account string) bool { return account == root }
	}
	return func(account string) bool { return c.dir.Within(account, root) }
}

// alone tells whether what lies below the account is left out.
func (c *call) alone() bool {
	sub := c.query.Get("subaccounts")
	return sub == "false" || sub == "0"
}

// onePage cuts rows that are known as a whole to the page that limit and after
// ask for, and says where the next one begins; without either it is all of
// them. name tells rows apart. A cursor is the place and the name of the last
// row: where that row is gone by then, its place still says where it was.
func onePage[T any](c *call, rows []T, name func(T) string) ([]T, error) {
	c.w.Header().Set("X-Total-Count", strconv.Itoa(len(rows)))
	if c.query.Get("limit") == "" && c.query.Get("after") == "" {
		return rows, nil
	}
	limit, err := c.number("limit", 100, 1, 1000)
	if err != nil {
		return nil, err
	}
	from := 0
	if after := c.query.Get("after"); after != "" {
		place, last, _ := strings.Cut(after, "-")
		n, err := strconv.ParseUint(place, 10, 31)
		if err != nil {
			return nil, invalid("query.after", "is no cursor of this server")
		}
		from = min(max(int(n)-1, 0), len(rows)) // it is gone: those behind it moved up by one
		if i := slices.IndexFunc(rows, func(r T) bool { return name(r) == last }); i >= 0 {
			from = i + 1
		}
	}
	to := min(from+limit, len(rows))
	if to < len(rows) {
		c.linkNext(strconv.Itoa(to) + "-" + name(rows[to-1]))
	}
	return rows[from:to], nil
}

// linkNext (RFC 8288 §3) names the page behind a cursor.
func (c *call) linkNext(after string) {
	query := c.r.URL.Query()
	query.Set("after", after)
	c.w.Header().Set("Link", "<"+c.r.URL.Path+"?"+query.Encode()+`>; rel="next"`)
}

// sendPageOf answers with the page of rows that is asked for.
func sendPageOf[T any](c *call, rows []T, name func(T) string) error {
	rows, err := onePage(c, rows, name)
	if err != nil {
		return err
	}
	return c.encodeStatus(http.StatusOK, notNil(rows))
}
