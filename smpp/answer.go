package smpp

import (
	"context"
	"errors"
	"strconv"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// transactionTime is how long the answer to a transaction is held.
const transactionTime = 25 * time.Second

// maxInfo is the longest text we explain a refusal with.
const maxInfo = 200

// maxHold is how long a request may be delayed for a limit.
const maxHold = time.Second

// brief tells whether err is a limit that will be over in a moment.
func brief(err error) (time.Duration, bool) {
	var e *message.Error
	if err == nil || !errors.As(err, &e) || e.Cause != message.Throttled || e.After <= 0 || e.After > maxHold {
		return 0, false
	}
	return e.After, true
}

func appendID(dst []byte, id message.ID) []byte { return strconv.AppendUint(dst, uint64(id), 10) }

// explain appends a refusal with a text that says why, where the peer can
// read one.
func explain(dst []byte, s *Session, h pdu.Header, status pdu.Status, text string) []byte {
	switch h.Command {
	case pdu.SubmitSM, pdu.DataSM, pdu.DeliverSM:
	case pdu.QuerySM:
		return (&pdu.QueryResp{State: unknownState}).Append(dst, status, h.Sequence)
	case pdu.SubmitMulti:
		return (&pdu.MultiResp{}).Append(dst, status, h.Sequence)
	default:
		return pdu.AppendHeader(dst, h.Command.Answer(), status, h.Sequence)
	}
	if !s.TakesTLVs() {
		return pdu.AppendHeader(dst, h.Command.Answer(), status, h.Sequence)
	}
	resp := pdu.SMResp{Cmd: h.Command.Answer()} // message_id is one NUL
	if text != "" && s.server.Load() {
		resp.TLVs = resp.TLVs.AddText(pdu.TagAdditionalStatusInfoText, ascii(text))
	}
	return resp.Append(dst, status, h.Sequence)
}

// ascii makes a text printable for any peer.
func ascii(s string) string {
	b := make([]byte, 0, min(len(s), maxInfo))
	for _, r := range s {
		if len(b) == maxInfo {
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// refusal turns the word of the door into a status and a text.
func (l *line) refusal(s *Session, j *job, err error) (pdu.Status, string) {
	cause := message.CauseOf(err)
	if cause == message.Internal {
		l.log.Error().Err(err).Msg("request not taken")
	}
	switch {
	case !s.server.Load():
		return pdu.Status(translate.SMPPReceiverStatus(cause)), message.TextOf(err)
	case j.msg != nil && cause == message.Barred && l.senderAtFault(j.msg):
		return pdu.RInvSrcAdr, message.TextOf(err)
	}
	return pdu.Status(translate.SMPPStatus(cause)), message.TextOf(err)
}

// senderAtFault tells whether a refusal is about the sender: the protocol
// has a status of its own for that, our causes have not.
func (l *line) senderAtFault(m *message.Message) bool {
	dir := l.edge.deps.Directory()
	if dir == nil {
		return false
	}
	_, err := translate.Normalise(m.From.Shown(), m.From.TON, m.From.NPI, m.From.Typed, numberPlan(dir, m.Account))
	return err != nil || !dir.MaySend(m.Account, m.From.Value)
}

// holdAnswer answers a transaction when its message has come to an end
// (SMPP 3.4 §2.10.3), beside the goroutine that serves the session.
func (in *inlet) holdAnswer(s *Session, j job) {
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, transactionTime)
		defer cancel()
		r, err := in.edge.deps.Ledger.Wait(ctx, nil, j.msg.ID)
		in.remember(j.mark, true)
		s.m().out(j.head.Command.Answer())
		resp := pdu.SMResp{Cmd: j.head.Command.Answer(), MessageID: in.name(j.msg, j.msg.ID)}
		status := pdu.ROK
		if err != nil || r.State.Phase != message.Done {
			status = pdu.RDeliveryFailure
			cause := message.Timeout
			if err == nil && r.State.Failure != message.CauseNone {
				cause = r.State.Failure
			}
			if s.TakesTLVs() {
				resp.TLVs = failure(resp.TLVs, cause)
				if j.dpf && cause == message.Absent {
					resp.TLVs = resp.TLVs.AddUint8(pdu.TagDpfResult, 1)
				}
			}
		}
		s.m().outStatus(status)
		s.Answer(1, resp.Append(nil, status, j.head.Sequence))
	})
}

// failure says why a transaction failed (SMPP 3.4 §5.3.2.31, §5.3.2.33).
func failure(t pdu.TLVs, c message.Cause) pdu.TLVs {
	t = t.AddUint8(pdu.TagDeliveryFailureReason, translate.FailureReason(c))
	t = networkError(t, translate.ReceiptErr(c))
	return t.AddText(pdu.TagAdditionalStatusInfoText, c.People())
}

// networkError appends network_error_code: type 3, GSM, and three digits.
func networkError(t pdu.TLVs, code string) pdu.TLVs {
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil || n == 0 {
		return t
	}
	return t.Add(pdu.TagNetworkErrorCode, []byte{3, uint8(n >> 8), uint8(n)})
}
