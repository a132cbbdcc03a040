package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/charging/postgres"
	"smsc/delivery"
	"smsc/tenant"
)

// config is smsc.yaml: what is read once, at start. Every part of the house
// takes its own Config from here; defaults stand in defaultConfig.
type config struct {
	Name     string          `yaml:"name"`
	Data     string          `yaml:"data"`
	Listen   listenConfig    `yaml:"listen"`
	TLS      tlsConfig       `yaml:"tls"`
	SIP      sipConfig       `yaml:"sip"`
	Store    storeConfig     `yaml:"store"`
	Delivery delivery.Config `yaml:"delivery"`
	HTTP     httpConfig      `yaml:"http"`
	Log      logConfig       `yaml:"log"`
	CDR      cdrConfig       `yaml:"cdr"`
	Charging chargingConfig  `yaml:"charging"`
	Insecure bool            `yaml:"insecure"`
}

type listenConfig struct {
	SIP  []listener `yaml:"sip"`
	SMPP []listener `yaml:"smpp"`
	HTTP []listener `yaml:"http"`
}

type tlsConfig struct {
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"`
}

type sipConfig struct {
	Domain    string   `yaml:"domain"`
	Advertise string   `yaml:"advertise"`
	Digest    []string `yaml:"digest"` // sha-256 md5; empty: both
}

type storeConfig struct {
	Retention tenant.Duration `yaml:"retention"`
}

