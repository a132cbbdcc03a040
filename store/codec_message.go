package store

import (
	"encoding/binary"
	"sort"
	"time"

	"smsc/message"
)

// The m value: head, length of the state 4, first state, message. The length
// lets a reader take either half alone.

// appendRecord appends the m value of a record. state is the encoded State.
func appendRecord(dst []byte, h head, state, msg []byte) []byte {
	dst = appendHead(dst, h)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(state)))
	return append(append(dst, state...), msg...)
}

// flags of a message.
const (
	flagCharged = 1 << iota
	flagOnce
	flagData // Body.Data is not nil
	flagPart
	flagDCS
	flagAbout
	flagAliases
	flagRuled
	flagsKnown = 1<<iota - 1
)

func flagsOf(m *message.Message) (f byte) {
	set := func(bit byte, on bool) {
		if on {
			f |= bit
		}
	}
	set(flagCharged, m.Charged)
	set(flagOnce, m.Once)
	set(flagData, m.Body.Data != nil)
	set(flagPart, m.Body.Part != nil)
	set(flagDCS, m.Body.HasDCS)
	set(flagAbout, m.About != nil)
	set(flagAliases, len(m.Aliases) > 0)
	set(flagRuled, m.Ruled != nil)
	return f
}

// appendMessage appends m without ID, Kind and Account: key and head have them.
func appendMessage(dst []byte, m *message.Message) []byte {
	dst = append(dst, flagsOf(m), byte(m.Wants), byte(m.Mode), m.Parts, m.Priority)
	dst = appendAddress(appendAddress(dst, m.From), m.To)
	dst = appendBody(dst, &m.Body)
	dst = appendString(dst, m.Dest)
	dst = appendOrigin(dst, &m.Origin)
	if m.About != nil {
		dst = appendAbout(dst, m.About)
	}
	dst = appendTime(dst, m.Accepted)
	dst = appendTime(dst, m.NotBefore)
	dst = appendTime(dst, m.Expires)
	return appendRuled(appendAliases(appendMap(dst, m.Extra), m.Aliases), m.Ruled)
}

func (r *reader) message(id message.ID, h head) *message.Message {
	m := &message.Message{ID: id, Kind: h.kind, Account: h.account}
	f := r.byte()
	if f&^flagsKnown != 0 {
		r.fail()
	}
	m.Charged, m.Once = f&flagCharged != 0, f&flagOnce != 0
	m.Wants, m.Mode, m.Parts, m.Priority = message.Wants(r.byte()), message.Mode(r.byte()), r.byte(), r.byte()
	m.From, m.To = r.address(), r.address()
	m.Body = r.body(f)
	m.Dest, m.Origin = r.string(), r.origin()
	if f&flagAbout != 0 {
		m.About = r.about()
	}
	m.Accepted, m.NotBefore, m.Expires = r.time(), r.time(), r.time()
	m.Extra = r.stringMap()
	if f&flagAliases != 0 {
		m.Aliases = r.aliases()
	}
	if f&flagRuled != 0 {
		m.Ruled = r.ruled()
	}
	return m
}

// appendAliases writes nothing where there are none: a flag says so.
func appendAliases(dst []byte, as []message.Alias) []byte {
	if len(as) == 0 {
		return dst
	}
	dst = appendUint(dst, uint64(len(as)))
	for _, a := range as {
		dst = appendString(append(appendUint(dst, uint64(a.ID)), byte(a.Wants)), a.Handle)
	}
	return dst
}

func (r *reader) aliases() []message.Alias {
	n := r.count()
	if n == 0 {
		r.fail()
		return nil
	}
	as := make([]message.Alias, n)
	for i := range as {
		as[i] = message.Alias{ID: message.ID(r.uint()), Wants: message.Wants(r.byte()), Handle: r.string()}
	}
	return as
}

// appendRuled writes nothing for what no rule has touched: a flag says so.
func appendRuled(dst []byte, u *message.Ruled) []byte {
	if u == nil {
		return dst
	}
	dst = appendBool(appendString(dst, u.Account), u.Via)
	for _, t := range [...]message.NumberType{u.Calling, u.Called} {
		dst = append(appendBool(dst, t.Set), t.TON, t.NPI)
	}
	return dst
}

func (r *reader) ruled() *message.Ruled {
	u := &message.Ruled{Account: r.string(), Via: r.bool()}
	for _, t := range [...]*message.NumberType{&u.Calling, &u.Called} {
		*t = message.NumberType{Set: r.bool(), TON: r.byte(), NPI: r.byte()}
	}
	return u
}

