package routing

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"smsc/message"
)

// maxTLVs is how many octets of optional parameters rules may leave.
const maxTLVs = 4096

// parameters compiles the optional parameters to take away and to set.
func (a *acts) parameters(th *Then, fault faulter) {
	tag := func(key, text string) int {
		n, err := strconv.ParseUint(strings.TrimSpace(text), 0, 16)
		if err != nil || n == 0 {
			fault(key, "%q is no tag like 0x1401", text)
		}
		return int(n)
	}
	for i, text := range th.RemoveTLV {
		a.removeTLV = append(a.removeTLV, tag(fmt.Sprintf("remove_tlv[%d]", i), text))
	}
	for i, text := range th.SetTLV {
		key := fmt.Sprintf("set_tlv[%d]", i)
		name, value, ok := strings.Cut(text, "=")
		octets, err := hex.DecodeString(strings.TrimSpace(value))
		if !ok || err != nil || len(octets) > 255 {
			fault(key, `%q is not like "0x1401=0a0b", the value in hex`, text)
		}
		a.setTLV = append(a.setTLV, parameter{tag(key, name), octets})
	}
}

// compute evaluates every word of a rule before it does anything: one that
// fails leaves the message as it was.
func (a *acts) compute(t *Table, s *Subject, seed string) (words [wordsAll]string, headers []string, err error) {
	for i := range a.words {
		if words[i], err = a.words[i].of(t, s, seed); err != nil {
			return words, nil, err
		}
	}
	for i := range a.setHeader {
		v, err := a.setHeader[i].value.of(t, s, seed)
		if err != nil {
			return words, nil, err
		}
		headers = append(headers, v)
	}
	return words, headers, nil
}

// born are the messages that a rule makes beside this one.
func (j *judging) born(r *rule, words [wordsAll]string) (did []string) {
	if c := r.Then.Copy; c != nil {
		d := Draft{Rule: r.seed, Account: j.arrived.account, From: j.arrived.from, To: j.arrived.to, Dest: c.DestSMSC}
		if c.Account != "" {
			d.Account = c.Account
		}
		if c.Called != "" {
			d.To = message.Address{Value: c.Called}
		}
		if c.Calling != "" {
			d.From = message.Address{Value: c.Calling}
		}
		j.out.Copies = append(j.out.Copies, d)
		did = append(did, "copy to "+d.To.Value)
	}
	if text := words[wordReply]; text != "" {
		j.out.Replies = append(j.out.Replies, Answer{Rule: r.seed, Text: text})
		did = append(did, "auto reply")
	}
	return did
}

// change rewrites the message, in the order of spec routing §8.2.
func (j *judging) change(r *rule, words [wordsAll]string) (did []string) {
	m, a := j.s.Message, r.acts
	if to := words[wordAccount]; to != "" && to != m.Account {
		if said := j.account(r, to); said != "" {
			did = append(did, said)
		}
	}
	for _, side := range []struct {
		key  string
		at   *message.Address
		list []rewriter
		set  string
	}{{"called", &m.To, a.called, words[wordCalled]}, {"calling", &m.From, a.calling, words[wordCalling]}} {
		was := *side.at
		if side.set != "" {
			side.list = []rewriter{{Rewrite: Rewrite{Set: side.set}}}
		}
		if *side.at = translated(side.list, was); side.at.Value != was.Value {
			did = append(did, side.key+" "+was.Value+" -> "+side.at.Value)
		}
	}
	th := &r.Then
	if th.CalledTON != nil || th.CalledNPI != nil {
		j.ruled().Called = numberType(m.To, th.CalledTON, th.CalledNPI)
		did = append(did, "called type")
	}
	if th.CallingTON != nil || th.CallingNPI != nil {
		j.ruled().Calling = numberType(m.From, th.CallingTON, th.CallingNPI)
		did = append(did, "calling type")
	}
	did = append(did, j.text(r, words)...)
	return append(did, j.settings(r, words)...)
}

// ruled is the mark that rules leave on the message.
func (j *judging) ruled() *message.Ruled {
	u := message.Ruled{}
	if j.s.Message.Ruled != nil {
		u = *j.s.Message.Ruled
	}
	j.s.Message.Ruled = &u
	return &u
}

func numberType(a message.Address, ton, npi *int) message.NumberType {
	return message.NumberType{Set: true, TON: octet(ton, a.TON), NPI: octet(npi, a.NPI)}
}

// account gives the message to another account, once.
func (j *judging) account(r *rule, to string) string {
	m := j.s.Message
	if j.s.Stored || m.Arrival() != m.Account || !j.t.within(to, r.Account) {
		return ""
	}
	j.ruled().Account = m.Account
	was := m.Account
	m.Account = to
	return "account " + was + " -> " + to
}

