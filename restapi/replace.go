package restapi

import (
	"context"
	"maps"
	"net/http"

	"smsc/message"
	"smsc/translate"
)

// extraReplace marks a submission that takes the place of one that waits. It
// is taken off before the message reaches the door.
const extraReplace = "rest.replace"

// replaces tells whether m asks to replace, and takes the mark off.
func replaces(m *message.Message) bool {
	asked := m.Extra[extraReplace] != ""
	delete(m.Extra, extraReplace)
	return asked
}

// maxReplace is how many waiting messages replace_if_present looks at.
const maxReplace = 16

// replace does what SMPP 3.4 §5.2.18 says of replace_if_present: the newest
// message that waits for the same recipient, from the same sender by the same
// source_smsc, gets the new content and keeps its id. False: there is none,
// or it left meanwhile, so that m is a new message.
func (c *call) replace(m *message.Message, p posting) (done bool, err error) {
	ctx, kind, to := c.r.Context(), message.KindMessage, c.normalised(m)
	// A search that had to end early still shows the newest there are.
	rows, _ := c.s.deps.Ledger.List(ctx, message.Query{
		Account: m.Account, Kind: &kind, Source: m.Origin.Link, Statuses: []string{"queued", "scheduled", "retrying"},
		From: to.From.Value, To: to.To.Value, Desc: true, Limit: maxReplace,
	})
	parts, err := translate.CountParts(m.Body)
	if err != nil {
		return false, refuse("too_many_parts", "a message has at most 255 parts")
	}
	for _, r := range rows {
		if r.Message.Body.Part != nil || r.Message.Origin.Handle != m.Origin.Handle {
			continue
		}
		err := c.edit(r, func(ctx context.Context, reach message.Reach, id message.ID, who string) error {
			return c.s.deps.Editor.Edit(ctx, reach, id, who, func(old *message.Message) error {
				old.Body, old.Parts, old.Wants, old.Priority, old.NotBefore = m.Body, uint8(parts), m.Wants, m.Priority, m.NotBefore
				if !m.Expires.IsZero() {
					old.Expires = m.Expires
				}
				old.Extra = maps.Clone(m.Extra)
				return nil
			})
		})
		if err == nil {
			return true, c.replaced(r.Message.ID, p)
		}
	}
	return false, nil
}

// replaced answers with the message that has the new content.
func (c *call) replaced(id message.ID, p posting) error {
	r, err := c.find(c.r.Context(), id)
	if err != nil {
		return err
	}
	out := c.closeEnvelope(c.appendRow(c.openEnvelope(nil, p.envelope), r, p.view, c.destOf(r)), p.envelope)
	if p.repeat != nil {
		c.remember(p.repeat, id, out)
	}
	c.w.Header().Set("Location", "/api/messages/"+id.String())
	return c.json(http.StatusOK, out)
}