func appendAddress(dst []byte, a message.Address) []byte {
	dst = appendString(appendString(dst, a.Value), a.Given)
	return append(appendBool(dst, a.Typed), a.TON, a.NPI)
}

func (r *reader) address() message.Address {
	return message.Address{Value: r.string(), Given: r.string(), Typed: r.bool(), TON: r.byte(), NPI: r.byte()}
}

func appendBody(dst []byte, b *message.Body) []byte {
	dst = append(dst, byte(b.Coding), byte(b.Class), b.DCS)
	dst = appendString(dst, b.Text)
	if b.Data != nil {
		dst = appendBytes(dst, b.Data)
	}
	dst = appendBytes(dst, b.UDH)
	if p := b.Part; p != nil {
		dst = append(appendUint(dst, uint64(p.Ref)), byte(p.Kind), p.Total, p.Seq)
	}
	return dst
}

func (r *reader) body(f byte) message.Body {
	b := message.Body{Coding: message.Coding(r.byte()), Class: message.Class(r.byte()), DCS: r.byte()}
	b.HasDCS = f&flagDCS != 0
	b.Text = r.string()
	if f&flagData != 0 {
		b.Data = append([]byte{}, r.string()...)
	}
	if udh := r.bytes(); len(udh) > 0 {
		b.UDH = udh
	}
	if f&flagPart != 0 {
		b.Part = &message.Part{Ref: r.uint16(), Kind: message.PartKind(r.byte()), Total: r.byte(), Seq: r.byte()}
	}
	return b
}

func appendOrigin(dst []byte, o *message.Origin) []byte {
	dst = append(appendString(dst, o.Link), byte(o.Type))
	dst = appendString(appendString(dst, o.User), o.Peer)
	dst = binary.AppendVarint(appendString(dst, o.Ref), int64(o.RefLife))
	return appendString(dst, o.Handle)
}

func (r *reader) origin() message.Origin {
	o := message.Origin{Link: r.string(), Type: message.Source(r.byte()), User: r.string(), Peer: r.string(), Ref: r.string()}
	o.RefLife = time.Duration(r.int())
	o.Handle = r.string()
	return o
}

func appendAbout(dst []byte, a *message.About) []byte {
	dst = append(appendUint(dst, uint64(a.ID)), byte(a.Phase), byte(a.Cause), a.Parts, a.Delivered)
	dst = appendString(appendString(dst, a.Word), a.Code)
	dst = appendTime(appendTime(dst, a.Submitted), a.Done)
	dst = appendString(appendString(dst, a.Excerpt), a.Handle)
	return appendMap(dst, a.Extra)
}

func (r *reader) about() *message.About {
	return &message.About{
		ID: message.ID(r.uint()), Phase: message.Phase(r.byte()), Cause: message.Cause(r.byte()),
		Parts: r.byte(), Delivered: r.byte(), Word: r.string(), Code: r.string(),
		Submitted: r.time(), Done: r.time(), Excerpt: r.string(), Handle: r.string(), Extra: r.stringMap(),
	}
}

// appendMap writes the keys in order: equal maps have equal octets.
func appendMap(dst []byte, m map[string]string) []byte {
	dst = appendUint(dst, uint64(len(m)))
	if len(m) == 0 {
		return dst
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		dst = appendString(appendString(dst, k), m[k])
	}
	return dst
}

func (r *reader) stringMap() map[string]string {
	n := r.count()
	if n == 0 {
		return nil
	}
	m, last := make(map[string]string), ""
	for i := range n {
		k, v := r.string(), r.string()
		if r.bad || i > 0 && k <= last {
			r.fail()
			return nil
		}
		m[k], last = v, k
	}
	return m
}

// decodeRecord reads an m value whole.
func decodeRecord(id message.ID, value []byte) (head, message.Record, error) {
	r := newReader(value)
	h := r.head()
	n := int(binary.BigEndian.Uint32([]byte(r.fixed(4))))
	if n > len(r.s) {
		return head{}, message.Record{}, errFormat
	}
	st := reader{s: r.s[:n]}
	r.s = r.s[n:]
	rec := message.Record{State: st.state(id), Message: r.message(id, h)}
	if r.bad || st.bad || len(r.s) != 0 || len(st.s) != 0 {
		return head{}, message.Record{}, errFormat
	}
	return h, rec, nil
}
