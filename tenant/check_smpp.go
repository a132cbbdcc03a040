package tenant

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// alphabets are what data_coding 0 may mean.
var alphabets = []string{"gsm7", "latin1", "ascii", "utf8"}

// Longest fields that a bind may carry, tolerated beyond SMPP 3.4 §4.1.
const (
	maxSystemID = 15
	maxPassword = 64
)

// esme checks a link whose other end binds to us (spec smpp §2, §5).
func (c *checker) esme(at string, s *ESME) {
	c.systemID(at+"system_id", s.SystemID)
	c.smppPassword(at+"password", s.Password)
	c.prefixes(at+"from", s.From)
	c.between(at+"binds", s.Binds, 1, 1000)
	c.between(at+"window", s.Window, 1, maxWindow)
	oneOf(c, at+"alphabet", s.Alphabet, alphabets...)
	oneOf(c, at+"long", s.Long, "udh", "sar", "payload")
	oneOf(c, at+"multipart_receipts", s.MultipartReceipt, "each", "one")
	c.atLeast(at+"min_length", s.MinLength, 0)
	c.atLeast(at+"max_length", s.MaxLength, 0)
	if s.MaxLength > 0 && s.MinLength > s.MaxLength {
		c.say(at+"min_length", "is greater than max_length")
	}
	c.limits(at+"limits.", s.Limits)
	c.responseTimeout(at, s.ResponseTimeout)
	c.tonNPI(at+"ton_npi.", s.TONNPI)
	c.statusMap(at+"status_map.", s.StatusMap)
	c.outbind(at+"outbind.", s.Outbind)
}

// carrier checks a link that we bind ourselves (spec smpp §2, §7).
func (c *checker) carrier(at string, s *Carrier) {
	if s.Address == "" {
		c.say(at+"address", "is missing")
	} else {
		c.hostPort(at+"address", s.Address)
	}
	c.systemID(at+"system_id", s.SystemID)
	c.smppPassword(at+"password", s.Password)
	if len(s.SystemType) > 12 {
		c.say(at+"system_type", "is longer than 12 characters (SMPP 3.4 §5.2.3)")
	}
	oneOf(c, at+"bind", s.Bind, "transceiver", "pair")
	c.between(at+"binds", s.Binds, 1, 1000)
	c.between(at+"window", s.Window, 1, maxWindow)
	c.atLeast(at+"throughput", s.Throughput, 0)
	oneOf(c, at+"alphabet", s.Alphabet, alphabets...)
	oneOf(c, at+"long", s.Long, "udh", "sar", "payload")
	if !s.TLS && (s.TLSCA != "" || s.TLSName != "") {
		c.say(at+"tls", "must be true for tls_ca and tls_name to count")
	}
	c.tlvs(at+"tlvs", s.TLVs)
	c.responseTimeout(at, s.ResponseTimeout)
	c.tonNPI(at+"ton_npi.", s.TONNPI)
	c.statusMap(at+"status_map.", s.StatusMap)
	c.outbind(at+"outbind.", s.Outbind)
}

// responseTimeout without an end would keep a window shut for ever.
func (c *checker) responseTimeout(at string, d Duration) {
	if d < Duration(time.Second) {
		c.say(at+"response_timeout", "must be at least 1s")
	}
}

// systemID checks a name that has to fit a bind PDU.
func (c *checker) systemID(path, s string) {
	switch {
	case s == "":
		c.say(path, "is missing")
	case len(s) > maxSystemID:
		c.say(path, "is longer than %d characters (SMPP 3.4 §5.2.1)", maxSystemID)
	case strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e }) >= 0:
		c.say(path, "has characters that are not ASCII (SMPP 3.4 §3.1)")
	}
}

func (c *checker) smppPassword(path, s string) {
	if len(s) > maxPassword || strings.ContainsRune(s, 0) {
		c.say(path, "is longer than %d characters or holds a NUL (SMPP 3.4 §5.2.2)", maxPassword)
	}
}

// ParseTONNPI reads "1/1", the type of number and the numbering plan
// (SMPP 3.4 §5.2.5, §5.2.6).
func ParseTONNPI(s string) (ton, npi uint8, ok bool) {
	a, b, _ := strings.Cut(s, "/")
	t, err1 := strconv.ParseUint(a, 10, 8)
	n, err2 := strconv.ParseUint(b, 10, 8)
	return uint8(t), uint8(n), err1 == nil && err2 == nil
}

// tonNPI checks what is written for addresses that have no type of their own.
func (c *checker) tonNPI(at string, m map[string]string) {
	forms := []string{"international", "national", "short", "alphanumeric", "unknown"}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		oneOf(c, at+k, k, forms...)
		if _, _, ok := ParseTONNPI(m[k]); !ok {
			c.say(at+k, "%q is no TON/NPI like 1/1", m[k])
		}
	}
}

// statusMap checks a peer's own status codes and the causes they stand for.
func (c *checker) statusMap(at string, m map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, err := strconv.ParseUint(k, 0, 32); err != nil {
			c.say(at+k, "%q is no command_status like 0x0410", k)
		}
		if _, ok := message.ParseCause(m[k]); !ok {
			words := make([]string, 0, 16)
			for _, cause := range message.Causes() {
				words = append(words, cause.String())
			}
			c.say(at+k, "%q is not one of %s", m[k], strings.Join(words, ", "))
		}
	}
}

func (c *checker) outbind(at string, o *Outbind) {
	if o == nil {
		return
	}
	if o.Address != "" {
		c.hostPort(at+"address", o.Address)
	}
	if o.SystemID != "" {
		c.systemID(at+"system_id", o.SystemID)
	}
	c.smppPassword(at+"password", o.Password)
}

// tlvs takes standard, all, none or a list of tags.
func (c *checker) tlvs(path string, v any) {
	switch v := v.(type) {
	case string:
		oneOf(c, path, v, "standard", "all", "none")
	case []any:
		for i, tag := range v {
			if _, ok := Tag(tag); !ok {
				c.say(fmt.Sprintf("%s[%d]", path, i), "%v is no tag like 0x1401", tag)
			}
		}
	default:
		c.say(path, "must be standard, all, none or a list of tags")
	}
}

// Tag reads one tag of [Carrier.TLVs]: a number, or its text.
func Tag(v any) (uint16, bool) {
	switch v := v.(type) {
	case int64:
		return uint16(v), v >= 0 && v <= 0xffff
	case int:
		return uint16(v), v >= 0 && v <= 0xffff
	case string:
		n, err := strconv.ParseUint(v, 0, 16)
		return uint16(n), err == nil
	}
	return 0, false
}
