package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"smsc/tenant"
)

// flowPorts are those of the house: the same before and after a restart.
type flowPorts struct{ sip, smpp, http string }

// flowPeer finds the peers in a document: "sip:$sip.connect", "$carrier.c1".
var flowPeer = regexp.MustCompile(`\$(sip|core|carrier)\.(\w+)`)

// setUp opens the peers of the document and the house. Ports are chosen
// before they are opened, so another program may be faster: then once more.
func (f *flow) setUp() (err error) {
	if f.data, err = os.MkdirTemp("", "flow"); err != nil {
		return err
	}
	for range 5 {
		if err = f.choosePorts(); err != nil {
			return err
		}
		if err = f.open(); err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		for _, name := range f.order {
			f.actors[name].close()
		}
		f.actors, f.order = map[string]flowActor{}, nil
	}
	if err != nil {
		return err
	}
	return f.linksUp()
}

// choosePorts finds free ports for the house.
func (f *flow) choosePorts() error {
	for _, p := range []*string{&f.ports.sip, &f.ports.smpp, &f.ports.http} {
		port, err := givenPort()
		if err != nil {
			return err
		}
		*p = loopback(port)
	}
	return nil
}

// open opens the house on the folder of the flow, with the document of
// the flow if it is empty.
func (f *flow) open() error {
	cfg := defaultConfig()
	cfg.Data = f.data
	if text, ok := f.section("smsc.yaml"); ok {
		for _, fault := range tenant.Decode("smsc.yaml", []byte(text), &cfg) {
			return fmt.Errorf("%v", fault)
		}
		for _, fault := range cfg.faults() {
			return fmt.Errorf("smsc.yaml: %s: %s", fault.path, fault.what)
		}
	}
	cfg.HTTP.OperatorKey = testKey
	cfg.Listen.SIP = []listener{{"udp", f.ports.sip}, {"tcp", f.ports.sip}}
	cfg.Listen.SMPP = []listener{{"tcp", f.ports.smpp}}
	cfg.Listen.HTTP = []listener{{"http", f.ports.http}}
	text, _ := f.section("provision.yaml")
	if text, err := f.place(text); err != nil {
		return err
	} else if doc, faults := tenant.ParseDocument("provision.yaml", []byte(text)); len(faults) > 0 {
		return fmt.Errorf("%v", faults[0])
	} else if f.house, err = openHouse(cfg, &doc, zerolog.New(&f.log).Level(zerolog.DebugLevel).With().Timestamp().Logger(), nil); err != nil {
		f.house = nil
		return err
	}
	f.house.start()
	return nil
}

// place writes the addresses of peers into a document; a peer opens when it
// is named first.
func (f *flow) place(text string) (string, error) {
	var failed error
	text = flowPeer.ReplaceAllStringFunc(text, func(s string) string {
		m := flowPeer.FindStringSubmatch(s)
		a, err := f.peer(m[1], m[2])
		if err != nil {
			failed = err
			return s
		}
		return a
	})
	return text, failed
}

// peer returns the address of a peer.
func (f *flow) peer(kind, name string) (string, error) {
	switch a := f.actors[kind+" "+name].(type) {
	case *flowSIP:
		return a.peer.Addr(), nil
	case *flowCore:
		return a.peer.Addr(), nil
	case *flowCarrier:
		return a.address, nil
	}
	switch kind {
	case "core":
		a, err := newFlowCore(f)
		if err != nil {
			return "", err
		}
		f.join("core "+name, a)
		return a.peer.Addr(), nil
	case "sip":
		a, err := newFlowSIP(f)
		if err != nil {
			return "", err
		}
		f.join("sip "+name, a)
		return a.peer.Addr(), nil
	}
	a, err := newFlowCarrier(f)
	if err != nil {
		return "", err
	}
	f.join("carrier "+name, a)
	return a.address, nil
}

// linksUp waits until the carriers of the document are bound.
func (f *flow) linksUp() error {
	for _, l := range f.house.catalog.Directory().Links() {
		if l.Kind != tenant.KindCarrier || f.actors["carrier "+l.Name] == nil {
			continue
		}
		if err := (flowLink{f, l.Name}).await("up", flowPatience); err != nil {
			return err
		}
	}
	return nil
}

// act does a line that concerns the house.
func (f *flow) act(l *flowLine) error {
	switch l.actor {
	case "wait":
		d, err := time.ParseDuration(l.verb)
		time.Sleep(d)
		return err
	case "apply":
		return f.apply(l.verb)
	}
	f.stop(l.actor == "restart", l.actor == "kill")
	// The system may hold a port for a moment after it was closed; nobody else
	// is given it.
	var err error
	for range 50 {
		if err = f.open(); !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// stop closes the house. What is in flight may finish in a drain only; in a
// crash nobody even writes down that it did not.
func (f *flow) stop(drain, crash bool) {
	if crash {
		// What happens from here on is not written any more.
		if err := f.house.store.Close(); err != nil {
			fmt.Fprintf(&f.log, "close: %v\n", err)
		}
	}
	if drain {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		f.house.drain(ctx)
	}
	if err := f.house.close(); err != nil {
		fmt.Fprintf(&f.log, "close: %v\n", err)
	}
	f.house = nil
}

// apply puts a document of the archive in the place of the declared one.
func (f *flow) apply(section string) error {
	text, ok := f.section(section)
	if !ok {
		return fmt.Errorf("there is no section %s", section)
	}
	text, err := f.place(text)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPut, f.house.url()+"/api/provision", bytes.NewReader([]byte(text)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", yamlType)
	req.Header.Set("X-API-Key", testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return nil
}

// flowLink is the state of a link, as `smsc links` shows it.
type flowLink struct {
	flow *flow
	name string
}

func (flowLink) do(*flowLine) error { return errors.New("a link does nothing by itself") }

func (a flowLink) expect(l *flowLine) error { return a.await(l.verb, l.limit()) }

func (a flowLink) await(status string, limit time.Duration) error {
	came := "no such link"
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, s := range a.flow.house.linkStates() {
			if s.Name == a.name {
				came = s.Status
			}
		}
		if came == status {
			return nil
		}
	}
	return fmt.Errorf("link %s: expected %s, came %s", a.name, status, came)
}

func (flowLink) left() []string { return nil }

func (flowLink) close() {}
