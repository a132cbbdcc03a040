package smpp

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/tenant"
)

// settings are those of a link, made ready for use. They never change; a new
// document makes new ones.
type settings struct {
	link     *tenant.Link
	carrier  bool
	options  Options
	alphabet string
	long     string // udh | sar | payload
	reports  bool
	// oneReceipt: the parts of a message are joined and have one receipt.
	oneReceipt bool
	types      map[string]typed // by shape of an address
	causes     map[pdu.Status]message.Cause
	tlvs       func(pdu.Tag) bool // which of a message's go out

	binds         int
	from          []netip.Prefix // empty: any
	minLen        int
	maxLen        int
	defaultSource string
	maxValidity   time.Duration
}

type typed struct{ ton, npi uint8 }

// standardTypes are the defaults of ton_npi (spec smpp §2).
var standardTypes = map[string]typed{
	"international": {1, 1}, "national": {2, 1}, "short": {0, 0}, "alphanumeric": {5, 0}, "unknown": {0, 0},
}

func settingsOf(l *tenant.Link, maxValidity time.Duration) (*settings, error) {
	st := &settings{link: l, maxValidity: maxValidity}
	var err error
	switch {
	case l.ESME != nil:
		err = st.esme(l.ESME)
	case l.Carrier != nil:
		err = st.fromCarrier(l.Carrier)
	default:
		err = fmt.Errorf("link %s is no SMPP link", l.Name)
	}
	// What waits behind a window are the further segments of messages that
	// the lane let through.
	st.options.Queue = 4*st.options.Window + message.MaxParts
	return st, err
}

func (st *settings) esme(c *tenant.ESME) (err error) {
	st.options = Options{
		Window: max(c.Window, 1), EnquireLink: time.Duration(c.EnquireLink),
		ResponseTimeout: time.Duration(c.ResponseTimeout), Inactivity: time.Duration(c.Inactivity),
	}
	st.alphabet, st.long = c.Alphabet, c.Long
	st.binds, st.minLen, st.maxLen, st.defaultSource = c.Binds, c.MinLength, c.MaxLength, c.DefaultSource
	st.tlvs, st.oneReceipt = standardTLV, c.MultipartReceipt == "one"
	for _, f := range c.From {
		p, err := prefix(f)
		if err != nil {
			return fmt.Errorf("from: %w", err)
		}
		st.from = append(st.from, p)
	}
	return st.common(c.TONNPI, c.StatusMap)
}

func (st *settings) fromCarrier(c *tenant.Carrier) (err error) {
	st.carrier = true
	st.options = Options{
		Window: max(c.Window, 1), EnquireLink: time.Duration(c.EnquireLink),
		ResponseTimeout: time.Duration(c.ResponseTimeout),
	}
	st.alphabet, st.long, st.reports, st.binds = c.Alphabet, c.Long, c.Reports, max(c.Binds, 1)
	if st.tlvs, err = passTLVs(c.TLVs); err != nil {
		return err
	}
	return st.common(c.TONNPI, c.StatusMap)
}

func (st *settings) common(types, causes map[string]string) error {
	st.types = maps.Clone(standardTypes)
	for shape, v := range types {
		t, n, ok := strings.Cut(v, "/")
		ton, err1 := strconv.ParseUint(t, 10, 8)
		npi, err2 := strconv.ParseUint(n, 10, 8)
		if _, known := standardTypes[shape]; !known || !ok || err1 != nil || err2 != nil {
			return fmt.Errorf("ton_npi: %s: %q", shape, v)
		}
		st.types[shape] = typed{uint8(ton), uint8(npi)}
	}
	st.causes = make(map[pdu.Status]message.Cause, len(causes))
	for status, word := range causes {
		n, err := strconv.ParseUint(status, 0, 32)
		c, ok := message.ParseCause(word)
		if err != nil || !ok {
			return fmt.Errorf("status_map: %q: %q", status, word)
		}
		st.causes[pdu.Status(n)] = c
	}
	return nil
}

// standardTLV tells the tags of the specification from vendors' own, which
// may carry billing.
func standardTLV(t pdu.Tag) bool { return t >= 0x0001 && t <= 0x13FF }

// passTLVs reads the key tlvs of a carrier.
func passTLVs(v any) (func(pdu.Tag) bool, error) {
	switch v := v.(type) {
	case nil:
		return standardTLV, nil
	case string:
		switch v {
		case "", "standard":
			return standardTLV, nil
		case "all":
			return func(pdu.Tag) bool { return true }, nil
		case "none":
			return func(pdu.Tag) bool { return false }, nil
		}
	case []any:
		tags := make([]pdu.Tag, 0, len(v))
		for _, x := range v {
			n, err := strconv.ParseUint(fmt.Sprint(x), 0, 16)
			if err != nil {
				return nil, fmt.Errorf("tlvs: %v is no tag", x)
			}
			tags = append(tags, pdu.Tag(n))
		}
		return func(t pdu.Tag) bool { return slices.Contains(tags, t) }, nil
	}
	return nil, fmt.Errorf("tlvs: %v", v)
}

func prefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// allows tells whether a client may come from there.
func (st *settings) allows(peer net.Addr) bool {
	if len(st.from) == 0 {
		return true
	}
	ap, err := netip.ParseAddrPort(peer.String())
	if err != nil {
		return false
	}
	addr := ap.Addr().Unmap()
	return slices.ContainsFunc(st.from, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// tlsConfig is how a carrier's certificate is checked: always, against the
// system's anchors or its own. One that asks for ours gets that of the
// server.
func tlsConfig(c *tenant.Carrier, server *tls.Config) (*tls.Config, error) {
	if !c.TLS {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLSName}
	if server != nil {
		cfg.Certificates = server.Certificates
	}
	if c.TLSName == "" {
		host, _, err := net.SplitHostPort(c.Address)
		if err != nil {
			return nil, err
		}
		cfg.ServerName = host
	}
	if c.TLSCA == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, err
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.TLSCA)
	}
	return cfg, nil
}
