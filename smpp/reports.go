package smpp

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/tenant"
	"smsc/translate"
)

// deliverOrData reads deliver_sm and data_sm, from an ESME as a submission,
// from a carrier as a receipt or a message.
func (in *inlet) deliverOrData(s *Session, j *job, frame []byte) error {
	if j.head.Command == pdu.DataSM {
		var d pdu.Data
		if err := d.Decode(frame); err != nil {
			return err
		}
		in.sm = d.SM(pdu.DataSM)
	} else if err := in.sm.Decode(frame); err != nil {
		return err
	}
	l := in.line.Load()
	st := l.settings.Load()
	if !st.carrier {
		return in.toMessage(s, j, &in.sm)
	}
	news, sure := st.news(&in.sm)
	j.news = news
	if sure {
		return nil
	}
	// Octets of esm_class 0 that look like a receipt are one if they fit a
	// message of ours (spec smpp §15).
	return in.toMessage(s, j, &in.sm)
}

// news reads a receipt. sure tells that esm_class says it is one; otherwise
// news may still be what it looks like, nil if it looks like none.
func (st *settings) news(p *pdu.SM) (news *message.News, sure bool) {
	kind := p.ESMClass & esmType
	sure = kind == esmReceipt || kind == esmNotification
	if !sure && kind != 0 {
		return nil, false // an acknowledgement of a person or a handset
	}
	tlvID, hasID := p.TLVs.Text(pdu.TagReceiptedMessageID)
	r, ok := translate.ParseReceipt(receiptText(p))
	if !sure && !hasID && !ok {
		return nil, false
	}
	if state, has := p.TLVs.Uint8(pdu.TagMessageState); has {
		r.Stat = translate.StatOfState(state)
	}
	if code, has := p.TLVs.Get(pdu.TagNetworkErrorCode); has && len(code) == 3 && code[0] == 3 {
		if n := int(code[1])<<8 | int(code[2]); n > 0 && n < 1000 {
			r.Err = leadingZeros(n)
		}
	}
	news = &message.News{Link: st.link.Name, Outcome: translate.OutcomeOf(r)}
	if kind == esmNotification {
		news.Outcome.Result = message.Relayed // on its way, whatever it says
	}
	for _, id := range []string{tlvID, r.ID} {
		news.Remote = spell(news.Remote, id)
	}
	news.To = calledNumber(p.Source.Addr)
	return news, sure
}

// receiptText returns the text of a receipt. Ids are compared octet by
// octet, so 7-bit text is taken as ASCII: a "_" must not become a "§".
func receiptText(p *pdu.SM) string {
	text := p.Text()
	if p.ESMClass&esmUDHI != 0 {
		if _, rest, err := translate.SplitUDH(text); err == nil {
			text = rest
		}
	}
	if p.DataCoding == 8 {
		if s, ok := translate.DecodeUCS2(text); ok {
			return s
		}
	}
	return string(text)
}

// spell appends the spellings under which an id may be known: as it came,
// read as hexadecimal, read as decimal (spec smpp §9).
func spell(ids []string, id string) []string {
	if id == "" {
		return ids
	}
	add := func(s string) {
		for _, x := range ids {
			if x == s {
				return
			}
		}
		ids = append(ids, s)
	}
	add(id)
	plain := message.CanonicalRemote(id)
	if n, err := strconv.ParseUint(plain, 16, 64); err == nil {
		add(strconv.FormatUint(n, 10))
	}
	if n, err := strconv.ParseUint(plain, 10, 64); err == nil {
		add(strconv.FormatUint(n, 16))
	}
	return ids
}

func leadingZeros(n int) string {
	s := strconv.Itoa(n)
	return "000"[:3-len(s)] + s
}

// calledNumber returns the digits of a receipt's source, "" if it is no number.
func calledNumber(addr []byte) string {
	s := strings.TrimPrefix(string(addr), "+")
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// report hands the news of a run of jobs to the Reporter. What fits nothing
// and may be a message stays one; what was news is none any more.
func (in *inlet) report(ctx context.Context, s *Session, jobs []job) {
	var news []message.News
	var of []*job
	for i := range jobs {
		j := &jobs[i]
		if j.news == nil {
			continue
		}
		if len(j.news.Remote) == 0 {
			in.line.Load().log.Warn().Msg("receipt without an id")
			continue
		}
		news, of = append(news, *j.news), append(of, j)
	}
	if len(news) == 0 {
		return
	}
	for i, err := range in.edge.deps.Reporter.Report(ctx, news...) {
		j := of[i]
		switch {
		case err == nil:
			j.msg = nil // it was a receipt
		case errors.Is(err, message.ErrNotFound):
			// A receipt that fits nothing is answered well: refused, the
			// carrier would repeat it for ever.
		default:
			j.msg, j.failed = nil, err
		}
	}
}

// alert reads alert_notification: everything that waits for that number is
// due now.
func (in *inlet) alert(s *Session, j *job, frame []byte) {
	var a pdu.Alert
	l := in.line.Load()
	if a.Decode(frame) != nil || !l.settings.Load().carrier {
		s.m().fault()
		return
	}
	link := l.settings.Load().link
	plan := numberPlan(in.edge.deps.Directory(), link.Account)
	number, err := translate.Normalise(string(a.Source.Addr), a.Source.TON, a.Source.NPI, true, plan)
	if err != nil {
		return
	}
	j.act = func(ctx context.Context) []byte {
		in.edge.deps.Reporter.Awake(ctx, "number:+"+number.Digits())
		return nil
	}
}

func numberPlan(d *tenant.Directory, account string) (plan translate.NumberPlan) {
	if d == nil {
		return plan
	}
	if n := d.Numbering(account); n != nil {
		plan = translate.NumberPlan{
			Country: n.Country, Trunk: n.Trunk, International: n.International, ShortMax: n.ShortMax, Bare: n.Bare,
		}
	}
	return plan
}
