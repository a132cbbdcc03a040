package restapi

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// draft is a message as a client wrote it: the fields of spec rest §2.1, and
// those that only a change knows.
type draft struct {
	set    map[string]bool // members that were given, null included
	faults []fault
	strict bool // an unknown member is a fault

	from, to, text, source string
	dest                   string // "" is null: routing chooses
	fromIMSI, toIMSI       string
	charset, group         string
	compressed, hasClass   bool
	class                  uint8
	udh                    []byte // with its length octet
	partNumber, parts      uint8
	reference              uint16
	expires, after         time.Time
	deadletter             bool
	raw, rawSIP            bool
	account, report        string
	callback, clientRef    string
	pid, priority          uint8
	replyPath, replace     bool
	fromTON, fromNPI       uint8
	toTON, toNPI           uint8
	sourceType             string

	// Of a change (spec rest §2.4).
	status, remoteID string
	via              string // the link that delivered
	cause, detail    string
	delivered        time.Time
	delay            time.Duration
}

// member is one member that is read, and how: take returns "" or what is wrong.
type member struct {
	name string // as draft.set knows it
	take func(d *draft, v value) string
}

// fields are the members of a message.
var fields = members(map[string]func(d *draft, v value) string{
	"source_msisdn":            textField(func(d *draft) *string { return &d.from }, 1, 255),
	"destination_msisdn":       textField(func(d *draft) *string { return &d.to }, 1, 255),
	"message_body":             textField(func(d *draft) *string { return &d.text }, 0, 0),
	"source_smsc":              textField(func(d *draft) *string { return &d.source }, 1, 64),
	"dest_smsc":                textField(func(d *draft) *string { return &d.dest }, 0, 64),
	"source_imsi":              imsiField(func(d *draft) *string { return &d.fromIMSI }),
	"dest_imsi":                imsiField(func(d *draft) *string { return &d.toIMSI }),
	"tp_dcs_character_set":     wordField(func(d *draft) *string { return &d.charset }, "gsm7", "8bit", "latin1", "ucs2"),
	"tp_dcs_coding_group":      wordField(func(d *draft) *string { return &d.group }, codingGroups...),
	"tp_dcs_compressed":        boolField(func(d *draft) *bool { return &d.compressed }),
	"tp_user_data_header":      (*draft).takeUDH,
	"tp_dcs_message_class":     numberField(func(d *draft) *uint8 { return &d.class }, 0, 3),
	"message_part_number":      numberField(func(d *draft) *uint8 { return &d.partNumber }, 1, 255),
	"message_parts":            numberField(func(d *draft) *uint8 { return &d.parts }, 1, 255),
	"message_reference":        numberField(func(d *draft) *uint16 { return &d.reference }, 0, 65535),
	"expires":                  timeField(func(d *draft) *time.Time { return &d.expires }),
	"deliver_after":            timeField(func(d *draft) *time.Time { return &d.after }),
	"deadletter":               boolField(func(d *draft) *bool { return &d.deadletter }),
	"raw_data_flag":            boolField(func(d *draft) *bool { return &d.raw }),
	"raw_sip_flag":             boolField(func(d *draft) *bool { return &d.rawSIP }),
	"account":                  textField(func(d *draft) *string { return &d.account }, 1, 64),
	"status_report":            wordField(func(d *draft) *string { return &d.report }, "none", "final", "failure", "success", "all"),
	"status_callback":          textField(func(d *draft) *string { return &d.callback }, 1, 2048),
	"client_ref":               textField(func(d *draft) *string { return &d.clientRef }, 0, 64),
	"tp_pid":                   numberField(func(d *draft) *uint8 { return &d.pid }, 0, 255),
	"priority":                 numberField(func(d *draft) *uint8 { return &d.priority }, 0, 3),
	"reply_path":               boolField(func(d *draft) *bool { return &d.replyPath }),
	"replace_if_present":       boolField(func(d *draft) *bool { return &d.replace }),
	"source_ton":               numberField(func(d *draft) *uint8 { return &d.fromTON }, 0, 7),
	"source_npi":               numberField(func(d *draft) *uint8 { return &d.fromNPI }, 0, 255),
	"dest_ton":                 numberField(func(d *draft) *uint8 { return &d.toTON }, 0, 7),
	"dest_npi":                 numberField(func(d *draft) *uint8 { return &d.toNPI }, 0, 255),
	"source_type":              wordField(func(d *draft) *string { return &d.sourceType }, "SIP", "IMS", "SMPP", "HTTP", "CS"),
	"destination_smsc":         textField(func(d *draft) *string { return &d.dest }, 0, 64),
	"tp_dcs_has_message_class": boolField(func(d *draft) *bool { return &d.hasClass }),
})

