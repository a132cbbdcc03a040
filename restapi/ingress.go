package restapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

// postMessage answers POST /api/messages: read, check, accept, answer.
func (c *call) postMessage() error {
	wait, err := c.duration("wait", time.Minute)
	if err != nil {
		return err
	}
	body, err := c.jsonBody()
	if err != nil {
		return err
	}
	m, err := c.readMessage(body)
	if err != nil {
		return err
	}
	dest, err := c.acceptOnce(m, body)
	if err != nil {
		return err
	}
	// durable from here
	h := c.w.Header()
	h.Set("Location", "/api/messages/"+m.ID.String())
	if c.s.cfg.Memory {
		h.Set("X-SMSC-Stored", "no")
	}
	if wait > 0 {
		return c.answerEnd(m, wait)
	}
	view, envelope, err := c.shape(viewPost, true)
	if err != nil {
		return err
	}
	r := message.Record{Message: m, State: message.State{ID: m.ID}}
	out := c.openEnvelope(make([]byte, 0, 320+len(m.Body.Text)+2*len(m.Body.Data)), envelope)
	out = c.appendRow(out, r, view, dest)
	return c.json(http.StatusCreated, c.closeEnvelope(out, envelope))
}

// answerEnd holds the answer back until the message has an end or the time is
// up.
func (c *call) answerEnd(m *message.Message, wait time.Duration) error {
	view, envelope, err := c.shape(viewFull, false)
	if err != nil {
		return err
	}
	r := message.Record{Message: m, State: message.State{ID: m.ID}}
	// Without a free place the message is stored all the same: say what is
	// known now.
	if c.s.waits.enter(c.id.Account) {
		defer c.s.waits.leave(c.id.Account)
		ctx, cancel := c.untilStop(wait)
		defer cancel()
		if known, _ := c.s.deps.Ledger.Wait(ctx, nil, m.ID); known.Message != nil {
			r = known
		}
	}
	out := c.openEnvelope(nil, envelope)
	out = c.appendRow(out, r, view, c.destOf(r))
	return c.json(http.StatusCreated, c.closeEnvelope(out, envelope))
}

