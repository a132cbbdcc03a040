// Package ro has messages paid for by an online charging system over Diameter
// (RFC 8506, TS 32.299, TS 32.274): one event for each question, no sessions
// (spec records §9.3). A request that may have arrived is only ever repeated
// as itself, marked as a repeat, so that the server can tell it. It keeps no
// list of what is open, and knows no prices.
package ro

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"
	"github.com/fiorix/go-diameter/v4/diam/sm"

	"smsc/message"
)

var _ message.Charger = (*Client)(nil)

// Config is what a Client needs to know.
type Config struct {
	Address          string      // host:port of the server or its agent
	TLS              *tls.Config // nil: plain TCP
	OriginHost       string      // our Diameter identity
	OriginRealm      string
	DestinationHost  string // "" leaves it to the realm
	DestinationRealm string
	ServiceContext   string        // 32274@3gpp.org
	Timeout          time.Duration // of one question, both of its sendings
}

const (
	watchdog    = 30 * time.Second // RFC 3539 §3.4.1
	dialTime    = 5 * time.Second
	backFirst   = time.Second // between connections, doubled up to
	backLast    = 30 * time.Second
	vendor3GPP  = 10415
	productName = "smsc"
	creditAppID = diam.CHARGING_CONTROL_APP_ID
)

// Client asks one server over one connection, which it makes again whenever
// it is lost. It is safe for concurrent use.
type Client struct {
	cfg  Config
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	conn    diam.Conn                     // nil: not connected
	why     error                         // not connected
	changed chan struct{}                 // closed when conn changes
	wait    map[uint32]chan *diam.Message // by Hop-by-Hop Identifier
	last    uint32                        // of those
}

var errNotYet = errors.New("not connected yet")

// New returns a client that connects until Close.
func New(cfg Config) (*Client, error) {
	if _, err := dict.Default.App(creditAppID); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, changed: make(chan struct{}), why: errNotYet,
		wait: make(map[uint32]chan *diam.Message), last: uint32(time.Now().UnixNano())}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() { c.connect(ctx) })
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error {
	c.stop()
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	c.done.Wait()
	return nil
}

// Ready implements message.Charger.
func (c *Client) Ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// connect keeps one connection up until ctx ends.
func (c *Client) connect(ctx context.Context) {
	for pause := backFirst; ctx.Err() == nil; pause = min(2*pause, backLast) {
		conn, err := c.dial(ctx)
		if err == nil {
			pause = backFirst
			gone := conn.(diam.CloseNotifier).CloseNotify()
			c.set(conn, nil)
			select {
			case <-gone:
			case <-ctx.Done():
			}
			conn.Close()
			err = errors.New("the connection was lost")
		}
		c.set(nil, err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// set notes how the connection stands.
func (c *Client) set(conn diam.Conn, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.why = conn, why
	close(c.changed)
	c.changed = make(chan struct{})
}

// dial connects and exchanges capabilities.
func (c *Client) dial(ctx context.Context) (diam.Conn, error) {
	machine := sm.New(&sm.Settings{
		OriginHost: datatype.DiameterIdentity(c.cfg.OriginHost), OriginRealm: datatype.DiameterIdentity(c.cfg.OriginRealm),
		VendorID: 0, ProductName: productName, OriginStateID: datatype.Unsigned32(time.Now().Unix()),
	})
	machine.HandleFunc("CCA", c.answered)
	client := &sm.Client{
		Dict: dict.Default, Handler: machine, RetransmitInterval: dialTime, EnableWatchdog: true, WatchdogInterval: watchdog,
		SupportedVendorID: []*diam.AVP{diam.NewAVP(avp.SupportedVendorID, avp.Mbit, 0, datatype.Unsigned32(vendor3GPP))},
		AuthApplicationID: []*diam.AVP{diam.NewAVP(avp.AuthApplicationID, avp.Mbit, 0, datatype.Unsigned32(creditAppID))},
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.cfg.Address)
	if err != nil {
		return nil, err
	}
	if c.cfg.TLS != nil {
		secure := c.cfg.TLS.Clone()
		if secure.ServerName == "" {
			secure.ServerName, _, _ = strings.Cut(c.cfg.Address, ":")
		}
		over := tls.Client(raw, secure)
		if err := over.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		raw = over
	}
	conn, err := client.NewConn(guard(raw), c.cfg.Address)
	if err != nil {
		_ = raw.Close()
	}
	return conn, err
}

// answered gives an answer to the one who asked.
func (c *Client) answered(_ diam.Conn, m *diam.Message) {
	c.mu.Lock()
	asked := c.wait[m.Header.HopByHopID]
	delete(c.wait, m.Header.HopByHopID)
	c.mu.Unlock()
	if asked != nil {
		asked <- m // has room
	}
}

// exchange sends a request and waits for its answer. Half of the time over, or
// where the connection is lost, the same request is sent once more with the T
// flag (RFC 6733 §3): the server knows it by its Session-Id and End-to-End
// Identifier. sent tells whether the server may have it.
func (c *Client) exchange(ctx context.Context, m *diam.Message) (answer *diam.Message, sent bool) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	asked := make(chan *diam.Message, 2)
	var hops []uint32
	defer func() { c.forget(hops) }()
	conn := c.connected()
	for try := 0; try < 2 && conn != nil; try++ {
		h := c.register(asked)
		hops, m.Header.HopByHopID = append(hops, h), h
		_ = conn.Connection().SetWriteDeadline(deadline)
		n, err := m.WriteTo(conn)
		sent = sent || n > 0 || err == nil
		patience := time.NewTimer(time.Until(deadline) / 2)
		var again diam.Conn
		select {
		case answer = <-asked:
		case <-conn.(diam.CloseNotifier).CloseNotify():
			again = c.next(ctx, conn)
		case <-patience.C:
			again = conn
		}
		patience.Stop()
		if answer != nil {
			return answer, true
		}
		conn = again
		m.Header.CommandFlags |= diam.RetransmittedFlag
	}
	if !sent {
		return nil, false
	}
	select {
	case answer = <-asked:
	case <-ctx.Done():
	}
	return answer, true
}

// connected returns the connection, nil if there is none.
func (c *Client) connected() diam.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// next returns the connection after one that was lost, nil if there is none
// before ctx ends.
func (c *Client) next(ctx context.Context, lost diam.Conn) diam.Conn {
	for {
		c.mu.Lock()
		conn, changed := c.conn, c.changed
		c.mu.Unlock()
		if conn != nil && conn != lost {
			return conn
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *Client) register(asked chan *diam.Message) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.wait[c.last] = asked
	return c.last
}

func (c *Client) forget(hops []uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range hops {
		delete(c.wait, h)
	}
}
