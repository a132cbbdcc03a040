package tenant

import "smsc/routing"

// LinkKind names what stands at the other end of a link.
type LinkKind string

const (
	KindSIP      LinkKind = "sip"       // a SIP peer
	KindIMS      LinkKind = "ims"       // an IMS core
	KindSIPUsers LinkKind = "sip-users" // users that REGISTER with us
	KindESME     LinkKind = "esme"      // binds to us
	KindCarrier  LinkKind = "carrier"   // we bind to it
	KindPoll     LinkKind = "poll"      // a queue polled over REST
	KindWebhook  LinkKind = "webhook"   // HTTP push
)

// Link is a named way in or out. Exactly the settings of its kind are set.
type Link struct {
	Name    string
	Account string // owner
	Kind    LinkKind
	Shared  bool // accounts below the owner may route to it

	Numbering  *Numbering          // of what comes by it; nil: the account's
	RewriteIn  routing.Translation // of what comes by it, after the number plan
	RewriteOut routing.Translation // of what leaves by it

	SIP      *SIP
	IMS      *IMS
	SIPUsers *SIPUsers
	ESME     *ESME
	Carrier  *Carrier
	Webhook  *Webhook
}

// SIP is a SIP peer (spec sip, head).
type SIP struct {
	URI        string   `yaml:"uri,omitempty"`
	From       []string `yaml:"from,omitempty"` // address prefixes whose requests are this link's
	User       string   `yaml:"user,omitempty"`
	Password   string   `yaml:"password,omitempty"`
	Dialect    string   `yaml:"dialect,omitempty"`  // restcomm | cpim
	Long       string   `yaml:"long,omitempty"`     // join | split
	Receipts   string   `yaml:"receipts,omitempty"` // text | imdn | none
	Reports    bool     `yaml:"reports,omitempty"`  // a 202 of this peer is followed by a receipt
	Window     int      `yaml:"window,omitempty"`
	Throughput int      `yaml:"throughput,omitempty"`
	Keepalive  Duration `yaml:"keepalive,omitempty"`
	Mode       string   `yaml:"mode,omitempty"` // store | transaction | datagram
	Limits     Limits   `yaml:"limits,omitempty"`
	TLSCA      string   `yaml:"tls_ca,omitempty"` // file of the authorities that sign the peer's certificate; "": the system's
}

// IMS is an IMS core (spec ims).
type IMS struct {
	URI         string   `yaml:"uri,omitempty"`
	From        []string `yaml:"from,omitempty"`
	SMSCAddress string   `yaml:"smsc_address,omitempty"`
	Serves      []string `yaml:"serves,omitempty"` // called numbers, exact or "prefix*"
	Identity    string   `yaml:"identity,omitempty"`
	Domain      string   `yaml:"domain,omitempty"`
	ReportWait  Duration `yaml:"report_wait,omitempty"`
	RegEvent    bool     `yaml:"reg_event,omitempty"`
	Window      int      `yaml:"window,omitempty"` // RP transactions in flight
	Throughput  int      `yaml:"throughput,omitempty"`
}

// SIPUsers are softphones and UEs that register with us (spec sip §11).
type SIPUsers struct {
	Users      []User `yaml:"users,omitempty"`
	Window     int    `yaml:"window,omitempty"`
	Throughput int    `yaml:"throughput,omitempty"`
	Mode       string `yaml:"mode,omitempty"`
	Receipts   string `yaml:"receipts,omitempty"`
}

// User is one of SIPUsers.
type User struct {
	AOR      string `yaml:"aor"`
	Password string `yaml:"password,omitempty"`
	MSISDN   string `yaml:"msisdn,omitempty"`
}

// ESME binds to us (spec smpp §2).
type ESME struct {
	SystemID         string            `yaml:"system_id"`
	Password         string            `yaml:"password,omitempty"`
	From             []string          `yaml:"from,omitempty"`
	Binds            int               `yaml:"binds,omitempty"`
	Window           int               `yaml:"window,omitempty"`
	Alphabet         string            `yaml:"alphabet,omitempty"` // gsm7 | latin1 | ascii | utf8
	MinLength        int               `yaml:"min_length,omitempty"`
	MaxLength        int               `yaml:"max_length,omitempty"`
	Limits           Limits            `yaml:"limits,omitempty"`
	EnquireLink      Duration          `yaml:"enquire_link,omitempty"`
	ResponseTimeout  Duration          `yaml:"response_timeout,omitempty"`
	Inactivity       Duration          `yaml:"inactivity,omitempty"`
	Long             string            `yaml:"long,omitempty"` // udh | sar | payload
	MultipartReceipt string            `yaml:"multipart_receipts,omitempty"`
	DefaultSource    string            `yaml:"default_source,omitempty"`
	TONNPI           map[string]string `yaml:"ton_npi,omitempty"`
	StatusMap        map[string]string `yaml:"status_map,omitempty"`
	Outbind          *Outbind          `yaml:"outbind,omitempty"`
}

// Carrier is an SMSC that we bind to (spec smpp §2, §7).
type Carrier struct {
	Address         string            `yaml:"address"`
	SystemID        string            `yaml:"system_id"`
	Password        string            `yaml:"password,omitempty"`
	SystemType      string            `yaml:"system_type,omitempty"`
	Bind            string            `yaml:"bind,omitempty"` // transceiver | pair
	Binds           int               `yaml:"binds,omitempty"`
	Window          int               `yaml:"window,omitempty"`
	Throughput      int               `yaml:"throughput,omitempty"` // parts per second, delayed not refused; 0 none
	EnquireLink     Duration          `yaml:"enquire_link,omitempty"`
	ResponseTimeout Duration          `yaml:"response_timeout,omitempty"`
	TLS             bool              `yaml:"tls,omitempty"`
	TLSCA           string            `yaml:"tls_ca,omitempty"`
	TLSName         string            `yaml:"tls_name,omitempty"`
	Alphabet        string            `yaml:"alphabet,omitempty"`
	Long            string            `yaml:"long,omitempty"`
	Reports         bool              `yaml:"reports"`
	TONNPI          map[string]string `yaml:"ton_npi,omitempty"`
	TLVs            any               `yaml:"tlvs,omitempty"` // standard | all | none | list of tags
	StatusMap       map[string]string `yaml:"status_map,omitempty"`
	Outbind         *Outbind          `yaml:"outbind,omitempty"`
}

// Outbind is how a centre asks an ESME to bind (SMPP 3.4 §2.2.1).
type Outbind struct {
	Address  string `yaml:"address,omitempty"`
	SystemID string `yaml:"system_id,omitempty"`
	Password string `yaml:"password,omitempty"`
}

// Webhook is HTTP push (spec rest §7).
type Webhook struct {
	URL         string   `yaml:"url"`
	Secret      string   `yaml:"secret,omitempty"`
	FailoverURL string   `yaml:"failover_url,omitempty"`
	Timeout     Duration `yaml:"timeout,omitempty"`
	Window      int      `yaml:"window,omitempty"`
	Events      []string `yaml:"events,omitempty"`
}

// Source returns the source_type of messages that come by links of kind k.
func (k LinkKind) Source() string {
	switch k {
	case KindSIP, KindSIPUsers:
		return "SIP"
	case KindIMS:
		return "IMS"
	case KindESME, KindCarrier:
		return "SMPP"
	}
	return "HTTP"
}
