package restapi

// The types of this file are the shapes of the queue API as the OpenAPI
// document tells them. Nothing is ever encoded or decoded by them: row.go and
// fields.go do that, and a test holds both together.

// messageDoc is the body of POST /api/messages.
type messageDoc struct {
	Source      string            `json:"source_msisdn" doc:"Number, short code, or 1-11 GSM-7 characters with a letter"`
	Destination string            `json:"destination_msisdn" doc:"Number, sip: or tel: URI, or user name"`
	Body        string            `json:"message_body" doc:"Text; hexadecimal with raw_data_flag"`
	SourceSMSC  string            `json:"source_smsc" doc:"What routes call source_smsc"`
	DestSMSC    *string           `json:"dest_smsc,omitempty" doc:"Link or queue; null lets routing choose"`
	SourceIMSI  *string           `json:"source_imsi,omitempty"`
	DestIMSI    *string           `json:"dest_imsi,omitempty"`
	Charset     *string           `json:"tp_dcs_character_set,omitempty" enum:"gsm7,8bit,latin1,ucs2"`
	Group       *string           `json:"tp_dcs_coding_group,omitempty" enum:"general_data_coding,data_coding_message_class,auto_deletion,message_waiting_discard,message_waiting_store,message_waiting_store_ucs2"`
	Compressed  bool              `json:"tp_dcs_compressed,omitempty"`
	HasClass    bool              `json:"tp_dcs_has_message_class,omitempty"`
	Class       int               `json:"tp_dcs_message_class,omitempty" minimum:"0" maximum:"3"`
	UDH         map[string]string `json:"tp_user_data_header,omitempty" doc:"Information elements, or raw"`
	PartNumber  int               `json:"message_part_number,omitempty" minimum:"1" maximum:"255"`
	Parts       int               `json:"message_parts,omitempty" minimum:"1" maximum:"255"`
	Reference   int               `json:"message_reference,omitempty" minimum:"0" maximum:"65535"`
	Expires     *string           `json:"expires,omitempty" format:"date-time"`
	After       *string           `json:"deliver_after,omitempty" format:"date-time"`
	Raw         bool              `json:"raw_data_flag,omitempty"`
	RawSIP      bool              `json:"raw_sip_flag,omitempty"`
	Account     string            `json:"account,omitempty"`
	Report      string            `json:"status_report,omitempty" enum:"none,final,failure,success,all"`
	Callback    string            `json:"status_callback,omitempty" doc:"URL that is told what became of the message"`
	ClientRef   string            `json:"client_ref,omitempty" maxLength:"64"`
	PID         int               `json:"tp_pid,omitempty" minimum:"0" maximum:"255"`
	Priority    int               `json:"priority,omitempty" minimum:"0" maximum:"3"`
	ReplyPath   bool              `json:"reply_path,omitempty"`
	Replace     bool              `json:"replace_if_present,omitempty"`
	SourceTON   int               `json:"source_ton,omitempty"`
	SourceNPI   int               `json:"source_npi,omitempty"`
	DestTON     int               `json:"dest_ton,omitempty"`
	DestNPI     int               `json:"dest_npi,omitempty"`
	SourceType  string            `json:"source_type,omitempty" enum:"SIP,IMS,SMPP,HTTP,CS"`
}

// MessageRow is a row of example 2. It is exported because others embed it, and
// the document leaves out what it cannot see.
type MessageRow struct {
	ID          uint64  `json:"id"`
	Source      string  `json:"source_msisdn"`
	Destination string  `json:"destination_msisdn"`
	Body        string  `json:"message_body"`
	DestSMSC    *string `json:"dest_smsc"`
	DeliverTime *string `json:"deliver_time" format:"date-time"`
	Attempts    int     `json:"delivery_attempts"`
	Expires     string  `json:"expires" format:"date-time"`
	Inserted    string  `json:"inserted_at" format:"date-time"`
}

// postedDoc is example 1.
type postedDoc struct {
	Status string     `json:"status" enum:"success"`
	Data   MessageRow `json:"data"`
}

// polledDoc is example 3.
type polledDoc struct {
	Status string      `json:"status" enum:"success"`
	Data   []queuedDoc `json:"data"`
}

type queuedDoc struct {
	ID          uint64  `json:"id"`
	Source      string  `json:"source_msisdn"`
	Destination string  `json:"destination_msisdn"`
	Body        string  `json:"message_body"`
	DestSMSC    *string `json:"destination_smsc"`
	Attempts    int     `json:"delivery_attempts"`
}

