package smpp

import (
	"bytes"
	"context"
	"errors"
	"time"

	"smsc/smpp/pdu"
	"smsc/tenant"
)

// outbind (SMPP 3.4 §2.2.1, §4.1.7): a centre that has messages for a client
// which is not bound connects to it and asks it to bind. We are either side.

const (
	outbindPause = time.Minute // between two calls to one link
	outbindLook  = 5 * time.Second
)

var errOutbind = errors.New("outbind of a centre we do not know")

// recall begins or ends the calls to an ESME as its settings say.
func (l *line) recall(old, st *settings) {
	var was, is *tenant.Outbind
	if old != nil && old.link.ESME != nil {
		was = old.link.ESME.Outbind
	}
	if st != nil && st.link.ESME != nil {
		is = st.link.ESME.Outbind
	}
	if was == is || was != nil && is != nil && *was == *is {
		return
	}
	if l.uncall != nil {
		l.uncall()
		l.uncall = nil
	}
	if is == nil || is.Address == "" || l.edge.deps.Waiting == nil {
		return
	}
	ctx, cancel := context.WithCancel(l.edge.ctx)
	l.uncall = cancel
	l.edge.wg.Go(func() { l.callOut(ctx, *is) })
}

// callOut asks the client to bind whenever messages wait and no session can
// take them.
func (l *line) callOut(ctx context.Context, o tenant.Outbind) {
	t := time.NewTicker(l.edge.cfg.outbindLook)
	defer t.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if l.canCarry() || !last.IsZero() && time.Since(last) < outbindPause || !l.edge.deps.Waiting(l.name) {
			continue
		}
		last = time.Now()
		if err := l.edge.outbind(ctx, l, o); err != nil && ctx.Err() == nil {
			l.failed(err)
		}
	}
}

func (l *line) canCarry() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.senders) > 0
}

// outbind connects and asks. From then on the session is as one that came to
// our listener: it has ten seconds to bind.
func (e *Edge) outbind(ctx context.Context, l *line, o tenant.Outbind) error {
	p := Peer{Address: o.Address}
	conn, err := p.connect(ctx)
	if err != nil {
		return err
	}
	s := e.welcome(conn)
	if s == nil {
		return errShuttingDown
	}
	l.meter.out(pdu.Outbind)
	l.log.Info().Str("peer", o.Address).Msg("outbind")
	body := pdu.OutbindBody{SystemID: []byte(o.SystemID), Password: []byte(o.Password)}
	s.say(body.Append(nil, pdu.ROK, s.sequence()))
	return nil
}

// called deals with an outbind that came to our listener: from a carrier of
// ours it is answered with bind_receiver, and we go on as its client.
func (in *inlet) called(s *Session, frame []byte) {
	var o pdu.OutbindBody
	if err := o.Decode(bytes.Clone(frame)); err != nil {
		s.m().fault()
		s.fail(errOutbind)
		return
	}
	l := in.edge.caller(&o)
	if l == nil || !s.move(stateOpen, stateBinding) {
		in.edge.log.Info().Str("peer", s.peerText).Bytes("system_id", o.SystemID).Msg("outbind refused")
		s.fail(errOutbind)
		return
	}
	st := l.settings.Load()
	c := st.link.Carrier
	s.adopt(st.options)
	s.meter.Store(l.meter)
	l.meter.in(pdu.Outbind)
	in.line.Store(l) // a message may follow the answer to our bind at once
	s.server.Store(false)
	s.bind.Store(uint32(pdu.BindReceiver))
	s.wg.Go(func() {
		err := s.bindTo(s.ctx, Peer{
			Bind: pdu.BindReceiver, SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType,
		})
		in.edge.forget(s)
		if err != nil {
			l.failed(err)
			s.fail(err)
			return
		}
		l.log.Info().Str("peer", s.peerText).Msg("bound after outbind")
		l.add(context.Background(), s)
	})
}

// caller returns the carrier that an outbind is from, nil if none is.
func (e *Edge) caller(o *pdu.OutbindBody) *line {
	for _, l := range e.all() {
		c := l.settings.Load().link.Carrier
		if c == nil || c.Outbind == nil || c.Outbind.SystemID == "" {
			continue
		}
		if c.Outbind.SystemID == string(o.SystemID) && samePassword(o.Password, c.Outbind.Password) {
			return l
		}
	}
	return nil
}
