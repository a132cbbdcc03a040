package smpp

import (
	"context"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/smpp/pdu"
)

// multi is a submit_multi between reading and answering (SMPP 3.4 §4.5): one
// message for each destination, which together answer to the id of a group.
type multi struct {
	head    pdu.Header
	msgs    []*message.Message
	dests   []pdu.Address // of msgs, as they were written
	refused []pdu.Unsuccess
	mark    uint64 // of the repeat guard, 0 without
	kept    capture.Ticket
	again   string // names the request for the guard, "" where it is new
}

// submitMulti reads submit_multi. A fault of the request refuses all of it, a
// fault of one destination that destination.
func (in *inlet) submitMulti(s *Session, j *job, frame []byte) error {
	var p pdu.Multi
	if err := p.Decode(append([]byte(nil), frame...)); err != nil {
		return err
	}
	if p.ESMClass&esmMode == esmTransaction {
		return &fault{pdu.RInvEsmClass, "transaction mode is for one destination"}
	}
	l, now := in.line.Load(), time.Now()
	st := l.settings.Load()
	one := &multi{head: j.head}
	seen := make(map[string]bool, len(p.Dests))
	for i, d := range p.Dests {
		if d.List != nil {
			one.refuse(pdu.Address{Addr: d.List}, pdu.RInvDLName)
			continue
		}
		if key := string(append([]byte{d.TON, d.NPI}, d.Addr...)); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		sm := p.SM(i)
		m, err := st.message(&sm, pdu.SubmitMulti, now)
		if f, ok := err.(*fault); ok && f.status == pdu.RInvDstAdr {
			one.refuse(d.Address, f.status)
			continue
		} else if err != nil {
			return err
		}
		l.origin(s, m)
		one.msgs, one.dests = append(one.msgs, m), append(one.dests, d.Address)
	}
	one.guardRepeat(in, &p)
	one.kept = in.edge.deps.Captured.Keep(capture.Hop{Step: capture.Accepted, Form: capture.SMPP, Link: l.name}, "", frame)
	j.act = func(ctx context.Context) []byte { return in.acceptMulti(ctx, s, one) }
	return nil
}

func (p *multi) refuse(a pdu.Address, status pdu.Status) {
	p.refused = append(p.refused, pdu.Unsuccess{Address: a, Status: status})
}

// acceptMulti puts the messages in one batch and answers with the id of
// their group, which receipts, query_sm and cancel_sm go by.
func (in *inlet) acceptMulti(ctx context.Context, s *Session, p *multi) []byte {
	l := in.line.Load()
	group := in.edge.deps.Mint.Next(time.Now())
	if p.again != "" {
		var err error
		if group, err = l.groups.take(ctx, in.edge.deps.Shelf, l.name, p.again, group); err != nil {
			status, _ := l.refusal(s, &job{}, err)
			return p.answer(s, status, pdu.MultiResp{})
		}
	}
	for _, m := range p.msgs {
		m.Aliases = append(m.Aliases, message.Alias{ID: group})
		set(m, keyGroup, group.String())
	}
	taken := 0
	for i, err := range in.door(ctx, s, p.msgs, guests{}) {
		if err == nil {
			taken++
			continue
		}
		status, _ := l.refusal(s, &job{msg: p.msgs[i]}, err)
		p.refuse(p.dests[i], status)
	}
	in.edge.deps.Captured.Bind(p.kept, group)
	status, resp := pdu.ROK, pdu.MultiResp{Unsuccess: p.refused}
	if taken > 0 {
		resp.MessageID = in.name(p.msgs[0], group)
	} else {
		status = pdu.RSubmitFail
	}
	in.remember(p.mark, taken > 0)
	return p.answer(s, status, resp) // durable from here
}

func (p *multi) answer(s *Session, status pdu.Status, resp pdu.MultiResp) []byte {
	s.m().out(pdu.SubmitMultiResp)
	s.m().outStatus(status)
	return resp.Append(nil, status, p.head.Sequence)
}
