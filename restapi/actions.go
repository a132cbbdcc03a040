package restapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"

	"smsc/message"
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