// untilStop returns a context that ends with the request, after d, or when
// the server drains.
func (c *call) untilStop(d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(c.r.Context(), d)
	go func() { // ends with ctx
		select {
		case <-c.s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// acceptOnce hands m to the door, once for each Idempotency-Key, and returns
// the dest_smsc to show.
func (c *call) acceptOnce(m *message.Message, body []byte) (dest string, err error) {
	rep, err := c.newRepeat(body)
	if err != nil {
		return "", err
	}
	if rep == nil {
		if err = c.accept(m); err != nil {
			return "", err
		}
		return c.destOf(message.Record{Message: m}), nil
	}
	unlock, err := c.s.keys.lock(c.r.Context(), rep.ref)
	if err != nil {
		return "", err
	}
	defer unlock()
	ctx := c.r.Context()
	repeated, err := rep.claim(ctx, c.s.deps.Shelf)
	if err != nil {
		return "", err
	}
	dest = c.destOf(message.Record{Message: c.normalised(m)})
	m.Origin.Ref, m.Origin.RefLife = rep.ref, idempotencyLife
	m.Extra = with(m.Extra, extraAnswer, rep.answer(dest))
	if err = c.accept(m); err != nil {
		if !repeated {
			rep.forget(ctx, c.s.deps.Shelf)
		}
		return "", err
	}
	r, err := c.s.deps.Ledger.Find(ctx, nil, m.ID)
	if err != nil {
		return "", err
	}
	mine, first, err := rep.first(r.Message)
	if err != nil || mine {
		return dest, err
	}
	*m = *r.Message
	c.w.Header().Set("Idempotent-Replayed", "true")
	return first, nil
}

// accept hands m to the door and says its refusal in our words.
func (c *call) accept(m *message.Message) error {
	if c.strict() && m.Dest == "" && c.noWay(m) {
		return &problem{code: "no_route", cause: message.UnknownNumber, detail: "no enabled route matches the called number"}
	}
	err := c.s.deps.Acceptor.Accept(c.r.Context(), m)[0]
	if err == nil {
		return nil
	}
	p := problemOf(err)
	var e *message.Error
	if !errors.As(err, &e) {
		return p
	}
	switch {
	case e.Cause == message.Barred && !c.dir.MaySend(m.Account, m.From.Value):
		p.code = "sender_not_allowed"
	case e.Cause == message.Barred && m.Dest != "" && c.dir.Link(m.Dest) != nil && !c.seesLink(m.Dest):
		p.code = "foreign_link"
	case e.Cause == message.TooLarge && parts(m) == 0:
		p.code = "too_many_parts"
	}
	return p
}

// normalised returns m as the door will see it: for a plan that is made before
// the door was asked.
func (c *call) normalised(m *message.Message) *message.Message {
	plan := translate.NumberPlan{}
	if n := c.dir.Numbering(m.Account); n != nil {
		plan = translate.NumberPlan{Country: n.Country, Trunk: n.Trunk, International: n.International, ShortMax: n.ShortMax, Bare: n.Bare}
	}
	as := *m
	if a, err := translate.Normalise(m.From.Shown(), m.From.TON, m.From.NPI, m.From.Typed, plan); err == nil {
		as.From = a
	}
	if a, err := translate.Normalise(m.To.Shown(), m.To.TON, m.To.NPI, m.To.Typed, plan); err == nil {
		as.To = a
	}
	return &as
}

// parts counts the short messages of m; 0 where they are too many.
func parts(m *message.Message) int {
	if m.Parts > 0 {
		return int(m.Parts)
	}
	n, err := translate.CountParts(m.Body)
	if err != nil {
		return 0
	}
	return n
}

// noWay tells whether m would only be kept for whoever polls.
func (c *call) noWay(m *message.Message) bool {
	v := c.s.deps.Plan(c.normalised(m)).Verdict
	return v == routing.NoWay || v == routing.Hold
}

// readMessage turns the body of a request into a message for the door.
func (c *call) readMessage(data []byte) (*message.Message, error) {
	d := draft{strict: c.strict()}
	if err := d.read(data, false); err != nil {
		return nil, refuse("malformed", err.Error())
	}
	for _, name := range [...]string{"source_msisdn", "destination_msisdn", "message_body", "source_smsc"} {
		if !d.set[name] {
			d.fault(name, "is required")
		}
	}
	if d.set["source_msisdn"] && d.from == "" && len(d.faults) == 0 {
		d.fault("source_msisdn", "must not be empty")
	}
	if d.set["destination_msisdn"] && d.to == "" && len(d.faults) == 0 {
		d.fault("destination_msisdn", "must not be empty")
	}
	if d.set["source_smsc"] && d.source == "" && len(d.faults) == 0 {
		d.fault("source_smsc", "must not be empty")
	}
	d.check(c.start)
	if err := d.refusal(); err != nil {
		return nil, err
	}
	body, err := d.bodyOf()
	if err == nil {
		err = d.checkGroup(body)
	}
	if err != nil {
		return nil, err
	}
	account, ok := c.account(d.account)
	if !ok {
		return nil, invalid("body.account", "is no account within reach")
	}
	m := d.message(body)
	m.Account = account
	m.Origin.User, m.Origin.Peer = c.id.Name, c.r.RemoteAddr
	return m, c.checkWays(&d, m)
}

// check finds what is wrong between the members.
func (d *draft) check(now time.Time) {
	if what := senderFault(d.from); d.from != "" && what != "" {
		d.fault("source_msisdn", what)
	}
	if d.deadletter {
		d.fault("deadletter", "a message cannot be submitted as a dead letter; leave it out")
	}
	if d.callback != "" {
		d.fault("status_callback", "is not served by this version; set status_report and read /api/receipts")
	}
	if d.strict && !d.expires.IsZero() && d.expires.Before(now) {
		d.fault("expires", "lies in the past")
	}
	if !d.after.IsZero() && !d.expires.IsZero() && !d.after.Before(d.expires) {
		d.fault("deliver_after", "must lie before expires")
	}
	if d.raw && d.rawSIP {
		d.fault("raw_sip_flag", "excludes raw_data_flag")
	}
}

// senderFault tells what keeps s from being a sender: a number, a short code,
// or 1 to 11 GSM-7 characters with a letter.
func senderFault(s string) string {
	number := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -().", r) {
			return -1
		}
		return r
	}, s)
	if (message.Address{Value: number}).IsNumber() {
		return ""
	}
	runes, letter := 0, false
	for _, r := range s {
		runes++
		letter = letter || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f
	}
	if !letter || runes > 11 || !translate.FitsGSM7(s) {
		return "must be a number, a short code, or 1 to 11 GSM-7 characters with a letter"
	}
	return ""
}

