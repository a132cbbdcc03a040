package sip

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/translate"
)

// Names of the X-headers (spec sip §6). X-DELIVERY-TIME is the same as
// X-DELIVERY_TIME.
const (
	xUDH          = "X-SMS-UDH"
	xCoding       = "X-SMS-CODING"
	xValidity     = "X-SMS-VALIDITY"
	xClass        = "X-M-CLASS"
	xRegDelivery  = "X-REG-DELIVERY"
	xSMSC         = "X-SMSC-ID"
	xDeliveryTime = "X-DELIVERY_TIME"
	xID           = "X-SMS-ID"
	xReceipt      = "X-SMS-RECEIPT"
	xMode         = "X-SMS-MODE"
)

// singles may stand in a request once.
var singles = [...]string{xUDH, xCoding, xValidity, xClass, xRegDelivery, xSMSC, xDeliveryTime, xID, xReceipt, xMode}

const xTime = "2006-01-02 15:04:05" // of the restcomm dialect, UTC

// Bounds of X-headers that are kept for rules.
const (
	maxOthers     = 20
	maxOtherValue = 256
)

// codingAbsent says that X-SMS-CODING is not there: the content decides.
const codingAbsent = -1

// wishes is what the X-headers of a request ask for.
type wishes struct {
	udh     translate.UDH
	coding  int // codingAbsent, 0, 1 or 2
	expires time.Time
	once    bool // Expires: 0
	class   message.Class
	wants   message.Wants
	regBits string // X-REG-DELIVERY as it came
	mode    string

	imdnID    string // imdn.Message-ID (RFC 5438 §6.3)
	displayed bool   // a display notification is wished, which no SMS can give
	unusable  bool   // a validity in the broken pattern of the old program
}

// readWishes reads the X-headers and Expires. now judges what is past.
func readWishes(p *packet, now time.Time) (w wishes, err *fault) {
	w.coding = codingAbsent
	for _, name := range singles {
		if _, twice := p.has(name); twice {
			return w, refuse(400, "%s: given twice with different values", name)
		}
	}
	if w.udh, err = readUDH(p); err != nil {
		return w, err
	}
	if w.coding, err = readCoding(p); err != nil {
		return w, err
	}
	if err = w.readValidity(p, now); err != nil {
		return w, err
	}
	if v, ok := p.once(xClass); ok {
		if len(v) != 1 || v[0] < '0' || v[0] > '3' {
			return w, refuse(400, "%s: %s is not 0, 1, 2 or 3", xClass, shown(v))
		}
		w.class = message.Class0 + message.Class(v[0]-'0')
	}
	if err = w.readRegDelivery(p); err != nil {
		return w, err
	}
	if v, ok := p.once(xMode); ok {
		if w.mode = strings.ToLower(v); w.mode != "store" && w.mode != "transaction" {
			return w, refuse(400, "%s: %s is not store or transaction", xMode, shown(v))
		}
	}
	return w, nil
}

// once returns the trimmed value of a header and whether it is there.
func (p *packet) once(name string) (string, bool) {
	for i := range p.headers {
		if sameName(p.headers[i].name, name) {
			return strings.Trim(p.headers[i].value, " \t"), true
		}
	}
	return "", false
}

// shown quotes a bad value for the one who sent it, cut to what helps.
func shown(v string) string {
	if len(v) > 40 {
		v = v[:40] + "..."
	}
	return strconv.QuoteToASCII(v)
}

// readUDH reads hex of UDHL and elements: any case, blanks and 0x allowed.
func readUDH(p *packet) (translate.UDH, *fault) {
	v, ok := p.once(xUDH)
	if !ok {
		return nil, nil
	}
	if len(v) > 1024 {
		return nil, refuse(400, "%s: longer than 140 octets", xUDH)
	}
	digits := strings.Join(strings.Fields(v), "")
	if strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		digits = digits[2:]
	}
	octets, err := hex.DecodeString(digits)
	switch {
	case err != nil:
		return nil, refuse(400, "%s: %s is not hex octets", xUDH, shown(v))
	case len(octets) == 0:
		return nil, refuse(400, "%s: empty", xUDH)
	case len(octets) > message.MaxUDH:
		return nil, refuse(400, "%s: longer than 140 octets", xUDH)
	}
	udh, err := translate.ParseUDH(octets)
	if err != nil {
		return nil, refuse(400, "%s: %s", xUDH, message.TextOf(err))
	}
	return udh, nil
}

