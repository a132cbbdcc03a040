package restapi

import (
	"net/http"
	"strings"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

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
