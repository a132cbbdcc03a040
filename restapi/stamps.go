package restapi

import (
	"strconv"
	"time"

	"smsc/routing"
)

// StampRow is when an object came to be and was last changed, as rows of
// declared objects end; null for what is older than such stamps. It is
// exported for the OpenAPI document, which leaves out what it cannot see.
type StampRow struct {
	Created *string `json:"created_at"`
	Updated *string `json:"updated_at"`
}

// HitRow is how often a route or rule decided, since the program has started.
type HitRow struct {
	Hits uint64  `json:"hits"`
	Last *string `json:"last_hit"`
}

func (c *call) stamp(s section, name string) StampRow {
	at := c.dir.Stamp(string(s), name)
	return StampRow{instant(at.Created), instant(at.Updated)}
}

func (c *call) routeHits(id int) HitRow { return hitsRow(c.dir.Table().RouteHits(id)) }

func (c *call) ruleHits(account, name string) HitRow {
	return hitsRow(c.dir.Table().RuleHits(account, name))
}

func hitsRow(h routing.Hits) HitRow { return HitRow{h.Count, instant(h.Last)} }

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
