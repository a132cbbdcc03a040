package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

type sandboxCommand struct {
	Once        bool `help:"End after the demonstration; exit code 0 only if every hop happened."`
	SIPPort     int  `name:"sip-port" default:"5060" help:"Port of the server's SIP listeners, udp and tcp."`
	SMPPPort    int  `name:"smpp-port" default:"2775" help:"Port of the server's SMPP listener."`
	HTTPPort    int  `name:"http-port" default:"8080" help:"Port of the server's HTTP listener."`
	CarrierPort int  `name:"carrier-port" default:"3775" help:"Port of the simulated carrier."`
	IMSPort     int  `name:"ims-port" default:"5080" help:"Port of the simulated IMS core."`
	HandsetPort int  `name:"handset-port" default:"5090" help:"Port of the simulated handset."`
	ToolPort    int  `name:"tool-port" default:"5070" help:"Port where smsc send --receipt hears its receipts."`
	Log         bool `help:"Show the server's log."`
}

// Help is printed below the flags.
func (sandboxCommand) Help() string {
	return `Everything runs in this process and on loopback: the server with its defaults, a carrier's message centre
that it binds to, a handset that speaks SIP, and an IMS core with phones behind it. A message is sent from
the handset and one from a phone, and their ways printed hop by hop; then the sandbox stays up until Ctrl-C
and shows what passes. Its data lie in a temporary folder, removed at the end. A port of 0 takes any free one.

Numbers that misbehave:
` + listMisbehaviours() + `Every other number is delivered at once. ` + handsetNumber + ` is the handset.

Phones behind the IMS core (TS 24.341), ` + phoneRange + ` and four digits:
` + listPhones() + `Every other one takes its messages at once.`
}

const (
	handsetNumber = "15551230001"
	demoNumber    = "447700900123"
)

// Run starts the house, shows one message, and stays.
func (c *sandboxCommand) Run(out io.Writer) error {
	if err := c.freePorts(); err != nil {
		return usage(err)
	}
	dir, err := os.MkdirTemp("", "smsc-sandbox-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, stop := interrupted(0)
	defer stop()
	s := &sandbox{flags: c, out: out, dir: dir}
	if err := s.start(ctx); err != nil {
		s.stop()
		return err
	}
	defer s.stop()
	if err := s.demonstrate(ctx); err != nil {
		return err
	}
	if err := s.demonstratePhone(ctx); err != nil || c.Once {
		return err
	}
	s.invite()
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "stopping")
		return nil
	case err := <-s.house.failed:
		return err
	}
}

// port is a port of the sandbox and the flag that moves it.
type port struct {
	number *int
	flag   string
	udp    bool
	tcp    bool
	whose  string
}

func (c *sandboxCommand) ports() []port {
	return []port{
		{&c.SIPPort, "--sip-port", true, true, "SIP"},
		{&c.SMPPPort, "--smpp-port", false, true, "SMPP"},
		{&c.HTTPPort, "--http-port", false, true, "HTTP"},
		{&c.CarrierPort, "--carrier-port", false, true, "the simulated carrier"},
		{&c.HandsetPort, "--handset-port", true, false, "the simulated handset"},
		{&c.IMSPort, "--ims-port", true, false, "the simulated IMS core"},
		{&c.ToolPort, "--tool-port", true, false, "smsc send --receipt"},
	}
}

// freePorts fails with every port that is taken, and replaces 0 by a free one.
func (c *sandboxCommand) freePorts() error {
	var faults []error
	taken := map[int]string{}
	for _, p := range c.ports() {
		if err := p.choose(); err != nil {
			faults = append(faults, err)
			continue
		}
		if other := taken[*p.number]; other != "" {
			faults = append(faults, fmt.Errorf("%s and %s are both %d", other, p.flag, *p.number))
		}
		taken[*p.number] = p.flag
	}
	return errors.Join(faults...)
}

// choose tries the port, or up to ten free ones.
func (p *port) choose() error {
	if *p.number < 0 || *p.number > 65535 {
		return fmt.Errorf("%s %d is not a port", p.flag, *p.number)
	}
	if *p.number != 0 {
		if err := p.try(*p.number); err != nil {
			return fmt.Errorf("port %d for %s is taken (%w): choose another with %s", *p.number, p.whose, err, p.flag)
		}
		return nil
	}
	var err error
	for range 10 {
		l, lerr := net.Listen("tcp", "127.0.0.1:0")
		if lerr != nil {
			return lerr
		}
		n := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if err = p.try(n); err == nil {
			*p.number = n
			return nil
		}
	}
	return fmt.Errorf("no free port for %s: %w", p.whose, err)
}

// try opens and closes the port.
func (p *port) try(n int) error {
	address := loopback(n)
	if p.tcp {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return cause(err)
		}
		l.Close()
	}
	if p.udp {
		l, err := net.ListenPacket("udp", address)
		if err != nil {
			return cause(err)
		}
		l.Close()
	}
	return nil
}

// cause is the system's word without the address, which was said already.
func cause(err error) error {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err
	}
	return err
}

func loopback(n int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n)) }

// demoTimeout is how long a hop of the demonstration may take.
const demoTimeout = 15 * time.Second

// wait returns when ready is closed, or what went wrong.
func wait(ctx context.Context, ready <-chan struct{}, what string) error {
	t := time.NewTimer(demoTimeout)
	defer t.Stop()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return fmt.Errorf("%s did not happen within %s", what, demoTimeout)
	}
}