type httpConfig struct {
	OperatorKey string `yaml:"operator_key"`
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

type cdrConfig struct {
	Dir      string `yaml:"dir"`
	CSV      bool   `yaml:"csv"`
	JSON     bool   `yaml:"json"`
	Attempts bool   `yaml:"attempts"` // one more record for each attempt,
	Rejects  bool   `yaml:"rejects"`  // for each refusal at the door,
	Receipts bool   `yaml:"receipts"` // for each receipt that came to its end
	Text     bool   `yaml:"text"`
	Rotate   struct {
		Size  tenant.Size     `yaml:"size"`
		Every tenant.Duration `yaml:"every"`
	} `yaml:"rotate"`
	Keep tenant.Duration `yaml:"keep"`
	SQL  sqlConfig       `yaml:"sql"`
}

// sqlConfig is where records are exported to; without a dsn nowhere.
type sqlConfig struct {
	DSN            string          `yaml:"dsn"` // secret
	Table          string          `yaml:"table"`
	Batch          int             `yaml:"batch"`
	Flush          tenant.Duration `yaml:"flush"`
	MaxConnections int             `yaml:"max_connections"` // one is taken
}

// memory is the data folder that keeps nothing.
const memory = "memory"

func defaultConfig() config {
	var c config
	c.Name = "smsc1"
	c.Data = "./data"
	c.Listen.SIP = []listener{{"udp", "127.0.0.1:5060"}, {"tcp", "127.0.0.1:5060"}}
	c.Listen.SMPP = []listener{{"tcp", "127.0.0.1:2775"}}
	c.Listen.HTTP = []listener{{"http", "127.0.0.1:8080"}}
	c.Store.Retention = tenant.Duration(24 * time.Hour)
	c.Delivery = delivery.DefaultConfig()
	c.Charging = defaultCharging()
	c.Log = logConfig{Level: "info", Format: "console"}
	c.CDR.CSV = true
	c.CDR.Text = true
	c.CDR.Rotate.Size = 64 << 20
	c.CDR.Rotate.Every = tenant.Duration(24 * time.Hour)
	c.CDR.Keep = tenant.Duration(720 * time.Hour)
	c.CDR.SQL = sqlConfig{Table: postgres.DefaultTable, Batch: postgres.DefaultBatch, Flush: tenant.Duration(postgres.DefaultFlush), MaxConnections: 2}
	return c
}

// locator gives a fault found after decoding its place in the file.
type locator func(path, what string) tenant.Fault

// loadConfig reads file, or ./smsc.yaml if file is "" and it exists, or
// nothing. The faults of a file that can be read come together, in the order
// of their lines.
func loadConfig(file string) (config, locator, []tenant.Fault, error) {
	c := defaultConfig()
	if file == "" {
		if _, err := os.Stat("smsc.yaml"); err != nil {
			return c, tenant.Locate("", nil), nil, nil
		}
		file = "smsc.yaml"
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return c, nil, nil, fmt.Errorf("configuration: %w", err)
	}
	faults := tenant.Decode(file, data, &c)
	at := tenant.Locate(file, data)
	for _, f := range c.faults() {
		// A value that could not be read has one fault already.
		if !slices.ContainsFunc(faults, func(g tenant.Fault) bool { return g.Path == f.path }) {
			faults = append(faults, at(f.path, f.what))
		}
	}
	slices.SortStableFunc(faults, func(a, b tenant.Fault) int { return a.Line - b.Line })
	return c, at, faults, nil
}

// fault is one thing wrong with a value whose type is right.
type fault struct{ path, what string }

// faults returns everything wrong with values that could be read.
func (c *config) faults() []fault {
	var all []fault
	add := func(bad bool, path, format string, args ...any) {
		if bad {
			all = append(all, fault{path, fmt.Sprintf(format, args...)})
		}
	}
	add(c.Name == "" || strings.ContainsAny(c.Name, " \t\r\n\"<>@;,"), "name", "a node name is one word, as it stands in SIP headers and records")
	add(c.Data == "", "data", "name a folder, or \"memory\" to keep nothing")
	add(len(c.Listen.HTTP) == 0, "listen.http", "at least one listener is needed: the operator's tools use it")
	for _, l := range []struct {
		path  string
		list  []listener
		known []string
	}{
		{"listen.sip", c.Listen.SIP, []string{"udp", "tcp", "tls", "ws", "wss"}},
		{"listen.smpp", c.Listen.SMPP, []string{"tcp", "tls"}},
		{"listen.http", c.Listen.HTTP, []string{"http", "https"}},
	} {
		for i, one := range l.list {
			path := fmt.Sprintf("%s[%d]", l.path, i)
			add(!slices.Contains(l.known, one.transport), path, "transport %q is not served here; known: %s", one.transport, strings.Join(l.known, " "))
			secure := one.transport == "tls" || one.transport == "wss" || one.transport == "https"
			add(secure && (c.TLS.Cert == "" || c.TLS.Key == ""), path, "needs tls.cert and tls.key")
		}
	}
	for i, word := range c.SIP.Digest {
		add(word != "sha-256" && word != "md5", fmt.Sprintf("sip.digest[%d]", i), "must be sha-256 or md5")
	}
	add((c.TLS.Cert == "") != (c.TLS.Key == ""), "tls", "cert and key go together")
	add(c.Store.Retention <= 0, "store.retention", "must be longer than 0")
	for _, err := range c.Delivery.Validate() {
		path, what, _ := strings.Cut(err.Error(), ": ")
		add(true, "delivery."+path, "%s", what)
	}
	add(!slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "must be debug, info, warn or error")
	add(!slices.Contains([]string{"console", "json"}, c.Log.Format), "log.format", "must be console or json")
	all = append(all, c.Charging.faults()...)
	add(c.CDR.Rotate.Size < 1<<10, "cdr.rotate.size", "must be at least 1KiB")
	add(c.CDR.Rotate.Every < tenant.Duration(time.Minute), "cdr.rotate.every", "must be at least 1m")
	add(c.CDR.Keep <= 0, "cdr.keep", "must be longer than 0")
	all = append(all, c.CDR.SQL.faults(c)...)
	add(c.HTTP.OperatorKey != "" && len(c.HTTP.OperatorKey) < 12, "http.operator_key", "is too easy to guess: 12 characters at least, or leave it empty to have one made")
	return all
}

// openDoors returns the faults of listeners that strangers can reach while a
// way in asks for no credentials (contract: refused unless insecure).
func (c *config) openDoors(doc tenant.Document) []fault {
	if c.Insecure {
		return nil
	}
	var all []fault
	for i, l := range c.Listen.SMPP {
		for _, link := range doc.Links {
			if link.Kind == tenant.KindESME && link.ESME.Password == "" && !l.loopback() {
				all = append(all, fault{fmt.Sprintf("listen.smpp[%d]", i), fmt.Sprintf("%s is not loopback and link %s has no password: set one, or say insecure: true", l, link.Name)})
			}
		}
	}
	return all
}

// listener is "transport:host:port".
type listener struct{ transport, address string }

// UnmarshalText reads "udp:127.0.0.1:5060" and "tcp:[::1]:5060".
func (l *listener) UnmarshalText(text []byte) error {
	transport, address, ok := strings.Cut(string(text), ":")
	if !ok {
		return errors.New("write transport:host:port, such as udp:127.0.0.1:5060")
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("write transport:host:port, such as udp:127.0.0.1:5060: %q has no port", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("port %q is not 0 to 65535", port)
	}
	l.transport, l.address = transport, address
	return nil
}

func (l listener) String() string { return l.transport + ":" + l.address }

// loopback tells whether only this machine reaches l.
func (l listener) loopback() bool {
	host, _, _ := net.SplitHostPort(l.address)
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
