package smpp

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"strconv"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// replace reads replace_sm (SMPP 3.4 §4.10).
func (in *inlet) replace(s *Session, j *job, frame []byte) error {
	var p pdu.Replace
	if err := p.Decode(bytes.Clone(frame)); err != nil {
		return err
	}
	seq := j.head.Sequence
	j.act = func(ctx context.Context) []byte {
		return reply(s, &pdu.Plain{Cmd: pdu.ReplaceSMResp}, in.replaceOne(ctx, &p), seq)
	}
	return nil
}

func (in *inlet) replaceOne(ctx context.Context, p *pdu.Replace) pdu.Status {
	rs, status := in.named(ctx, string(p.MessageID))
	switch {
	case status != pdu.ROK:
		return status
	case len(rs) > 1, rs[0].Message.Extra[keyGroup] != "", isJoined(rs[0].Message):
		return pdu.RReplaceFail
	case !same(string(p.Source.Addr), rs[0].Message.From) || rs[0].Message.Body.Part != nil:
		return pdu.RReplaceFail
	}
	id := rs[0].Message.ID
	st := in.line.Load().settings.Load()
	err := in.edge.deps.Editor.Edit(ctx, in.reach(), id, in.who(), func(m *message.Message) error {
		return st.rewrite(m, p, time.Now())
	})
	var f *fault
	switch {
	case errors.As(err, &f):
		return f.status
	case errors.Is(err, message.ErrNotFound):
		return pdu.RInvMsgID
	case errors.Is(err, message.ErrFinished), errors.Is(err, message.ErrInFlight), errors.Is(err, message.ErrStale):
		return pdu.RReplaceFail
	case err != nil:
		return pdu.RSysErr
	}
	return pdu.ROK
}

// isJoined tells whether m was joined from parts: it has their ids.
func isJoined(m *message.Message) bool {
	for _, a := range m.Aliases {
		if a.ID > math.MaxUint32 {
			return true
		}
	}
	return false
}

// noteCoding keeps the data_coding of a message where we would write another
// for it: replace_sm has none of its own, and its octets are to be read as
// those that they replace were (SMPP 3.4 §4.10).
func (st *settings) noteCoding(m *message.Message, p *pdu.SM) {
	b := &m.Body
	plain := p.DataCoding == 0 && b.Coding == message.GSM7 && b.Class == message.ClassNone // nearly all
	if plain || st.carrier || b.Part != nil || translate.DataCoding(*b, st.alphabet) == p.DataCoding {
		return
	}
	set(m, keyDataCoding, strconv.Itoa(int(p.DataCoding)))
}

// codingOf returns the data_coding under which a message came.
func (st *settings) codingOf(m *message.Message) uint8 {
	if noted, ok := m.Extra[keyDataCoding]; ok {
		return number(noted)
	}
	return translate.DataCoding(m.Body, st.alphabet)
}

// noted gives a message the data_coding of the one that takes its place.
func noted(m *message.Message, coding string) {
	if m.Extra[keyDataCoding] == coding {
		return
	}
	m.Extra = maps.Clone(m.Extra) // readers may hold the other
	delete(m.Extra, keyDataCoding)
	if coding != "" {
		set(m, keyDataCoding, coding)
	}
}

// rewrite gives a waiting message new text, times and receipts. The PDU has
// no data_coding: that of the message stays.
func (st *settings) rewrite(m *message.Message, p *pdu.Replace, now time.Time) error {
	if p.DefaultMsgID != 0 && len(p.ShortMessage) == 0 {
		return &fault{pdu.RInvDftMsgID, "there are no predefined messages"}
	}
	sm := pdu.SM{
		Cmd: pdu.SubmitSM, Schedule: p.Schedule, Validity: p.Validity, RegisteredDelivery: p.RegisteredDelivery,
		DataCoding: st.codingOf(m), ShortMessage: p.ShortMessage, TLVs: p.TLVs,
	}
	b, err := st.body(&sm)
	if err != nil {
		return err
	}
	b.UDH = m.Body.UDH
	if b.Class == message.ClassNone { // it may have come as dest_addr_subunit
		b.Class = m.Body.Class
	}
	fresh := message.Message{Mode: m.Mode}
	if err := st.modeAndTimes(&fresh, &sm, now); err != nil {
		return err
	}
	m.Body, m.Wants = b, fresh.Wants
	if len(p.Schedule) > 0 {
		m.NotBefore = fresh.NotBefore
	}
	if len(p.Validity) > 0 {
		m.Expires = fresh.Expires
	}
	return nil
}

// maxReplace is how many waiting messages replace_if_present looks at.
const maxReplace = 16

// replaceOrAccept makes a job of a submit_sm with replace_if_present 1
// (SMPP 3.4 §5.2.18): the newest message that waits for the same recipient
// from the same sender over this link is rewritten and its id answered; if
// there is none, or it left meanwhile, the request is a new message.
func (in *inlet) replaceOrAccept(s *Session, j *job) {
	one := *j
	j.msg = nil
	j.act = func(ctx context.Context) []byte {
		if id, ok := in.rewriteWaiting(ctx, one.msg); ok {
			one.msg.ID = id
			return in.answer(nil, s, &one, nil)
		}
		err := in.door(ctx, s, []*message.Message{one.msg}, guests{})[0]
		in.remember(one.mark, err == nil)
		return in.answer(nil, s, &one, err)
	}
}

func (in *inlet) rewriteWaiting(ctx context.Context, m *message.Message) (message.ID, bool) {
	kind := message.KindMessage
	// A search that had to end early still shows the newest there are.
	rs, _ := in.edge.deps.Ledger.List(ctx, message.Query{
		Reach: in.reach(), Account: in.owner(), Kind: &kind, Source: in.who(), Statuses: waiting,
		From: m.From.Shown(), To: m.To.Shown(), Desc: true, Limit: maxReplace,
	})
	for _, r := range rs {
		if r.Message.Extra[keyServiceType] != m.Extra[keyServiceType] || r.Message.Body.Part != nil {
			continue
		}
		err := in.edge.deps.Editor.Edit(ctx, in.reach(), r.Message.ID, in.who(), func(old *message.Message) error {
			old.Body, old.Wants, old.NotBefore = m.Body, m.Wants, m.NotBefore
			noted(old, m.Extra[keyDataCoding])
			if !m.Expires.IsZero() {
				old.Expires = m.Expires
			}
			return nil
		})
		if err == nil {
			return r.Message.ID, true
		}
	}
	return 0, false
}
