package restapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// maxTotal bounds what a listing counts, maxSorted what it can sort by
// something else than time.
const (
	maxTotal  = 100_000
	maxSorted = 10_000
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
func rcFailure(r message.Record) (code, text any) {
	if !r.State.Phase.Ended() || r.State.Phase == message.Done {
		return nil, nil
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
	code, text := rcFailure(r)
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
	return append(out, prop{"price", "0"}, prop{"price_unit", c.s.cfg.CostUnit}, prop{"api_version", apiVersion},
		prop{"uri", restcommAt + "/Accounts/" + owner + "/SMS/Messages/" + sid + ".json"})
}

// rcSend answers POST /SMS/Messages: 200 is that product's code, and still
// means stored.
func (c *call) rcSend(string) error {
	m, err := c.rcCompose()
	if err != nil {
		return err
	}
	if key := c.r.Header.Get("Idempotency-Key"); key != "" {
		rep, err := c.newRepeat([]byte(c.foreign.form.Encode()))
		if err != nil {
			return err
		}
		m.Origin.Ref, m.Origin.RefLife = rep.ref, idempotencyLife
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

// acceptRouted hands m to the door, but not where only a poller could take
// it: users of the accounts API and of /sendsms/send cannot poll.
func (c *call) acceptRouted(m *message.Message) error {
	if c.noWay(m) {
		return &problem{code: "no_route", cause: message.UnknownNumber, detail: "no enabled route matches the called number"}
	}
	return c.refusalOf(m, c.s.deps.Acceptor.Accept(c.r.Context(), m)[0])
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

// rcMessages answers GET /SMS/Messages.
func (c *call) rcMessages(string) error {
	p, err := c.readPage()
	if err != nil {
		return err
	}
	order, err := c.rcOrder()
	if err != nil {
		return err
	}
	rows, err := c.rcCollect(&p, order)
	if err != nil {
		return err
	}
	records := make([]record, len(rows))
	for i, r := range rows {
		records[i] = c.rcRecord(r)
	}
	return c.sendPage("messages", "SMSMessages", "SMSMessage", p, records)
}

// rcSortKeys are what a list can be sorted by.
var rcSortKeys = map[string]func(*call, message.Record) string{
	"DateCreated": func(_ *call, r message.Record) string {
		return r.Message.Accepted.UTC().Format("20060102150405.000000")
	},
	"From":  func(_ *call, r message.Record) string { return r.Message.From.Shown() },
	"To":    func(_ *call, r message.Record) string { return r.Message.To.Shown() },
	"Body":  func(_ *call, r message.Record) string { return r.Message.Body.Text },
	"Price": func(*call, message.Record) string { return "" },
	"Status": func(c *call, r message.Record) string {
		return rcStatus(r, c.inbound(r.Message, c.foreign.account.Name))
	},
	"Direction": func(c *call, r message.Record) string {
		if c.inbound(r.Message, c.foreign.account.Name) {
			return "inbound"
		}
		return or(r.Message.Extra[extraDirection], "outbound-api")
	},
}

// rcOrder reads SortBy.
func (c *call) rcOrder() (func(a, b message.Record) int, error) {
	name, direction, _ := strings.Cut(or(c.query.Get("SortBy"), "DateCreated:desc"), ":")
	key := rcSortKeys[name]
	if key == nil || direction != "" && direction != "asc" && direction != "desc" {
		return nil, &problem{code: "invalid", detail: "SortBy must be one of DateCreated, From, To, Direction, Status, Body, Price with :asc or :desc"}
	}
	sign := 1
	if direction == "desc" {
		sign = -1
	}
	return func(a, b message.Record) int {
		return sign * cmp.Or(strings.Compare(key(c, a), key(c, b)), cmp.Compare(a.Message.ID, b.Message.ID))
	}, nil
}

// rcCollect returns the rows of the page and counts them all, at most
// maxTotal. Newest first needs only the page in memory.
func (c *call) rcCollect(p *page, order func(a, b message.Record) int) ([]message.Record, error) {
	keep, err := c.rcFilter()
	if err != nil {
		return nil, err
	}
	bound := maxSorted
	if s := c.query.Get("SortBy"); s == "" || s == "DateCreated:desc" {
		bound = (p.number + 1) * p.size
	}
	var rows []message.Record
	for _, q := range c.rcQueries() {
		for p.total < maxTotal {
			found, err := c.s.deps.Ledger.List(c.r.Context(), q)
			if err != nil {
				return nil, err
			}
			for _, r := range found {
				q.After = r.Message.ID
				if keep(r) && !c.s.isHidden(c.r.Context(), r) {
					p.total++
					rows = append(rows, r)
				}
			}
			if len(rows) > 2*bound+scanPage {
				slices.SortFunc(rows, order)
				rows = slices.Clip(rows[:bound])
			}
			if len(found) < q.Limit {
				break
			}
		}
	}
	slices.SortFunc(rows, order)
	from := min(p.number*p.size, len(rows))
	return rows[from:min(from+p.size, len(rows))], nil
}

// rcQueries are the questions that a list needs: what the account has
// submitted, and what came to its numbers.
func (c *call) rcQueries() []message.Query {
	kind, account := message.KindMessage, c.foreign.account.Name
	base := message.Query{Kind: &kind, Desc: true, Limit: scanPage, To: c.given("To"), From: c.given("From"), Text: c.given("Body")}
	own := base
	own.Account = account
	if c.query.Get("SubAccounts") == "true" {
		own.Account, own.Reach = "", c.dir.Reach(account)
	}
	all := []message.Query{own}
	if account == tenant.Operator {
		return all
	}
	doc := c.dir.Document()
	for i := range doc.Numbers {
		if n := &doc.Numbers[i]; n.Account == account && base.To == "" {
			in := base
			in.To = n.Number
			in.Reach = func(other string) bool { return !c.dir.Within(other, account) }
			all = append(all, in)
		}
	}
	return all
}

// rcFilter reads Status, StartTime and EndTime.
func (c *call) rcFilter() (func(message.Record) bool, error) {
	var since, until time.Time
	for name, into := range map[string]*time.Time{"StartTime": &since, "EndTime": &until} {
		s := strings.TrimLeft(c.query.Get(name), "<>=")
		if s == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			if t, err = time.Parse(time.RFC3339, strings.ReplaceAll(s, " ", "+")); err != nil {
				return nil, &problem{code: "invalid", detail: name + " must be a day like 2026-11-21"}
			}
		} else if name == "EndTime" {
			t = t.AddDate(0, 0, 1) // the day itself belongs to it
		}
		*into = t
	}
	status, account := c.query.Get("Status"), c.foreign.account.Name
	return func(r message.Record) bool {
		at := r.Message.Accepted
		return (since.IsZero() || !at.Before(since)) && (until.IsZero() || at.Before(until)) &&
			(status == "" || rcStatus(r, c.inbound(r.Message, account)) == status)
	}, nil
}

// sendSMS answers /sendsms/send: one message in one line (spec rest §5).
func (c *call) sendSMS() error {
	c.plain = strings.Contains(c.r.Header.Get("Accept"), "text/plain")
	c.foreign = &foreign{json: true, account: c.dir.Account(c.id.Account)}
	if err := c.readForm(); err != nil {
		return err
	}
	f := c.foreign
	c.foreign = nil // its errors are those of the queue API
	if len(f.form) == 0 || f.form.Get("to") == "" && c.query.Get("to") != "" {
		f.form = c.query
	}
	phone := func(name string) string {
		if s := f.form.Get(name); strings.HasPrefix(s, " ") {
			return "+" + strings.TrimLeft(s, " ")
		}
		return f.form.Get(name)
	}
	for _, name := range [...]string{"from", "to", "body"} {
		if f.form.Get(name) == "" {
			return invalid("query."+name, "is required")
		}
	}
	d := draft{from: phone("from"), to: phone("to"), text: f.form.Get("body"), source: apiLink, clientRef: f.form.Get("ref")}
	m, err := c.oneLine(&d, f.form.Get)
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
	if c.plain {
		c.send(http.StatusOK, "text/plain; charset=utf-8", []byte("OK "+m.ID.String()+"\n"))
		return nil
	}
	return c.encode(sendSMSReply{ID: uint64(m.ID), SID: string(c.s.sids.append(nil, m.ID)), Status: "queued", Parts: max(parts(m), 1),
		Encoding: m.Body.Coding.String(), To: m.To.Shown()})
}

// sendSMSReply is the answer of /sendsms/send.
type sendSMSReply struct {
	ID       uint64 `json:"id"`
	SID      string `json:"sid"`
	Status   string `json:"status"`
	Parts    int    `json:"parts"`
	Encoding string `json:"encoding"`
	To       string `json:"to"`
}

// oneLine makes the message of a line.
func (c *call) oneLine(d *draft, given func(string) string) (*message.Message, error) {
	if what := senderFault(d.from); what != "" {
		return nil, invalid("query.from", what)
	}
	switch coding := given("coding"); coding {
	case "", "auto":
	case "gsm7", "8bit", "ucs2":
		d.charset = coding
	default:
		return nil, invalid("query.coding", "must be auto, gsm7, 8bit or ucs2")
	}
	if udh := given("udh"); udh != "" {
		octets, what := readUDH(udh)
		if what != "" {
			return nil, invalid("query.udh", what)
		}
		d.udh = octets
	}
	body, err := d.bodyOf()
	if err != nil {
		return nil, err
	}
	m := d.message(body)
	m.Account = c.id.Account
	m.Origin.User, m.Origin.Peer = c.id.Name, c.r.RemoteAddr
	if s := given("validity"); s != "" {
		life, err := readDuration(s)
		if err != nil || life <= 0 {
			return nil, invalid("query.validity", "must be a duration like 2h, or seconds")
		}
		m.Expires = c.start.Add(life)
	}
	if address := given("receipt"); address != "" {
		if what := checkCallback(address); what != "" {
			return nil, invalid("query.receipt", what)
		}
		jsonCallback(m, address)
	}
	if key := c.r.Header.Get("Idempotency-Key"); key != "" {
		m.Origin.Ref, m.Origin.RefLife = "line:"+refOf(c.id.Account, key), idempotencyLife
	}
	return m, nil
}

// readUDH reads a whole header in hexadecimal.
func readUDH(s string) (octets []byte, what string) {
	d := draft{}
	if what = d.takeUDH(value{[]byte(`{"raw":"` + strings.Map(hexOnly, s) + `"}`)}); what != "" {
		return nil, what
	}
	if _, err := translate.ParseUDH(d.udh); err != nil {
		return nil, "is not made of whole elements"
	}
	return d.udh, ""
}

func hexOnly(r rune) rune {
	if strings.ContainsRune("0123456789abcdefABCDEF", r) {
		return r
	}
	return 'x' // no digit: it is refused
}

// jsonCallback has the end of m told to a URL as an event.
func jsonCallback(m *message.Message, address string) {
	if m.Wants == message.WantNone {
		m.Wants = message.WantFinal
	}
	m.Extra = with(m.Extra, extraCallback, address)
	m.Extra = with(m.Extra, message.ExtraHome, tenant.Callback)
}
