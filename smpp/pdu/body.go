package pdu

// layout is a PDU that says its fields once, in their order.
type layout interface {
	Command() Command
	fields(b *body)
}

// read decodes a frame into p.
func read(frame []byte, p layout) error {
	b := body{in: open(frame)}
	p.fields(&b)
	return b.in.end(frame)
}

// write appends p with its header.
func write(dst []byte, p layout, s Status, seq uint32) []byte {
	b := body{writing: true, out: begin(dst, p.Command(), s, seq)}
	p.fields(&b)
	return finish(b.out, len(dst))
}

// body walks over the fields of a PDU and reads or writes them. submit_sm,
// deliver_sm, submit_multi and the answers to messages do without: they are
// the hot path, or have fields like no other.
type body struct {
	in      cursor
	writing bool
	out     []byte
}

// absent tells whether a response came without its body, as peers send
// refusals.
func (b *body) absent() bool { return !b.writing && len(b.in.b) == 0 }

// str is a C-octet string of at most max octets with its NUL.
func (b *body) str(v *[]byte, max int, what string) { b.strOr(v, max, what, RInvParLen) }

// strOr is str with the status of its own for a field too long.
func (b *body) strOr(v *[]byte, max int, what string, long Status) {
	if b.writing {
		b.out = appendC(b.out, *v)
		return
	}
	*v = b.in.cstringOr(max, what, long)
}

func (b *body) octet(v *uint8, what string) {
	if b.writing {
		b.out = append(b.out, *v)
		return
	}
	*v = b.in.u8(what)
}

func (b *body) address(v *Address, what string) {
	if b.writing {
		b.out = appendAddress(b.out, *v)
		return
	}
	*v = b.in.address(what)
}

// text is sm_length, short_message and the optional parameters.
func (b *body) text(short *[]byte, t *TLVs) {
	if b.writing {
		b.out = appendShort(b.out, *short, *t)
		return
	}
	*short, *t = b.in.short(), b.in.tlvs()
}

func (b *body) tlvs(v *TLVs) {
	if b.writing {
		b.out = append(b.out, *v...)
		return
	}
	*v = b.in.tlvs()
}
