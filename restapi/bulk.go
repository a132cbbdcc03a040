package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// maxBulk is how many messages one bulk submission may have.
const maxBulk = 1000

// bulkBody is what POST /api/messages/bulk takes: messages, or a template and
// the destinations it goes to (spec rest §2.6).
type bulkBody struct {
	Messages     []json.RawMessage          `json:"messages"`
	Template     map[string]json.RawMessage `json:"template"`
	Destinations []string                   `json:"destinations"`
}

// bulkRow is the fate of one message of a bulk submission.
type bulkRow struct {
	message *message.Message
	err     error
}

// postBulk answers POST /api/messages/bulk: one synced batch for all.
func (c *call) postBulk() error {
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	rep, err := c.newRepeat(data)
	if err != nil {
		return err
	}
	if rep != nil {
		unlock, err := c.s.keys.lock(c.r.Context(), rep.ref)
		if err != nil {
			return err
		}
		defer unlock()
		if done, err := c.replayBulk(rep); done || err != nil {
			return err
		}
	}
	bodies, err := readBulk(data)
	if err != nil {
		return err
	}
	rows := c.acceptBulk(bodies, rep)
	// durable from here
	if c.flag("atomic") {
		if p := together(rows); p != nil {
			return p
		}
	}
	if c.s.cfg.Memory {
		c.w.Header().Set("X-SMSC-Stored", "no")
	}
	out := c.appendBulk(nil, rows)
	if rep != nil {
		c.keepBulk(rep, out)
	}
	return c.json(http.StatusOK, out)
}

// readBulk takes the request apart into one body for each message.
func readBulk(data []byte) ([][]byte, error) {
	if err := parseObject(data, func([]byte, value) {}); err != nil {
		return nil, refuse("malformed", err.Error())
	}
	var b bulkBody
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, invalid("body", "needs messages (a list of objects), or template (an object) and destinations (a list of strings)")
	}
	var bodies [][]byte
	switch {
	case b.Messages != nil && b.Template == nil && b.Destinations == nil:
		for _, m := range b.Messages {
			bodies = append(bodies, m)
		}
	case b.Template != nil && b.Destinations != nil && b.Messages == nil:
		for _, to := range b.Destinations {
			b.Template["destination_msisdn"], _ = json.Marshal(to)
			one, err := json.Marshal(b.Template)
			if err != nil {
				return nil, refuse("malformed", "the template is no object")
			}
			bodies = append(bodies, one)
		}
	default:
		return nil, invalid("body", "needs either messages, or template and destinations")
	}
	if len(bodies) == 0 || len(bodies) > maxBulk {
		return nil, invalid("body", "must have from 1 to "+strconv.Itoa(maxBulk)+" messages")
	}
	return bodies, nil
}

// acceptBulk hands the messages that can be read to the door, all at once.
func (c *call) acceptBulk(bodies [][]byte, rep *repeat) []bulkRow {
	rows := make([]bulkRow, len(bodies))
	var ms []*message.Message
	var at []int
	for i, body := range bodies {
		m, err := c.readMessage(bytes.TrimSpace(body))
		if err == nil && c.strict() && m.Dest == "" && c.noWay(m) {
			err = &problem{code: "no_route", cause: message.UnknownNumber, detail: "no enabled route matches the called number"}
		}
		if err == nil && replaces(m) {
			err = invalid("body.replace_if_present", "replaces one message by one: submit it alone")
		}
		if rows[i].err = err; err != nil {
			continue
		}
		if rep != nil {
			m.Origin.Ref, m.Origin.RefLife = rep.ref+"/"+strconv.Itoa(i), idempotencyLife
		}
		ms, at = append(ms, m), append(at, i)
	}
	ctx := c.r.Context()
	if c.flag("atomic") {
		if len(ms) < len(bodies) {
			return rows // one cannot even be read
		}
		ctx = message.Together(ctx)
	}
	if len(ms) == 0 {
		return rows
	}
	for n, err := range c.s.deps.Acceptor.Accept(ctx, ms...) {
		if err == nil {
			c.keepBody(ms[n].ID, bodies[at[n]])
		}
		rows[at[n]] = bulkRow{message: ms[n], err: c.refusalOf(ms[n], err)}
	}
	return rows
}

// together is the one refusal of an atomic submission, nil if all were taken.
func together(rows []bulkRow) error {
	var first *problem
	for i, r := range rows {
		if r.err == nil || errors.Is(r.err, message.ErrNotAlone) {
			continue
		}
		p := problemOf(r.err)
		at := "body.messages[" + strconv.Itoa(i) + "]"
		if first == nil {
			first = &problem{code: p.code, status: p.status, cause: p.cause, after: p.after, detail: "nothing was accepted: " + at + ": " + or(p.detail, p.code)}
		}
		if len(p.faults) == 0 {
			first.faults = append(first.faults, fault{location: at, message: or(p.detail, p.code)})
		}
		for _, f := range p.faults {
			first.faults = append(first.faults, fault{location: at + strings.TrimPrefix(f.location, "body"), message: f.message})
		}
	}
	if first == nil {
		return nil
	}
	return first
}

// appendBulk writes the answer: the rows in the order of the request.
func (c *call) appendBulk(dst []byte, rows []bulkRow) []byte {
	accepted := 0
	for _, r := range rows {
		if r.err == nil {
			accepted++
		}
	}
	dst = strconv.AppendInt(append(dst, `{"accepted":`...), int64(accepted), 10)
	dst = strconv.AppendInt(append(dst, `,"refused":`...), int64(len(rows)-accepted), 10)
	dst = append(dst, `,"results":[`...)
	for i, r := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"index":`...), int64(i), 10)
		if r.err != nil {
			p := problemOf(r.err)
			dst = strconv.AppendInt(append(dst, `,"error":{"status":`...), int64(p.statusCode()), 10)
			dst = appendString(append(dst, `,"code":`...), p.code)
			dst = appendString(append(dst, `,"detail":`...), or(p.detail, codes[p.code].title))
			dst = append(dst, `}}`...)
			continue
		}
		dst = strconv.AppendUint(append(dst, `,"id":`...), uint64(r.message.ID), 10)
		status := message.Record{Message: r.message, State: message.State{ID: r.message.ID}}.Status()
		dst = appendString(append(dst, `,"status":`...), status)
		dst = strconv.AppendInt(append(dst, `,"parts":`...), int64(max(parts(r.message), 1)), 10)
		dst = append(dst, '}')
	}
	return append(dst, `]}`...)
}

// bulkKind keeps the answers of bulk submissions for their repeats.
const bulkKind = "rest.bulk"

// replayBulk gives the first answer again. Where we crashed before it was
// kept, every message is known by its own Ref and gets its first id again.
func (c *call) replayBulk(r *repeat) (bool, error) {
	kept, ok, err := c.s.deps.Shelf.Get(c.r.Context(), bulkKind, r.ref)
	if err != nil || !ok {
		return false, err
	}
	digest, body, _ := strings.Cut(string(kept), " ")
	if digest != r.digest {
		return false, errMismatch()
	}
	c.w.Header().Set("Idempotent-Replayed", "true")
	return true, c.json(http.StatusOK, []byte(body))
}

func (c *call) keepBulk(r *repeat, answer []byte) {
	if err := c.s.deps.Shelf.Set(c.r.Context(), bulkKind, r.ref, append([]byte(r.digest+" "), answer...), time.Now().Add(idempotencyLife)); err != nil {
		c.s.log.Error().Err(err).Str("request", c.requestID).Msg("an answer cannot be kept for its repeat")
	}
}
