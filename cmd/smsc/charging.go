package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"smsc/charging/cgrates"
	"smsc/charging/ro"
	"smsc/intake"
	"smsc/tenant"
)

// chargingConfig is the section charging of smsc.yaml (spec records §9).
type chargingConfig struct {
	Kind       string          `yaml:"kind"`       // none balance cgrates diameter
	When       string          `yaml:"when"`       // accept delivery
	Down       string          `yaml:"down"`       // refuse accept
	Refund     bool            `yaml:"refund"`     // accept only: what did not arrive is given back
	Timeout    tenant.Duration `yaml:"timeout"`    // of one question
	Default    yesNo           `yaml:"default"`    // where neither route nor account has a word
	Subscriber string          `yaml:"subscriber"` // sender account
	CGRateS    cgratesConfig   `yaml:"cgrates"`
	Diameter   diameterConfig  `yaml:"diameter"`
}

type cgratesConfig struct {
	URL         string `yaml:"url"`
	Tenant      string `yaml:"tenant"`
	Category    string `yaml:"category"`
	RequestType string `yaml:"request_type"`
	Plus        bool   `yaml:"plus"`
	User        string `yaml:"user"`
	Password    string `yaml:"password"`
}

type diameterConfig struct {
	Address          string `yaml:"address"`
	TLS              bool   `yaml:"tls"`
	OriginHost       string `yaml:"origin_host"`
	OriginRealm      string `yaml:"origin_realm"`
	DestinationHost  string `yaml:"destination_host"`
	DestinationRealm string `yaml:"destination_realm"`
	ServiceContext   string `yaml:"service_context"`
}

// yesNo is written as yes or no, quoted or not.
type yesNo bool

// UnmarshalText reads yes, no, true and false.
func (y *yesNo) UnmarshalText(text []byte) error {
	switch string(text) {
	case "yes", "true":
		*y = true
	case "no", "false":
		*y = false
	default:
		return fmt.Errorf("%q is neither yes nor no", text)
	}
	return nil
}

func defaultCharging() chargingConfig {
	return chargingConfig{
		Kind: "none", When: "accept", Down: "refuse", Refund: true, Timeout: tenant.Duration(3 * time.Second), Subscriber: "sender",
		CGRateS:  cgratesConfig{URL: "http://127.0.0.1:2080/jsonrpc", Category: "sms", RequestType: "*prepaid", Plus: true},
		Diameter: diameterConfig{Address: "127.0.0.1:3868", ServiceContext: "32274@3gpp.org"},
	}
}

// faults returns everything wrong with the section.
func (c *chargingConfig) faults() []fault {
	var all []fault
	word := func(path, got string, known ...string) {
		for _, w := range known {
			if got == w {
				return
			}
		}
		all = append(all, fault{"charging." + path, "must be one of " + strings.Join(known, ", ")})
	}
	word("kind", c.Kind, "none", "balance", "cgrates", "diameter")
	word("when", c.When, "accept", "delivery")
	word("down", c.Down, "refuse", "accept")
	word("subscriber", c.Subscriber, "sender", "account")
	if d := time.Duration(c.Timeout); d < 100*time.Millisecond || d > time.Minute {
		all = append(all, fault{"charging.timeout", "must be between 100ms and 1m"})
	}
	switch c.Kind {
	case "cgrates":
		u, err := url.Parse(c.CGRateS.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			all = append(all, fault{"charging.cgrates.url", "must be an http or https URL"})
		}
		word("cgrates.request_type", c.CGRateS.RequestType, "*prepaid", "*postpaid", "*rated", "*pseudoprepaid")
		if c.CGRateS.Category == "" {
			all = append(all, fault{"charging.cgrates.category", "is empty: the server would rate messages as calls"})
		}
	case "diameter":
		if _, _, err := net.SplitHostPort(c.Diameter.Address); err != nil {
			all = append(all, fault{"charging.diameter.address", "must be host:port"})
		}
		for _, one := range [...]struct{ key, value string }{
			{"origin_host", c.Diameter.OriginHost}, {"origin_realm", c.Diameter.OriginRealm}, {"destination_realm", c.Diameter.DestinationRealm},
		} {
			if one.value == "" {
				all = append(all, fault{"charging.diameter." + one.key, "is needed: the server answers to names only"})
			}
		}
	}
	return all
}

// openCharging has messages paid for as the section says.
func (h *house) openCharging() error {
	c := &h.cfg.Charging
	if c.Kind == "none" {
		return nil
	}
	server, err := h.openCharger(c)
	if err != nil {
		return err
	}
	early := c.When == "accept"
	door := intake.Charging{
		Early: early, Pass: c.Down == "accept", Refund: c.Refund, Asks: c.Kind == "cgrates" || !early, Sender: c.Subscriber == "sender",
		Longest: time.Duration(c.Timeout),
	}
	if server != nil {
		h.charger = newCharger(server, h.reg)
		door.Server = h.charger
		h.engine.Charge(h.charger, h.store, chargingPatience(c), h.reg)
	}
	h.intake.Charge(door, h.watched)
	return nil
}

// chargingPatience is how long a question may take that nobody waits for.
func chargingPatience(c *chargingConfig) time.Duration {
	return max(3*time.Duration(c.Timeout), 10*time.Second)
}

// openCharger connects to the charging server, nil where our own balances pay.
func (h *house) openCharger(c *chargingConfig) (chargingServer, error) {
	switch c.Kind {
	case "cgrates":
		g := c.CGRateS
		client := cgrates.New(cgrates.Config{
			URL: g.URL, Node: h.cfg.Name, Tenant: g.Tenant, Category: g.Category, RequestType: g.RequestType, Plus: g.Plus, User: g.User, Password: g.Password,
		})
		return client, nil
	case "diameter":
		d := c.Diameter
		cfg := ro.Config{
			Address: d.Address, OriginHost: d.OriginHost, OriginRealm: d.OriginRealm, DestinationHost: d.DestinationHost,
			DestinationRealm: d.DestinationRealm, ServiceContext: d.ServiceContext, Timeout: time.Duration(c.Timeout),
		}
		if d.TLS {
			own, err := h.cfg.TLS.load()
			if err != nil {
				return nil, err
			}
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
			if own != nil {
				cfg.TLS.Certificates, cfg.TLS.RootCAs = own.Certificates, own.ClientCAs
			}
		}
		client, err := ro.New(cfg)
		if err != nil {
			return nil, fmt.Errorf("charging.diameter: %w", err)
		}
		return client, nil
	}
	return nil, nil
}

// chargingReady tells how charging stands, and whether a positive answer
// depends on it now.
func (h *house) chargingReady() (word string, ok bool) {
	if h.charger == nil {
		return "ok", true
	}
	if err := h.charger.Ready(); err != nil {
		return err.Error(), h.cfg.Charging.Down == "accept"
	}
	return "ok", true
}
