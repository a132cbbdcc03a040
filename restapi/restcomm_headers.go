package restapi

import (
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// Parameters of the accounts API that are headers of our SIP dialect are also
// obeyed, as if the message had come by SIP (spec rest §4.3, sip §7).

// header returns the parameter of a header, whatever its case.
func (c *call) header(name string) string {
	for key, v := range c.foreign.form {
		if strings.EqualFold(key, name) {
			return strings.TrimSpace(v[0])
		}
	}
	return ""
}

// badHeader refuses a header that cannot be obeyed.
func badHeader(name, what string) *problem {
	return &problem{code: "invalid", detail: name + " " + what}
}

// obeyContent reads what is said of the content: alphabet, header and class.
func (c *call) obeyContent(d *draft) error {
	if coding := c.header("X-SMS-CODING"); coding != "" {
		charset, ok := map[string]string{"0": "gsm7", "1": "8bit", "2": "ucs2"}[coding]
		if !ok {
			return badHeader("X-SMS-CODING", "must be 0, 1 or 2")
		}
		d.charset = or(d.charset, charset)
	}
	if udh := c.header("X-SMS-UDH"); udh != "" {
		octets, what := readUDH(strings.ReplaceAll(strings.TrimPrefix(udh, "0x"), " ", ""))
		if what != "" {
			return badHeader("X-SMS-UDH", what)
		}
		d.udh = octets
	}
	if class := c.header("X-M-CLASS"); class != "" {
		n, err := strconv.ParseUint(class, 10, 8)
		if err != nil || n > 3 {
			return badHeader("X-M-CLASS", "must be 0 to 3")
		}
		d.hasClass, d.class = true, uint8(n)
	}
	return nil
}

// obeyHandling reads until when a message is worth it, and who is told.
func (c *call) obeyHandling(m *message.Message) error {
	if s := c.header("X-SMS-VALIDITY"); s != "" {
		at, err := time.Parse(time.DateTime, s) // UTC
		if err != nil {
			at, err = time.Parse(time.RFC3339, s)
		}
		if err != nil || at.Before(c.start) {
			return badHeader("X-SMS-VALIDITY", "must be a time to come, yyyy-mm-dd hh:mm:ss in UTC")
		}
		m.Expires = at
	}
	s := c.header("X-REG-DELIVERY")
	if s == "" {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n > 31 {
		return badHeader("X-REG-DELIVERY", "must be 0 to 31")
	}
	m.Wants = [...]message.Wants{message.WantNone, message.WantFinal, message.WantFailure, message.WantSuccess}[n&3]
	if n&16 != 0 {
		m.Wants |= message.WantIntermediate
	}
	return nil
}
