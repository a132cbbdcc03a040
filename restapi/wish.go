package restapi

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// eventWish is what one stream of events was asked for.
type eventWish struct {
	event    func(*event) bool // of the ring
	messages bool              // those of messages among them
	only     message.ID        // of one message; 0: of all
	stats    bool              // once a second
	logs     bool
	account  string // whose reach it is
	line     uint64 // of the log that was sent last
	second   string // of the statistics that were sent last
}

// readWish reads which events a stream is asked for.
func (c *call) readWish() (*eventWish, error) {
	var kinds []string
	if s := c.query.Get("types"); s != "" {
		kinds = strings.Split(s, ",")
		for _, k := range kinds {
			if _, err := path.Match(k, ""); err != nil {
				return nil, invalid("query.types", "must be a list of types like message.*")
			}
		}
	}
	account, ok := c.account(c.query.Get("account"))
	if !ok {
		return &eventWish{event: func(*event) bool { return false }}, nil
	}
	id := message.ID(0)
	if s := c.query.Get("message"); s != "" {
		if id, ok = c.s.sids.parse(s); !ok {
			return nil, invalid("query.message", "is no id of a message")
		}
	}
	link, number := c.query.Get("link"), digits(c.phone("number"))
	wish := &eventWish{account: account, only: id, event: func(e *event) bool {
		// A snapshot of now: an account may move while a stream is open.
		dir := c.s.deps.Directory()
		return dir.Within(or(e.account, tenant.Operator), account) && (link == "" || link == e.link) && (id == 0 || id == e.message) &&
			(number == "" || digits(e.from) == number || digits(e.to) == number) && kindAmong(kinds, e.kind)
	}}
	wish.messages = kindAmong(kinds, receiptEvent)
	for _, kind := range phaseEvents {
		wish.messages = wish.messages || kindAmong(kinds, kind)
	}
	if link == "" && number == "" && id == 0 {
		wish.stats = c.s.deps.Sample != nil && kindAmong(kinds, "stats")
		wish.logs = c.s.deps.Logs != nil && account == tenant.Operator && kindAmong(kinds, "log")
	}
	if wish.logs {
		wish.line = c.s.deps.Logs.newest()
	}
	return wish, nil
}

// eachSecond appends what a stream gets by the clock: the figures of the
// last second and the new lines of the log. Neither is in the ring: a reader
// who comes back asks for the history of the one and the lines of the other.
func (c *call) eachSecond(dst []byte, wish *eventWish) []byte {
	if wish.stats {
		if data := c.s.operator.stats.statsEvent(wish.account); data != nil && data["second"] != wish.second {
			wish.second, _ = data["second"].(string)
			data["at"] = json.RawMessage(appendMillis(nil, time.Now()))
			if text, err := json.Marshal(data); err == nil {
				dst = append(append(append(dst, "event: stats\ndata: "...), text...), "\n\n"...)
			}
		}
	}
	if wish.logs {
		for _, l := range c.s.deps.Logs.after(wish.line, eventsSecond, func(*logLine) bool { return true }) {
			if l.id > wish.line+1 {
				dst = append(strconv.AppendUint(append(dst, "event: lost\ndata: {\"count\":"...), l.id-wish.line-1, 10), "}\n\n"...)
			}
			wish.line = l.id
			dst = append(l.append(append(dst, "event: log\ndata: "...)), "\n\n"...)
		}
	}
	return dst
}

// kindAmong tells whether a list of patterns names kind; an empty one names all.
func kindAmong(kinds []string, kind string) bool {
	for _, k := range kinds {
		if ok, _ := path.Match(k, kind); ok {
			return true
		}
	}
	return len(kinds) == 0
}
