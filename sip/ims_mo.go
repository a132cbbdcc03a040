package sip

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// Keys of what travels in Message.Extra beside those of SIP. TP-PID and the
// reply path travel as they are called in SMPP, where they are the same.
const (
	extraDA   = "ims.da" // TP-DA octets, hexadecimal
	extraDCS  = "ims.dcs"
	extraCell = "ims.access" // P-Access-Network-Info
	extraICID = "ims.icid"   // P-Charging-Vector

	extraPID = "smpp.protocol_id"
	extraESM = "smpp.esm_class"

	replyPath = "128" // of esm_class (SMPP 3.4 §5.2.12)
)

// submitted takes a message of a phone: stored and synced, then 202, then the
// report (spec ims §3.1).
func (i *ims) submitted(r *request) {
	t, err := translate.ParseTPDU(r.rp.UserData, r.rp.Type)
	if err == nil && t.Type == translate.TPCommand {
		err = &translate.RPError{Cause: translate.RPFacilityNotImplemented, FCS: translate.FCSCommandUnsupported, Text: "commands are not served"}
	}
	var m *message.Message
	if err == nil {
		m, err = i.submission(r, &t)
	}
	if err != nil {
		i.refuse(r, err)
		return
	}
	err = i.store(r, &t, m)
	if err != nil && unstored(err) {
		r.answer(response{status: 503}.with("Retry-After", "1"))
		return
	}
	if err != nil {
		i.refuse(r, err)
		return
	}
	// durable from here
	i.accept(r, m)
	report := translate.SubmitReportOf(scts(m.ID), 0)
	i.answerRP(r, translate.RPDU{Type: translate.RPAckMT, Ref: r.rp.Ref, UserData: translate.AppendTPDU(nil, &report)})
	i.heardOf(r)
}

// accept says 202, with our id as on every link.
func (i *ims) accept(r *request, m *message.Message) {
	answer := response{status: 202, tag: m.Origin.Ref[:16]}.with(xID, m.ID.String())
	if i.s.cfg.Volatile {
		answer = answer.with("Warning", warning(i.s.cfg.Node, "accepted, not stored"))
	}
	r.answer(answer)
}

// scts is the acceptance time of a message as every report about it and every
// copy of it bears it: made of the id, so that a repeat after a restart gets
// the same octets. The zone is that of the process.
func scts(id message.ID) translate.Timestamp { return translate.TimestampOf(id.Time().Local()) }

// submission makes a message of a SUBMIT (spec ims §3.2).
func (i *ims) submission(r *request, t *translate.TPDU) (*message.Message, error) {
	if r.who.from.IsZero() {
		return nil, &translate.RPError{Cause: rpUnidentified, FCS: translate.FCSNoSubscription, Text: "the number of the sender is not known"}
	}
	if d := i.s.deps.Directory; d != nil && d().Status(r.l.account) != tenant.Active {
		return nil, message.Errorf(message.Unauthorised, "the account is not active")
	}
	body, err := translate.TPDUBody(t)
	if err != nil {
		return nil, err
	}
	expires, err := t.VP.Expires(r.began)
	if err != nil {
		return nil, err
	}
	to, err := recipientOf(t.Address)
	if err != nil {
		return nil, err
	}
	if t.OddUCS2() {
		i.s.log.Debug().Str("link", r.l.name).Msg("UCS2 of odd length: the last octet is dropped")
	}
	if da := r.rp.DA.Text(); da != "" && da != (message.Address{Value: r.l.core.cfg.SMSCAddress}).Digits() {
		i.meters.otherCentre(r.l.name) // SIM cards hold any number
	}
	m := &message.Message{
		Account: r.l.account, From: r.who.from, To: to, Body: body, Expires: expires, Once: t.VP.Single(),
		Origin: message.Origin{
			Link: r.l.name, Type: message.SourceIMS, User: r.who.key, Peer: r.flow.peer.String(),
			Ref: reference(r.packet), RefLife: refLife, Handle: handleOf(t.MR, r.get("Call-ID")),
		},
		Extra: submissionExtra(r, t),
	}
	if t.Report {
		m.Wants = message.WantFinal
	}
	return m, nil
}

// rpUnidentified: the subscriber is not identified (TS 24.011 §8.2.5.4).
const rpUnidentified = 28

// recipientOf reads TP-DA, whatever the Request-URI says: a phone makes that
// of its service centre in one of three ways (TS 24.341 §5.3.1.2). TON is kept
// with the digits; a name is one that a route or a user has to know.
func recipientOf(da translate.TPAddress) (message.Address, error) {
	text := da.Text()
	if text == "" {
		return message.Address{}, message.Errorf(message.UnknownNumber, "there is no recipient")
	}
	return message.Address{Value: text, TON: da.TON(), NPI: da.NPI(), Typed: true}, nil
}

// handleOf is how a phone speaks of its message: by TP-MR, which its status
// report must bear. It is the handle because each part of a joined message
// keeps its own.
func handleOf(mr uint8, callID string) string { return strconv.Itoa(int(mr)) + ":" + callID }

// referenceIn reads TP-MR out of a handle.
func referenceIn(handle string) (mr uint8, ok bool) {
	digits, _, ok := strings.Cut(handle, ":")
	n, err := strconv.ParseUint(digits, 10, 8)
	return uint8(n), ok && err == nil
}

