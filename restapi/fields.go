package restapi

import (
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
