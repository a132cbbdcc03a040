package smpp

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// reach is what a link's owner may see.
func (in *inlet) reach() message.Reach {
	return in.edge.deps.Directory().Reach(in.owner())
}

// reply appends a response and counts it. A refusal has its body too: real
// clients end the session over a query_sm_resp without one.
func reply(s *Session, p pdu.PDU, status pdu.Status, seq uint32) []byte {
	s.m().out(p.Command())
	s.m().outStatus(status)
	return p.Append(nil, status, seq)
}

// same tells whether an address is the one a request names: in the sender's
// own spelling or in ours. NULL names any.
func same(given string, a message.Address) bool {
	plain := strings.TrimPrefix(given, "+")
	return given == "" || given == a.Given || plain == a.Digits()
}

// query reads query_sm (SMPP 3.4 §4.8).
func (in *inlet) query(s *Session, j *job, frame []byte) error {
	var q pdu.Query
	if err := q.Decode(frame); err != nil {
		return err
	}
	id, source, seq := string(q.MessageID), string(q.Source.Addr), j.head.Sequence
	j.act = func(ctx context.Context) []byte {
		resp, status := in.find(ctx, id, source)
		return reply(s, &resp, status, seq)
	}
	return nil
}

// unknownState is the message_state of what we will not tell (SMPP 3.4 §5.2.28).
const unknownState = 7

func (in *inlet) find(ctx context.Context, text, source string) (pdu.QueryResp, pdu.Status) {
	resp := pdu.QueryResp{MessageID: []byte(text), State: unknownState}
	rs, status := in.named(ctx, text)
	if status != pdu.ROK {
		return resp, status
	}
	if !same(source, rs[0].Message.From) {
		return resp, pdu.RQueryFail
	}
	r := leastFinished(rs)
	resp.State, resp.ErrorCode = stateOf(r)
	if r.State.Phase.Ended() {
		resp.FinalDate = appendFinal(nil, r.State.Ended)
	}
	return resp, pdu.ROK
}

// leastFinished returns the one of a group that has no end yet, else one that
// failed, else the last.
func leastFinished(rs []message.Record) message.Record {
	least := rs[0]
	for _, r := range rs[1:] {
		a, b := &least.State, &r.State
		switch {
		case a.Phase.Ended() != b.Phase.Ended():
			if !b.Phase.Ended() {
				least = r
			}
		case (a.Phase == message.Done) != (b.Phase == message.Done):
			if a.Phase == message.Done {
				least = r
			}
		case b.Ended.After(a.Ended):
			least = r
		}
	}
	return least
}

// stateOf returns message_state and error_code of a record (spec smpp §15).
func stateOf(r message.Record) (state, code uint8) {
	if !r.State.Phase.Ended() {
		return translate.MessageState(translate.StatEnroute), 0
	}
	about := message.About{Phase: r.State.Phase, Cause: r.State.Failure, Word: r.State.Last.Word, Code: r.State.Last.Code}
	receipt := translate.ReceiptOf(&about)
	if n, err := strconv.ParseUint(receipt.Err, 10, 8); err == nil {
		code = uint8(n)
	}
	return translate.MessageState(receipt.Stat), code
}

// cancel reads cancel_sm (SMPP 3.4 §4.9).
func (in *inlet) cancel(s *Session, j *job, frame []byte) error {
	var c pdu.Cancel
	if err := c.Decode(bytes.Clone(frame)); err != nil {
		return err
	}
	seq := j.head.Sequence
	j.act = func(ctx context.Context) []byte {
		status := in.cancelOne
		if len(c.MessageID) == 0 {
			status = in.cancelAll
		}
		return reply(s, &pdu.Plain{Cmd: pdu.CancelSMResp}, status(ctx, &c), seq)
	}
	return nil
}

// cancelOne cancels the message that an id stands for; of a group those that
// still wait.
func (in *inlet) cancelOne(ctx context.Context, c *pdu.Cancel) pdu.Status {
	rs, status := in.named(ctx, string(c.MessageID))
	if status != pdu.ROK {
		return status
	}
	if !same(string(c.Source.Addr), rs[0].Message.From) {
		return pdu.RCancelFail
	}
	status = pdu.RCancelFail
	for _, r := range rs {
		if !same(string(c.Dest.Addr), r.Message.To) {
			continue
		}
		one := cancelStatus(in.edge.deps.Editor.Cancel(ctx, in.reach(), r.Message.ID, in.who()))
		if one == pdu.ROK || len(rs) == 1 {
			status = one
		}
	}
	return status
}

func (in *inlet) who() string   { return in.line.Load().name }
func (in *inlet) owner() string { return in.line.Load().settings.Load().link.Account }

func cancelStatus(err error) pdu.Status {
	switch {
	case err == nil:
		return pdu.ROK
	case errors.Is(err, message.ErrNotFound):
		return pdu.RInvMsgID
	case errors.Is(err, message.ErrFinished), errors.Is(err, message.ErrInFlight), errors.Is(err, message.ErrStale):
		return pdu.RCancelFail
	}
	return pdu.RSysErr
}

// waiting are the words for messages that may still be changed.
var waiting = []string{"queued", "scheduled", "retrying"}

// maxCancel is how many messages one cancel_sm without an id looks at.
const maxCancel = 1000

// cancelAll cancels what waits on this link with these addresses.
func (in *inlet) cancelAll(ctx context.Context, c *pdu.Cancel) pdu.Status {
	if len(c.Source.Addr) == 0 || len(c.Dest.Addr) == 0 {
		return pdu.RCancelFail
	}
	kind := message.KindMessage
	q := message.Query{
		Reach: in.reach(), Account: in.owner(), Kind: &kind, Source: in.who(), Limit: maxCancel,
		Statuses: waiting,
	}
	status := pdu.RCancelFail
	for {
		rs, err := in.edge.deps.Ledger.List(ctx, q)
		if err != nil {
			return pdu.RSysErr
		}
		for _, r := range rs {
			q.After = r.Message.ID
			if !same(string(c.Source.Addr), r.Message.From) || !same(string(c.Dest.Addr), r.Message.To) ||
				len(c.ServiceType) > 0 && string(c.ServiceType) != r.Message.Extra[keyServiceType] {
				continue
			}
			if in.edge.deps.Editor.Cancel(ctx, in.reach(), r.Message.ID, in.who()) == nil {
				status = pdu.ROK
			}
		}
		if len(rs) < maxCancel {
			return status
		}
	}
}