// changeFields are the members that only PATCH, PUT and increment know.
var changeFields = members(map[string]func(d *draft, v value) string{
	"status":       textField(func(d *draft) *string { return &d.status }, 1, 32),
	"remote_id":    textField(func(d *draft) *string { return &d.remoteID }, 1, 65),
	"cause":        textField(func(d *draft) *string { return &d.cause }, 0, 32),
	"detail":       textField(func(d *draft) *string { return &d.detail }, 0, 255),
	"delivered_at": timeField(func(d *draft) *time.Time { return &d.delivered }),
	"deliver_time": timeField(func(d *draft) *time.Time {
		if d.set["delivered_at"] && !d.delivered.IsZero() {
			return new(time.Time) // delivered_at wins
		}
		return &d.delivered
	}),
	"after": (*draft).takeDelay,
})

var codingGroups = []string{
	"general_data_coding", "data_coding_message_class", "auto_deletion",
	"message_waiting_discard", "message_waiting_store", "message_waiting_store_ucs2",
}

// aliases are other names of a member.
var aliases = map[string]string{"destination_smsc": "dest_smsc"}

// members gives each reader the name under which its member is known.
func members(readers map[string]func(*draft, value) string) map[string]*member {
	all := make(map[string]*member, len(readers))
	for name, take := range readers {
		all[name] = &member{name: or(aliases[name], name), take: take}
	}
	return all
}

// read fills d from a JSON object. The error is about the JSON; what is wrong
// with members stands in d.faults.
func (d *draft) read(data []byte, change bool) error {
	d.set = make(map[string]bool, 8)
	return parseObject(data, func(name []byte, v value) {
		known := fields[string(name)]
		if known == nil && change {
			known = changeFields[string(name)]
		}
		if known == nil {
			if d.strict {
				d.fault(shorten(string(name)), "unknown field")
			}
			return
		}
		d.set[known.name] = true
		if what := known.take(d, v); what != "" {
			d.fault(string(name), what)
		}
	})
}

func (d *draft) fault(name, what string) {
	if len(d.faults) < 100 {
		d.faults = append(d.faults, fault{location: "body." + name, message: what})
	}
}

// refusal returns the faults as one problem, nil if there are none.
func (d *draft) refusal() error {
	if len(d.faults) == 0 {
		return nil
	}
	first := d.faults[0]
	return &problem{code: "invalid", detail: strings.TrimPrefix(first.location, "body.") + ": " + first.message, faults: d.faults}
}

// textField reads a string of low to high octets; high 0: any. null is "".
func textField(at func(*draft) *string, low, high int) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = ""
			return ""
		}
		s, ok := v.text()
		switch {
		case !ok:
			return "must be a string"
		case len(s) < low:
			return "must not be empty"
		case high > 0 && len(s) > high:
			return "must not be longer than " + strconv.Itoa(high) + " octets"
		case high > 0 && strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			return "must not have control characters"
		}
		*at(d) = s
		return ""
	}
}

func imsiField(at func(*draft) *string) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = ""
			return ""
		}
		s, ok := v.text()
		if !ok || len(s) < 6 || len(s) > 15 || strings.Trim(s, "0123456789") != "" {
			return "must be 6 to 15 digits"
		}
		*at(d) = s
		return ""
	}
}

