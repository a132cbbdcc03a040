package restapi

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
)

// keepBody writes down what a message was posted as. Header fields are left
// out: they are credentials and what proxies add.
func (c *call) keepBody(id message.ID, body []byte) {
	if c.s.deps.Captured == nil {
		return
	}
	head := c.r.Method + " " + c.requestURI() + "\r\nContent-Type: " + c.r.Header.Get("Content-Type") + "\r\n\r\n"
	c.s.deps.Captured.Keep(capture.Hop{ID: id, Step: capture.Accepted, Form: capture.HTTP, Link: apiLink}, head, body)
}

// requestURI is the target of the request as the endpoint saw it.
func (c *call) requestURI() string {
	if u := c.r.URL; u.RawQuery == "" && u.RawPath == "" && u.Path == c.r.RequestURI {
		return u.Path // nothing has to be put together again
	}
	return c.r.URL.RequestURI()
}

// keptFields are the header fields of our requests that are no signatures.
var keptFields = [...]string{"Content-Type", "Webhook-Id", "Webhook-Timestamp"}

// keepRequest writes down what the URL of somebody is asked.
func (a *asking) keepRequest() {
	if !a.tap.On() {
		return
	}
	head := a.method + " " + a.url + "\r\n"
	for _, name := range keptFields {
		if v := a.header.Get(name); v != "" {
			head += name + ": " + v + "\r\n"
		}
	}
	a.tap.Sent(head+"\r\n", a.body)
}

// keepReply writes down what it answered, if it did.
func (a *asking) keepReply(r *answered) {
	if a.tap.On() && r.status != 0 {
		a.tap.Heard("HTTP "+strconv.Itoa(r.status)+"\r\n"+r.headers+"\r\n", r.body)
	}
}

// octets of a message's hops, as its trace shows them.
type octets struct {
	kept  []capture.Packet
	steps []message.Step
}

// octetsOf returns what is still kept of r, for admins of the account that
// owns it and above. What went over a link is for those who own that link.
func (c *call) octetsOf(r message.Record, steps []message.Step) octets {
	if c.s.deps.Captured == nil || !c.id.Role.Allows(tenant.Admin) || !c.owns(r.Message) {
		return octets{}
	}
	ids := []message.ID{r.Message.ID}
	for _, a := range r.Message.Aliases {
		ids = append(ids, a.ID)
	}
	var remotes []string
	for _, id := range r.State.Remote() {
		remotes = append(remotes, message.CanonicalRemote(id))
	}
	kept := c.s.deps.Captured.Of(ids, func(link string, remote []string) bool {
		return link == r.State.Link && slices.ContainsFunc(remote, func(id string) bool { return slices.Contains(remotes, message.CanonicalRemote(id)) })
	})
	kept = slices.DeleteFunc(kept, func(p capture.Packet) bool { return !c.hearsOver(p.Link) })
	return octets{kept, steps}
}

// hearsOver tells whether the caller may read what goes over a link: the
// addresses of peers and the words between carriers are their owner's.
func (c *call) hearsOver(name string) bool {
	if name == apiLink || name == tenant.Callback {
		return true
	}
	l := c.dir.Link(name)
	return l == nil && c.id.Account == tenant.Operator || l != nil && c.dir.Within(l.Account, c.id.Account)
}

// appendTo writes what is kept of step i.
func (o octets) appendTo(dst []byte, i int) []byte {
	comma := false
	for k := range o.kept {
		if o.stepOf(&o.kept[k]) != i {
			continue
		}
		if !comma {
			dst = append(dst, `,"raw":[`...)
		} else {
			dst = append(dst, ',')
		}
		comma = true
		dst = appendPacket(dst, &o.kept[k])
	}
	if comma {
		dst = append(dst, ']')
	}
	return dst
}

// stepOf returns the step that p belongs to, -1 if it is not in the trace: the
// one of its kind, of its try where it has one, that is nearest in time.
func (o octets) stepOf(p *capture.Packet) int {
	found, try := -1, 0
	for i, s := range o.steps {
		if s.Kind == "attempt" {
			try = message.ParseTry(s.Text).Number
		}
		if s.Kind != p.Step.String() || s.Link != "" && s.Link != p.Link && p.Step != capture.Accepted || p.Try != 0 && int(p.Try) != try {
			continue
		}
		if found < 0 || s.At.Sub(p.At).Abs() < o.steps[found].At.Sub(p.At).Abs() {
			found = i
		}
	}
	return found
}

func appendPacket(dst []byte, p *capture.Packet) []byte {
	dst = appendMillis(append(dst, `{"at":`...), p.At)
	dst = appendString(append(dst, `,"protocol":`...), p.Form.String())
	dst = strconv.AppendInt(append(dst, `,"octets":`...), int64(p.Size), 10)
	if p.Form != capture.SMPP && isText(p.Octets) {
		dst = appendString(append(dst, `,"text":`...), string(p.Octets))
	} else {
		dst = append(hex.AppendEncode(append(dst, `,"hex":"`...), p.Octets), '"')
	}
	return append(dst, '}')
}

// isText tells whether octets can be shown as they are, and told back exactly.
func isText(b []byte) bool {
	return utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' && r != '\t' })
}