// text rewrites what is said; what is no text, or one part of a longer text,
// stays as it is.
func (j *judging) text(r *rule, words [wordsAll]string) []string {
	m, t := j.s.Message, r.Then.Text
	if t == nil || j.s.TextBody == nil || !m.Body.IsText() || m.Body.Part != nil || len(m.Body.UDH) > 0 {
		return nil
	}
	text := words[wordText]
	if r.acts.match != nil {
		text = r.acts.match.ReplaceAllString(m.Body.Text, t.Replace)
	}
	if text == m.Body.Text || len(text) > message.MaxBody {
		return nil
	}
	class := m.Body.Class
	m.Body = j.s.TextBody(text)
	m.Body.Class = class
	return []string{"text"}
}

// settings are class, priority, times, receipts and what only some protocols
// have.
func (j *judging) settings(r *rule, words [wordsAll]string) (did []string) {
	m, a := j.s.Message, r.acts
	if c := words[wordClass]; c == "none" {
		m.Body.Class = message.ClassNone
		did = append(did, "class none")
	} else if n, err := strconv.Atoi(c); err == nil && n >= 0 && n <= 3 {
		m.Body.Class = message.Class0 + message.Class(n)
		did = append(did, "class "+c)
	}
	if n, err := strconv.Atoi(words[wordPriority]); err == nil && n >= 0 && n <= 3 {
		m.Priority = uint8(n)
		did = append(did, "priority "+words[wordPriority])
	}
	if a.delay > 0 {
		m.NotBefore = m.Accepted.Add(a.delay)
		did = append(did, "delay "+a.delay.String())
	}
	if a.validity > 0 {
		from := m.Accepted
		if m.NotBefore.After(from) {
			from = m.NotBefore
		}
		m.Expires = from.Add(a.validity)
		did = append(did, "validity "+a.validity.String())
	}
	if r.Then.Receipts != "" {
		m.Wants = a.receipts
		did = append(did, "receipts "+r.Then.Receipts)
	}
	if s := words[wordService]; s != "" && len(s) <= 5 {
		j.extra(extraService, s)
		did = append(did, "service type")
	}
	if n, err := strconv.Atoi(words[wordProtocol]); err == nil && n >= 0 && n <= 255 {
		j.extra(extraProtocol, words[wordProtocol])
		did = append(did, "protocol id")
	}
	if len(a.removeTLV)+len(a.setTLV) > 0 {
		j.tlvs(a)
		did = append(did, "optional parameters")
	}
	if c := r.Then.Charged; c != "" {
		j.out.Charged = c
		did = append(did, "charged "+c)
	}
	return did
}

// extra sets one particular, in a map of the message's own: a copy as it
// arrived keeps the other.
func (j *judging) extra(key, value string) {
	m := j.s.Message
	e := maps.Clone(m.Extra)
	if e == nil {
		e = make(map[string]string, 1)
	}
	if value == "" {
		delete(e, key)
	} else {
		e[key] = value
	}
	m.Extra = e
}

// tlvs takes away and sets optional parameters; those that would be too many
// stay out.
func (j *judging) tlvs(a *acts) {
	raw, _ := hex.DecodeString(j.s.Message.Extra[extraTLVs])
	var kept []byte
	for len(raw) >= 4 {
		tag, n := int(binary.BigEndian.Uint16(raw)), int(binary.BigEndian.Uint16(raw[2:]))
		if n > len(raw)-4 {
			break
		}
		set := slices.ContainsFunc(a.setTLV, func(p parameter) bool { return p.tag == tag })
		if !set && !slices.Contains(a.removeTLV, tag) {
			kept = append(kept, raw[:4+n]...)
		}
		raw = raw[4+n:]
	}
	for _, p := range a.setTLV {
		if len(kept)+4+len(p.value) <= maxTLVs {
			kept = binary.BigEndian.AppendUint16(kept, uint16(p.tag))
			kept = binary.BigEndian.AppendUint16(kept, uint16(len(p.value)))
			kept = append(kept, p.value...)
		}
	}
	j.extra(extraTLVs, hex.EncodeToString(kept))
}

// steer chooses another way.
func (j *judging) steer(r *rule, words [wordsAll]string) (did []string) {
	if link := words[wordRoute]; link != "" && j.t.Usable(r.Account, link) {
		j.s.Message.Dest = link
		j.ruled().Via = true
		did = append(did, "route "+link)
	}
	if again := r.Then.Retry; again != nil {
		j.out.Retry = again.After
		did = append(did, "retry after "+again.After.String())
	}
	if d := r.Then.Reroute; d != nil {
		j.out.Detour, j.out.By = d, r.seed
		did = append(did, "reroute "+d.Link+d.Account)
	}
	return did
}