// fullDoc is example 5.
type fullDoc struct {
	MessageRow
	After       *string           `json:"deliver_after" format:"date-time"`
	Status      string            `json:"status" enum:"queued,scheduled,retrying,sending,sent,delivered,failed,expired,cancelled,dropped"`
	SID         string            `json:"sid"`
	Account     string            `json:"account,omitempty"`
	Kind        string            `json:"kind" enum:"message,receipt"`
	SourceSMSC  string            `json:"source_smsc"`
	SourceType  string            `json:"source_type"`
	Charset     string            `json:"tp_dcs_character_set"`
	Group       string            `json:"tp_dcs_coding_group"`
	UDH         map[string]string `json:"tp_user_data_header"`
	Deadletter  bool              `json:"deadletter"`
	Encoding    string            `json:"encoding" enum:"gsm7,8bit,ucs2,opaque"`
	Parts       int               `json:"parts"`
	Cost        string            `json:"cost,omitempty"`
	CostUnit    string            `json:"cost_unit,omitempty"`
	Report      string            `json:"status_report"`
	ClientRef   *string           `json:"client_ref,omitempty"`
	Link        *string           `json:"link"`
	Route       *int              `json:"route"`
	Cause       *string           `json:"cause"`
	Detail      *string           `json:"detail"`
	Remotes     []string          `json:"remote_ids"`
	Delivered   *string           `json:"delivered_at" format:"date-time"`
	LastAttempt *string           `json:"last_attempt_at" format:"date-time"`
	Done        *string           `json:"done_at" format:"date-time"`
	Leased      *string           `json:"leased_until" format:"date-time"`
	SourceE164  string            `json:"source_e164,omitempty" doc:"Normal form, by which routing went"`
	DestE164    string            `json:"destination_e164,omitempty"`
}

// attemptedDoc begins as example 4.
type attemptedDoc struct {
	ID          uint64  `json:"id"`
	Attempts    int     `json:"delivery_attempts"`
	After       *string `json:"deliver_after" format:"date-time"`
	DeliverTime *string `json:"deliver_time" format:"date-time"`
	Expires     string  `json:"expires" format:"date-time"`
}

// changeDoc is the body of PATCH; every field of messageDoc but source_smsc
// and account may stand in it too.
type changeDoc struct {
	Status     string  `json:"status,omitempty" enum:"delivered,sent,failed,queued,cancelled"`
	Delivered  *string `json:"delivered_at,omitempty" format:"date-time"`
	RemoteID   string  `json:"remote_id,omitempty"`
	Cause      string  `json:"cause,omitempty"`
	Detail     string  `json:"detail,omitempty"`
	DestSMSC   *string `json:"dest_smsc,omitempty"`
	Deadletter bool    `json:"deadletter,omitempty"`
	Body       string  `json:"message_body,omitempty"`
}

// attemptDoc is the optional body of a failed attempt.
type attemptDoc struct {
	Cause  string `json:"cause,omitempty"`
	Detail string `json:"detail,omitempty"`
	After  int    `json:"after,omitempty" doc:"Seconds until the next attempt"`
}

type traceDoc struct {
	ID    uint64    `json:"id"`
	Steps []stepDoc `json:"steps"`
}

type stepDoc struct {
	At        string `json:"at" format:"date-time"`
	Step      string `json:"step"`
	Link      string `json:"link,omitempty"`
	Direction string `json:"direction,omitempty" enum:"in,out"`
	Summary   string `json:"summary"`
	Result    string `json:"result,omitempty"`
	AfterMS   int64  `json:"after_ms"`

	Raw []rawDoc `json:"raw,omitempty" doc:"What went over the wire, while it is remembered; for admins"`
}

type rawDoc struct {
	At       string `json:"at" format:"date-time"`
	Protocol string `json:"protocol" enum:"smpp,sip,http"`
	Octets   int    `json:"octets" doc:"Of all there were; the first 4096 are here"`
	Text     string `json:"text,omitempty"`
	Hex      string `json:"hex,omitempty" doc:"In the place of text, where they are none"`
}

type receiptDoc struct {
	ID        uint64  `json:"id"`
	MessageID uint64  `json:"message_id"`
	ClientRef *string `json:"client_ref"`
	Status    string  `json:"status"`
	Cause     *string `json:"cause"`
	Error     string  `json:"error"`
	Parts     int     `json:"parts"`
	Submitted *string `json:"submitted_at" format:"date-time"`
	Done      *string `json:"done_at" format:"date-time"`
	RemoteID  *string `json:"remote_id"`
	Inserted  string  `json:"inserted_at" format:"date-time"`
}

// linkDoc is a declared link; the settings of its kind stand beside these.
type linkDoc struct {
	Name    string     `json:"name"`
	Account string     `json:"account,omitempty"`
	Kind    string     `json:"kind"`
	State   *LinkState `json:"state"`
}

// problemDoc is every error answer (RFC 9457).
type problemDoc struct {
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Status    int        `json:"status"`
	Code      string     `json:"code"`
	Detail    string     `json:"detail,omitempty"`
	Cause     string     `json:"cause,omitempty"`
	Permanent bool       `json:"permanent"`
	RequestID string     `json:"request_id"`
	Errors    []faultDoc `json:"errors,omitempty"`
}

type faultDoc struct {
	Location string `json:"location"`
	Message  string `json:"message"`
	Line     int    `json:"line,omitempty"`
}