// message makes the message that d asks for. Account and User are the
// caller's to fill in.
func (d *draft) message(body message.Body) *message.Message {
	m := &message.Message{
		Kind: message.KindMessage, Body: body, Dest: d.dest, Wants: wantsOf(d.report),
		From:     addressOf(d.from, d.fromTON, d.fromNPI, d.set["source_ton"] || d.set["source_npi"]),
		To:       addressOf(d.to, d.toTON, d.toNPI, d.set["dest_ton"] || d.set["dest_npi"]),
		Origin:   message.Origin{Link: d.source, Type: message.SourceHTTP, Handle: d.clientRef},
		Priority: d.priority, NotBefore: d.after, Expires: d.expires,
	}
	d.extras(m)
	return m
}

// extras notes what no other word holds.
func (d *draft) extras(m *message.Message) {
	put := func(key, v string) {
		if v != "" {
			m.Extra = with(m.Extra, key, v)
		}
	}
	flag := func(key string, set bool) {
		if set {
			m.Extra = with(m.Extra, key, "1")
		}
	}
	put(extraCharset, d.charset)
	put(extraGroup, d.group)
	flag(extraRaw, d.raw)
	flag(extraRawSIP, d.rawSIP)
	put(extraFromIMSI, d.fromIMSI)
	put(extraToIMSI, d.toIMSI)
	put(extraPID, pidText(d.pid))
	flag(extraReplyPath, d.replyPath)
	flag(extraReplace, d.replace)
}

// pidText is a protocol identifier as Extra holds it; the default, 0, is left
// out.
func pidText(pid uint8) string {
	if pid == 0 {
		return ""
	}
	return strconv.Itoa(int(pid))
}

// with returns m with one more entry.
func with(m map[string]string, key, v string) map[string]string {
	if m == nil {
		m = make(map[string]string, 2)
	}
	m[key] = v
	return m
}

// addressOf is an address before the door brought it into its normal form.
func addressOf(given string, ton, npi uint8, typed bool) message.Address {
	return message.Address{Value: given, Given: given, TON: ton, NPI: npi, Typed: typed}
}

func wantsOf(report string) message.Wants {
	switch report {
	case "final":
		return message.WantFinal
	case "failure":
		return message.WantFailure
	case "success":
		return message.WantSuccess
	case "all":
		return message.WantFinal | message.WantIntermediate
	}
	return message.WantNone
}

// checkWays sees to it that nobody speaks or sends in the name of a link out
// of reach (spec rest §2.1, §2.3).
func (c *call) checkWays(d *draft, m *message.Message) error {
	if l := c.dir.Link(d.source); l != nil {
		if !c.dir.Within(l.Account, c.id.Account) {
			return refuse("foreign_link", "source_smsc names a link of somebody else")
		}
		if l.Kind == tenant.KindPoll {
			m.Origin.Type = sourceOf(d.sourceType)
		}
	}
	if c.id.Account == tenant.Operator {
		m.Origin.Type = sourceOf(d.sourceType)
	}
	l := c.dir.Link(m.Dest)
	if c.strict() && m.Dest != "" && l == nil {
		return invalid("body.dest_smsc", "names no declared link")
	}
	if d.rawSIP && (m.Dest == "" || l != nil && l.Kind != tenant.KindPoll && l.Kind != tenant.KindWebhook) {
		// A caller must not write SIP requests of ours.
		return refuse("unsupported_content", "raw_sip_flag needs a poll or webhook link in dest_smsc")
	}
	return nil
}

func sourceOf(word string) message.Source {
	for s := message.SourceSIP; s <= message.SourceCS; s++ {
		if s.String() == word {
			return s
		}
	}
	return message.SourceHTTP
}