func readCoding(p *packet) (int, *fault) {
	v, ok := p.once(xCoding)
	switch {
	case !ok:
		return codingAbsent, nil
	case v == "0" || v == "1" || v == "2":
		return int(v[0] - '0'), nil
	}
	return 0, refuse(400, "%s: %s is not 0, 1 or 2", xCoding, shown(v))
}

// readValidity reads X-SMS-VALIDITY, else Expires (RFC 3428 §4), which counts
// from Date where there is one.
func (w *wishes) readValidity(p *packet, now time.Time) *fault {
	if v, ok := p.once(xValidity); ok {
		at, usable, err := parseXTime(v)
		switch {
		case err != nil:
			return refuse(400, "%s: %s is not yyyy-mm-dd hh:mm:ss", xValidity, shown(v))
		case !usable:
			w.unusable = true // the default applies
		case !at.After(now):
			return refuse(400, "%s: %s is in the past", xValidity, shown(v))
		default:
			w.expires = at
			return nil
		}
	}
	v, ok := p.once("Expires")
	if !ok || w.unusable {
		return nil
	}
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return refuse(400, "Expires: %s is not a number of seconds", shown(v))
	}
	if n == 0 {
		w.once = true // one round only
		return nil
	}
	from := now
	if date, err := time.Parse(time.RFC1123, p.get("Date")); err == nil && date.Before(now) {
		from = date
	}
	if w.expires = from.Add(time.Duration(n) * time.Second); !w.expires.After(now) {
		return refuse(400, "Expires: the message expired before it came")
	}
	return nil
}

// parseXTime reads a time of the dialect. A year of five digits is the broken
// pattern of the program the dialect comes from: well-formed, but unusable.
func parseXTime(v string) (at time.Time, usable bool, err error) {
	if len(v) > 64 {
		v = v[:64]
	}
	if len(v) > 6 && v[0] == '0' && v[5] == '-' {
		return time.Time{}, false, nil
	}
	if at, err = time.Parse(time.RFC3339, v); err == nil {
		return at.UTC(), true, nil
	}
	plain, fraction, _ := strings.Cut(v, ".")
	if strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, false, strconv.ErrSyntax
	}
	at, err = time.Parse(xTime, plain)
	return at, err == nil, err
}

// readRegDelivery reads the bits of registered_delivery (SMPP 3.4 §5.2.17).
func (w *wishes) readRegDelivery(p *packet) *fault {
	v, ok := p.once(xRegDelivery)
	if !ok {
		return nil
	}
	n, err := strconv.ParseUint(v, 10, 8)
	if err != nil || n > 31 {
		return refuse(400, "%s: %s is not 0 to 31", xRegDelivery, shown(v))
	}
	switch n & 3 {
	case 1:
		w.wants = message.WantFinal
	case 2:
		w.wants = message.WantFailure
	case 3:
		w.wants = message.WantSuccess
	}
	if n&16 != 0 {
		w.wants |= message.WantIntermediate
	}
	w.regBits = strconv.FormatUint(n, 10)
	return nil
}

// others returns the X-headers that mean nothing to us: kept for rules and
// for SmsUrl, at most 20, never passed on by themselves.
func others(p *packet, put func(key, value string)) {
	n := 0
	for i := range p.headers {
		h := &p.headers[i]
		if len(h.name) < 3 || h.name[0]|0x20 != 'x' || h.name[1] != '-' || isOurs(h.name) {
			continue
		}
		if n++; n > maxOthers {
			return
		}
		if len(h.value) <= maxOtherValue && printable(h.value) {
			put("sip."+strings.ToLower(h.name), h.value)
		}
	}
}

func isOurs(name string) bool {
	for _, own := range singles {
		if sameName(own, name) {
			return true
		}
	}
	return sameName(name, "X-DELIVERY-TIME")
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
