package restapi

import (
	"net/http"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// rcErrors are the published codes of failures (spec rest §4.3).
var rcErrors = map[message.Cause]struct {
	code int
	text string
}{
	message.Congested:     {30001, "Queue overflow"},
	message.Throttled:     {30001, "Queue overflow"},
	message.Absent:        {30003, "Unreachable destination handset"},
	message.MemoryFull:    {30003, "Unreachable destination handset"},
	message.Timeout:       {30003, "Unreachable destination handset"},
	message.TimeExpired:   {30003, "Unreachable destination handset"},
	message.Barred:        {30004, "Message blocked"},
	message.Unauthorised:  {30004, "Message blocked"},
	message.UnknownNumber: {30005, "Unknown destination handset"},
	message.BadContent:    {30007, "Carrier violation"},
	message.TooLarge:      {30007, "Carrier violation"},
	message.NoCredit:      {30010, "Message price exceeds max price"},
}

// rcStatus is where a message stands, in the words of this API.
func rcStatus(r message.Record, inbound bool) string {
	if inbound {
		return "received"
	}
	switch word := r.Status(); word {
	case "scheduled", "retrying":
		return "queued"
	case "queued", "sending":
		return "sending"
	case "sent", "delivered":
		return word
	}
	if r.State.Phase == message.Failed && len(r.State.Segments) > 0 {
		return "undelivered" // a next hop had taken it
	}
	return "failed"
}

// rcFailure is the error code of a message that has failed, nil where it has
// not.
func (s *Server) rcFailure(r message.Record) (code, text any) {
	if !r.State.Phase.Ended() || r.State.Phase == message.Done {
		return nil, nil
	}
	if m := r.Message; r.State.Phase == message.Cancelled && m.Account != "" && s.deps.Directory().Status(m.Account) == tenant.Closed {
		return 30002, "Account suspended"
	}
	e, ok := rcErrors[r.Cause()]
	if r.State.Phase == message.Dropped {
		e, ok = rcErrors[message.Barred], true
	}
	if !ok {
		return 30008, "Unknown error"
	}
	return e.code, e.text
}

// inbound tells whether m came to account, rather than from it.
func (c *call) inbound(m *message.Message, account string) bool {
	if c.dir.Within(m.Account, account) && (m.Account != tenant.Operator || account != tenant.Operator) {
		return false
	}
	n := c.dir.Number(m.To.Value)
	return n != nil && n.Account == account
}

// rcRecord is a message in the words of this API.
func (c *call) rcRecord(r message.Record) record {
	m, account := r.Message, c.foreign.account
	inbound := c.inbound(m, account.Name)
	direction := "outbound-api"
	switch {
	case inbound:
		direction = "inbound"
	case m.Extra[extraDirection] != "":
		direction = m.Extra[extraDirection]
	}
	owner := account.SID
	if a := c.dir.Account(m.Account); a != nil && !inbound {
		owner = a.SID
	}
	var sent any
	if !r.State.First.IsZero() {
		sent = strings.Trim(string(appendMillis(nil, r.State.First)), `"`)
	}
	updated := or(r.State.Ended, m.Accepted)
	code, text := c.s.rcFailure(r)
	sid := string(c.s.sids.append(nil, m.ID))
	body := m.Body.Text
	if !m.Body.IsText() {
		body = strings.Trim(string(appendHex(nil, m.Body.Data)), `"`)
	}
	out := record{{"sid", sid}, {"date_created", restcommTime(m.Accepted)}, {"date_updated", restcommTime(updated)}, {"date_sent", sent},
		{"account_sid", owner}, {"from", m.From.Shown()}, {"to", m.To.Shown()}, {"body", body}, {"status", rcStatus(r, inbound)}, {"direction", direction}}
	switch {
	case c.foreign.json:
		out = append(out, prop{"error_code", code}, prop{"error_message", text})
	case code != nil:
		out = append(out, prop{"error", record{{"error_code", code}, {"error_message", text}}})
	}
	return append(out, prop{"price", message.Amount(r.State.Charge.Cost).String()}, prop{"price_unit", c.s.cfg.CostUnit}, prop{"api_version", apiVersion},
		prop{"uri", restcommAt + "/Accounts/" + owner + "/SMS/Messages/" + sid + ".json"})
}

// rcSend answers POST /SMS/Messages: 200 is that product's code, and still
// means stored.
func (c *call) rcSend(string) error {
	m, err := c.rcCompose()
	if err == nil {
		err = c.rcMaxPrice(m)
	}
	if err != nil {
		return err
	}
	if err := c.acceptRouted(m); err != nil {
		return err
	}
	// durable from here
	if c.s.cfg.Memory {
		c.w.Header().Set("X-SMSC-Stored", "no")
	}
	return c.sendRecord(http.StatusOK, "SMSMessage", c.rcRecord(message.Record{Message: m, State: message.State{ID: m.ID}}))
}

// rcMaxPrice refuses what would cost more than its sender wants to pay.
func (c *call) rcMaxPrice(m *message.Message) error {
	s := c.given("MaxPrice")
	if s == "" {
		return nil
	}
	most, ok := message.ParseAmount(s)
	if !ok || most < 0 {
		return &problem{code: "invalid", detail: "MaxPrice must be a number with at most six decimal places"}
	}
	as := c.normalised(m)
	if c.priceOf(as, c.s.deps.Plan(as).Charged) > most {
		return &problem{code: "no_credit", detail: "30010: Message price exceeds max price", cause: message.NoCredit}
	}
	return nil
}

// acceptRouted hands m to the door, but not where only a poller could take
// it: users of the accounts API and of /sendsms/send cannot poll.
func (c *call) acceptRouted(m *message.Message) error {
	if c.noWay(m) {
		return &problem{code: "no_route", cause: message.UnknownNumber, detail: "no enabled route matches the called number"}
	}
	_, err := c.acceptOnce(m, c.rep)
	return err
}

// rcCompose reads the parameters of a message.
func (c *call) rcCompose() (*message.Message, error) {
	for _, name := range [...]string{"From", "To", "Body"} {
		if c.given(name) == "" {
			return nil, &problem{code: "invalid", detail: name + " can not be null."}
		}
	}
	if c.given("MediaUrl") != "" {
		return nil, refuse("not_here", "MediaUrl: this server carries short messages only")
	}
	if what := senderFault(c.given("From")); what != "" {
		return nil, &problem{code: "invalid", detail: "From " + what}
	}
	d := draft{text: c.given("Body")}
	switch strings.ToUpper(c.given("Encoding")) {
	case "", "UTF-8":
	case "GSM":
		d.charset = "gsm7"
	case "UCS-2":
		d.charset = "ucs2"
	default:
		return nil, &problem{code: "invalid", detail: "Encoding must be GSM, UCS-2 or UTF-8"}
	}
	if err := c.obeyContent(&d); err != nil {
		return nil, err
	}
	body, err := d.bodyOf()
	if err != nil {
		return nil, err
	}
	m := &message.Message{
		Kind: message.KindMessage, Account: c.foreign.account.Name, Body: body,
		From: addressOf(c.given("From"), 0, 0, false), To: addressOf(c.given("To"), 0, 0, false),
		Origin: message.Origin{Link: apiLink, Type: message.SourceHTTP, User: c.id.Name, Peer: c.r.RemoteAddr},
	}
	if err := c.rcSchedule(m); err != nil {
		return nil, err
	}
	if err := c.rcHeaders(m); err != nil {
		return nil, err
	}
	if err := c.obeyHandling(m); err != nil {
		return nil, err
	}
	if address := c.given("StatusCallback"); address != "" {
		method := strings.ToUpper(or(c.given("StatusCallbackMethod"), http.MethodPost))
		if what := checkCallback(address); what != "" || method != http.MethodPost && method != http.MethodGet {
			return nil, &problem{code: "invalid", detail: "StatusCallback " + or(what, "needs the method POST or GET")}
		}
		wantCallback(m, address, method)
	}
	return m, nil
}

// rcSchedule reads when a message may leave and until when it is worth it.
func (c *call) rcSchedule(m *message.Message) error {
	if s := c.given("ValidityPeriod"); s != "" {
		d, err := time.ParseDuration(s + "s")
		if err != nil || d <= 0 {
			return &problem{code: "invalid", detail: "ValidityPeriod must be a number of seconds"}
		}
		m.Expires = c.start.Add(d)
	}
	if s := c.given("SendAt"); s != "" {
		at, err := time.Parse(time.RFC3339, strings.ReplaceAll(s, " ", "+"))
		if err != nil {
			return &problem{code: "invalid", detail: "SendAt must be a time as in RFC 3339"}
		}
		m.NotBefore = at
	}
	return nil
}

// rcHeaders reads the X- parameters: headers of a SIP MESSAGE that leaves.
func (c *call) rcHeaders(m *message.Message) error {
	n := 0
	for name, v := range c.foreign.form {
		if !strings.HasPrefix(name, "X-") {
			continue
		}
		token := strings.Trim(name[2:], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
		printable := strings.IndexFunc(v[0], func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
		if n++; n > 20 || !token || len(name) < 3 || len(name) > 64 || len(v[0]) > 256 || !printable {
			return &problem{code: "invalid", detail: "at most 20 parameters X-NAME of letters, digits, _ and -, with values of at most 256 printable characters"}
		}
		m.Extra = with(m.Extra, "sip."+strings.ToLower(name), v[0])
	}
	return nil
}

// rcMessage answers GET of one message.
func (c *call) rcMessage(id string) error {
	at, ok := c.s.sids.parse(id)
	if !ok || !strings.HasPrefix(id, "SM") {
		return refuse("not_found", "no such message")
	}
	r, err := c.s.deps.Ledger.Find(c.r.Context(), nil, at)
	account := c.foreign.account.Name
	if err != nil || r.Message.Kind != message.KindMessage || r.Message.Account != account && !c.inbound(r.Message, account) || c.s.isHidden(c.r.Context(), r) {
		return refuse("not_found", "no such message")
	}
	return c.sendRecord(http.StatusOK, "SMSMessage", c.rcRecord(r))
}
