package smpp

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"smsc/smpp/pdu"
)

// Delays between attempts to bind (spec smpp §7): a carrier locks accounts
// that come back too fast after a refusal.
const (
	maxReconnect = 60 * time.Second
	afterRefusal = 10 * time.Second
	jitterShare  = 0.2
)

// client keeps the sessions of a carrier bound.
type client struct {
	line   *line
	ctx    context.Context
	cancel context.CancelFunc
}

// startClient begins to bind: one session for each of `binds`, two with
// `bind: pair`.
func startClient(l *line) *client {
	c := &client{line: l}
	c.ctx, c.cancel = context.WithCancel(l.edge.ctx)
	st := l.settings.Load()
	commands := []pdu.Command{pdu.BindTransceiver}
	if st.link.Carrier.Bind == "pair" {
		commands = []pdu.Command{pdu.BindTransmitter, pdu.BindReceiver}
	}
	for range st.binds {
		for _, b := range commands {
			l.edge.wg.Go(func() { c.keep(b) })
		}
	}
	return c
}

// stop ends the attempts to bind; sessions that stand are the line's.
func (c *client) stop() {
	if c != nil {
		c.cancel()
	}
}

// keep holds one session bound until the client is stopped.
func (c *client) keep(bind pdu.Command) {
	first := c.line.edge.cfg.reconnect
	delay := first
	for {
		s, err := c.dial(bind)
		switch {
		case c.ctx.Err() != nil:
			if s != nil {
				s.Unbind(0)
			}
			return
		case err != nil:
			c.line.failed(err)
		default:
			delay = first
			c.line.log.Info().Stringer("bind", bind).Msg("bound")
			c.line.add(c.ctx, s)
			select {
			case <-s.Done():
			case <-c.ctx.Done():
				return
			}
		}
		wait := delay
		if lockable(err) {
			wait = max(wait, afterRefusal)
		}
		delay = min(2*delay, maxReconnect)
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(jitter(wait)):
		}
	}
}

func (c *client) dial(bind pdu.Command) (*Session, error) {
	st := c.line.settings.Load()
	cfg := st.link.Carrier
	tlsCfg, err := tlsConfig(cfg, c.line.edge.cfg.TLS)
	if err != nil {
		return nil, err
	}
	in := &inlet{edge: c.line.edge}
	in.line.Store(c.line)
	return Dial(c.ctx, Peer{
		Address: cfg.Address, TLS: tlsCfg, Bind: bind, SystemID: cfg.SystemID, Password: cfg.Password,
		SystemType: cfg.SystemType, Options: st.options, Handler: in, meter: c.line.meter,
	})
}

// lockable tells whether the peer refused our credentials.
func lockable(err error) bool {
	var refused *BindError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Status {
	case pdu.RBindFail, pdu.RInvPaswd, pdu.RInvSysID, pdu.RInvSysTyp:
		return true
	}
	return false
}

// jitter spreads d by a fifth to both sides, so that sessions that ended
// together do not come back together.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitterShare + 2*jitterShare*rand.Float64()))
}

// failed notes that a session could not begin.
func (l *line) failed(err error) {
	l.mu.Lock()
	news := l.lastErr != err.Error()
	l.lastErr = err.Error()
	l.mu.Unlock()
	if news {
		l.log.Warn().Err(err).Msg("cannot bind")
	}
}
