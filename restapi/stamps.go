package restapi

import (
	"strconv"
	"time"

	"smsc/routing"
)

// stampRow is when an object came to be and was last changed, as rows of
// declared objects end; null for what is older than such stamps.
type stampRow struct {
	Created *string `json:"created_at"`
	Updated *string `json:"updated_at"`
}

// hitRow is how often a route or rule decided, since the program has started.
type hitRow struct {
	Hits uint64  `json:"hits"`
	Last *string `json:"last_hit"`
}

func (c *call) stamp(s section, name string) stampRow {
	at := c.dir.Stamp(string(s), name)
	return stampRow{instant(at.Created), instant(at.Updated)}
}

func (c *call) routeHits(id int) hitRow { return hitsRow(c.dir.Table().RouteHits(id)) }

func (c *call) ruleHits(account, name string) hitRow {
	return hitsRow(c.dir.Table().RuleHits(account, name))
}

func hitsRow(h routing.Hits) hitRow { return hitRow{h.Count, instant(h.Last)} }

// instant is a moment as answers have it; nil for the zero time.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

// readOnly are the members of rows that say what is, not what is declared: a
// body may bring them back as a GET has shown them.
var readOnly = []string{"state", "created_at", "updated_at", "hits", "last_hit", "sub_accounts", "last_message_at"}

// declaredBody reads the body of a write to a declared object.
func (c *call) declaredBody() (map[string]any, error) {
	body, err := c.objectBody()
	for _, name := range readOnly {
		delete(body, name)
	}
	return body, err
}

// routeName names a route in the stamps.
func routeName(id int) string { return strconv.Itoa(id) }