// submissionExtra keeps what a status report and other links need: TP-DA for
// those who asked for a report, octet for octet.
func submissionExtra(r *request, t *translate.TPDU) map[string]string {
	e := make(map[string]string, 4)
	if t.Report {
		e[extraDA] = hex.EncodeToString([]byte(t.Address))
	}
	if t.PID != 0 {
		e[extraPID] = strconv.Itoa(int(t.PID))
	}
	if t.ReplyPath {
		e[extraESM] = replyPath
	}
	if t.DCS != 0 {
		e[extraDCS] = strconv.FormatUint(uint64(t.DCS), 16)
	}
	for key, name := range map[string]string{extraCell: "P-Access-Network-Info", extraICID: "P-Charging-Vector"} {
		if v := r.get(name); v != "" && len(v) <= maxOtherValue && !hasControl(v) {
			e[key] = v
		}
	}
	if len(e) == 0 {
		return nil
	}
	return e
}

// refusal is the RP-ERROR about err (spec ims §3.3).
func (i *ims) refusal(r *request, err error) translate.RPDU {
	cause, fcs := translate.RPRefusal(err)
	var known *translate.RPError
	if !errors.As(err, &known) {
		cause, fcs = i.finer(r, err, cause, fcs)
	}
	p := translate.RPDU{Type: translate.RPErrorMT, Ref: r.rp.Ref, Cause: cause}
	if fcs != 0 {
		report := translate.SubmitReportOf(translate.TimestampOf(r.began.Local()), fcs)
		p.UserData = translate.AppendTPDU(nil, &report)
	}
	return p
}

// finer tells apart what one Cause stands for: a sender who is barred, and a
// name that nobody has.
func (i *ims) finer(r *request, err error, cause, fcs uint8) (uint8, uint8) {
	c := message.CauseOf(err)
	if c == message.Internal {
		i.s.log.Error().Err(err).Str("link", r.l.name).Msg("a message could not be taken")
	}
	switch d := i.s.deps.Directory; {
	case c == message.Barred && d != nil && !d().MaySend(r.l.account, r.who.from.Value):
		return rpBarredSender, fcs
	case c == message.UnknownNumber && r.names():
		return translate.RPTransferRejected, fcs
	}
	return cause, fcs
}

// rpBarredSender: operator determined barring (TS 24.011 §8.2.5.4).
const rpBarredSender = 8

// names tells whether the recipient is a name, not a number.
func (r *request) names() bool {
	t, err := translate.ParseTPDU(r.rp.UserData, r.rp.Type)
	return err == nil && t.Address.TON() == tonName
}

// tonName is the type of an alphanumeric address (TS 23.040 §9.1.2.5).
const tonName = 5

// answerRP sends the report about an RPDU of a phone, in a MESSAGE of its own
// (TS 24.341 §5.3.3.4). It is the answer to a request, not a message, and is
// the one thing that is tried twice here; then the phone repeats.
func (i *ims) answerRP(r *request, p translate.RPDU) {
	if len(r.who.all) == 0 {
		return // nobody to tell
	}
	e := &envelope{
		uri: r.who.uri(), callID: i.s.end.clients.newBranch()[len(cookie):] + "@" + i.s.cfg.Node,
		inReplyTo: r.get("Call-ID"), octets: translate.AppendRPDU(nil, p),
	}
	i.meters.rpdu(r.l.name, "out", p.Type)
	began, l, name := r.began, r.l, r.who.key
	i.ways(l, l.wayBack(r.exchange), func(ways []hop, err error) {
		if err != nil {
			l.note("report not sent: " + err.Error())
			return
		}
		(&errand{
			i: i, l: l, method: "MESSAGE", target: e.uri, ways: ways, first: true, wait: reportAnswer,
			write: func(b []byte, cseq int) []byte { return i.appendEnvelope(b, l, e, cseq) },
			again: func(p *packet, _ error) bool {
				return time.Since(began) < reportLatest &&
					(p == nil || p.status == 408 || p.status == 480 || p.status/100 == 5)
			},
			done: func(p *packet, err error) { i.toldPhone(l, name, p, err) },
		}).send()
	})
}

// Times of a report to a phone: each way has so long for its answer, and
// nothing is sent later than that after the message came (spec ims §8: the
// phone's TR1M is 35 s at least).
const (
	reportAnswer = 10 * time.Second
	reportLatest = 25 * time.Second
)

// toldPhone notes a report that did not reach its phone; the phone will ask
// again. 488 says that it knows of no such message.
func (i *ims) toldPhone(l *link, who string, p *packet, err error) {
	switch {
	case err != nil:
		i.s.log.Info().Str("link", l.name).Err(err).Msg("a report did not reach its phone")
	case p.status == 488:
		i.s.log.Info().Str("link", l.name).Msg("a phone knows of no message that is reported to it")
	case p.status >= 300:
		l.counters.rejected.Add(1)
		l.note("report: " + detail(p))
		i.s.log.Info().Str("link", l.name).Str("answer", detail(p)).Msg("a report was not taken")
	default:
		l.counters.accepted.Add(1)
	}
}
