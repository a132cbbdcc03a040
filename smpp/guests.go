package smpp

import (
	"context"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// guests are those of some jobs that the Doorkeeper has let in.
type guests struct {
	n    int
	came int64 // when the first of them did, by the clock of the session
}

// add counts a job that came then; 0: the Doorkeeper was not asked.
func (g *guests) add(came int64) {
	if came == 0 {
		return
	}
	if g.n++; g.came == 0 {
		g.came = came
	}
}

// enter asks the Doorkeeper about a request that has arrived, and returns when
// that was, 0 where it is none for him. A refusal costs no more than its
// header: the octets are not read.
func (in *inlet) enter(s *Session, c pdu.Command) (came int64, ok bool) {
	if in.edge.deps.Door == nil || c != pdu.SubmitSM && c != pdu.DataSM || !s.server.Load() {
		return 0, true
	}
	if !in.edge.deps.Door.Enter(in.line.Load().name, message.SourceSMPP) {
		return 0, false
	}
	return s.readAt.Load(), true
}

// turnAway answers a request that the Doorkeeper does not let in, together with
// the others of the same burst.
func (in *inlet) turnAway(s *Session, h pdu.Header) {
	answer := h.Command.Answer()
	s.m().out(answer)
	s.m().outStatus(pdu.RThrottled)
	if s.TakesTLVs() {
		in.away = (&pdu.SMResp{Cmd: answer}).Append(in.away, pdu.RThrottled, h.Sequence) // message_id is one NUL
	} else {
		in.away = pdu.AppendHeader(in.away, answer, pdu.RThrottled, h.Sequence)
	}
	in.gone++
}

// leave counts guests out. What they waited is told where one of them was
// stored; what a limit of their account delays them afterwards is not a wait.
func (in *inlet) leave(s *Session, g guests, errs []error) {
	if g.n == 0 {
		return
	}
	waited := time.Duration(0)
	for _, err := range errs {
		if err == nil {
			waited = time.Duration(max(s.clock()-g.came, 1))
			break
		}
	}
	in.edge.deps.Door.Leave(g.n, waited)
}

// inside tells the Acceptor where all of ms are guests.
func (e *Edge) inside(ctx context.Context, g guests, ms []*message.Message) context.Context {
	if g.n == len(ms) {
		return message.Inside(ctx)
	}
	return ctx
}
