package smpp

import (
	"bytes"
	"context"
	"errors"
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
	id, ok := message.ParseID(string(p.MessageID))
	if !ok {
		return pdu.RInvMsgID
	}
	r, err := in.edge.deps.Ledger.Find(ctx, in.reach(), id)
	switch {
	case errors.Is(err, message.ErrNotFound) || err == nil && r.Message.Kind != message.KindMessage:
		return pdu.RInvMsgID
	case err != nil:
		return pdu.RSysErr
	case !same(string(p.Source.Addr), r.Message.From) || r.Message.Body.Part != nil:
		return pdu.RReplaceFail
	}
	st := in.line.Load().settings.Load()
	err = in.edge.deps.Editor.Edit(ctx, in.reach(), id, in.who(), func(m *message.Message) error {
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

// rewrite gives a waiting message new text, times and receipts. The PDU has
// no data_coding: that of the message stays.
func (st *settings) rewrite(m *message.Message, p *pdu.Replace, now time.Time) error {
	if p.DefaultMsgID != 0 && len(p.ShortMessage) == 0 {
		return &fault{pdu.RInvDftMsgID, "there are no predefined messages"}
	}
	sm := pdu.SM{
		Cmd: pdu.SubmitSM, Schedule: p.Schedule, Validity: p.Validity, RegisteredDelivery: p.RegisteredDelivery,
		DataCoding: translate.DataCoding(m.Body, st.alphabet), ShortMessage: p.ShortMessage, TLVs: p.TLVs,
	}
	b, err := st.body(&sm)
	if err != nil {
		return err
	}
	b.UDH = m.Body.UDH
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