func wordField(at func(*draft) *string, words ...string) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = ""
			return ""
		}
		s, ok := v.text()
		if !ok || !slices.Contains(words, s) {
			return "must be one of " + strings.Join(words, ", ")
		}
		*at(d) = s
		return ""
	}
}

func boolField(at func(*draft) *bool) func(*draft, value) string {
	return func(d *draft, v value) string {
		b, ok := v.boolean()
		if !ok && !v.isNull() {
			return "must be true or false"
		}
		*at(d) = b
		return ""
	}
}

func numberField[T uint8 | uint16](at func(*draft) *T, low, high int64) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = 0
			return ""
		}
		n, ok := v.integer()
		if !ok || n < low || n > high {
			return "must be a whole number from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
		}
		*at(d) = T(n)
		return ""
	}
}

func timeField(at func(*draft) *time.Time) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = time.Time{}
			return ""
		}
		s, ok := v.text()
		if !ok {
			return "must be a time as in RFC 3339"
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil || t.Year() < 1 {
			return "must be a time as in RFC 3339"
		}
		*at(d) = storable(t.UTC())
		return ""
	}
}

// storable cuts a time to what nanoseconds since 1970 can count: clients write
// the year 9999 for "never".
func storable(t time.Time) time.Time {
	switch {
	case t.Year() > 2261:
		return time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() < 1970:
		return time.Unix(0, 0).UTC()
	}
	return t
}

// takeDelay reads "after": seconds, or a duration.
func (d *draft) takeDelay(v value) string {
	if v.isNull() {
		d.delay = 0
		return ""
	}
	const most = 240 * time.Hour
	n, ok := v.integer()
	delay := time.Duration(min(max(n, -1), int64(most/time.Second)+1)) * time.Second
	if s, isText := v.text(); isText {
		var err error
		delay, err = time.ParseDuration(s)
		ok = err == nil
	}
	if !ok || delay < 0 || delay > most {
		return "must be a duration from 0 to 240h"
	}
	d.delay = delay
	return ""
}

// takeUDH reads the map of information elements (TS 23.040 §9.2.3.24): two
// hexadecimal digits to hexadecimal value, or "raw" to the whole header.
func (d *draft) takeUDH(v value) string {
	d.udh = nil
	if v.isNull() {
		return ""
	}
	what := ""
	var whole []byte
	elements := map[byte][]byte{}
	ok := v.members(func(name []byte, v value) {
		text, isText := v.text()
		octets, err := hex.DecodeString(text)
		iei, errName := hex.DecodeString(string(name))
		switch {
		case !isText || err != nil:
			what = "must have hexadecimal values"
		case string(name) == "raw":
			whole = octets
		case errName != nil || len(iei) != 1:
			what = `must have keys of two hexadecimal digits, or "raw"`
		case len(octets) > 255:
			what = "must not be longer than 140 octets"
		default:
			elements[iei[0]] = octets
		}
	})
	switch {
	case !ok:
		return "must be an object"
	case what != "":
		return what
	case whole != nil && len(elements) > 0:
		return `must have either "raw" or elements`
	}
	header, what := joinUDH(whole, elements)
	d.udh = header
	return what
}

// joinUDH writes elements in ascending order behind their length octet.
func joinUDH(whole []byte, elements map[byte][]byte) (header []byte, what string) {
	if header = whole; header == nil && len(elements) > 0 {
		header = []byte{0}
		for iei := 0; iei < 256; iei++ {
			if octets, ok := elements[byte(iei)]; ok {
				header = append(append(header, byte(iei), byte(len(octets))), octets...)
			}
			if len(header) > 140 {
				return nil, "must not be longer than 140 octets"
			}
		}
		header[0] = byte(len(header) - 1)
	}
	switch {
	case len(header) > 140:
		return nil, "must not be longer than 140 octets"
	case len(header) > 0 && int(header[0]) != len(header)-1:
		return nil, `"raw" must begin with its length octet`
	case len(header) == 0 && whole != nil:
		return nil, `"raw" must begin with its length octet`
	}
	return header, ""
}
