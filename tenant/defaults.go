package tenant

import (
	"time"

	"smsc/routing"
)

// NewAccount returns an account with every default.
func NewAccount() Account {
	return Account{Parent: Operator, Status: Active, Charged: "default"}
}

// NewRoute returns a route with every default.
func NewRoute() routing.Route {
	return routing.Route{Account: Operator, Priority: 100, Weight: 100, Charged: "default", Enabled: true}
}

// NewRule returns a rule with every default.
func NewRule() routing.Rule {
	return routing.Rule{Account: Operator, On: "arrival", Priority: 100, Enabled: true}
}

// NewLink returns a link of that kind with every default; one of an unknown
// kind has no settings.
func NewLink(kind LinkKind) Link {
	l := Link{Account: Operator, Kind: kind}
	switch kind {
	case KindSIP:
		l.SIP = &SIP{Dialect: "restcomm", Long: "join", Receipts: "text", Window: 100,
			Keepalive: Duration(30 * time.Second), Mode: "store"}
	case KindIMS:
		l.IMS = &IMS{ReportWait: Duration(40 * time.Second), Window: 1000}
	case KindSIPUsers:
		l.SIPUsers = &SIPUsers{Window: 100, Mode: "store", Receipts: "text"}
	case KindESME:
		l.ESME = &ESME{Binds: 10, Window: 100, Alphabet: "gsm7", Long: "udh", MultipartReceipt: "each",
			EnquireLink: Duration(60 * time.Second), ResponseTimeout: Duration(30 * time.Second)}
	case KindCarrier:
		l.Carrier = &Carrier{Bind: "transceiver", Binds: 1, Window: 100, Alphabet: "gsm7", Long: "udh",
			EnquireLink: Duration(30 * time.Second), ResponseTimeout: Duration(30 * time.Second),
			Reports: true, TLVs: "standard"}
	case KindWebhook:
		l.Webhook = &Webhook{Timeout: Duration(10 * time.Second), Window: 100, Events: []string{"received", "status"}}
	}
	return l
}

// settings returns the pointer to the settings of the link's kind, nil for
// poll and for unknown kinds.
func (l *Link) settings() any {
	switch {
	case l.Kind == KindSIP && l.SIP != nil:
		return l.SIP
	case l.Kind == KindIMS && l.IMS != nil:
		return l.IMS
	case l.Kind == KindSIPUsers && l.SIPUsers != nil:
		return l.SIPUsers
	case l.Kind == KindESME && l.ESME != nil:
		return l.ESME
	case l.Kind == KindCarrier && l.Carrier != nil:
		return l.Carrier
	case l.Kind == KindWebhook && l.Webhook != nil:
		return l.Webhook
	}
	return nil
}

// fill gives what was left empty its default. A document made in Go need not
// name everything; in one that was read, the defaults were there before, and
// a zero is what somebody wrote.
func (d *Document) fill() {
	root := false
	for i := range d.Accounts {
		root = root || d.Accounts[i].Name == Operator
		d.Accounts[i].fill()
	}
	if !root {
		a := NewAccount()
		a.Name, a.Parent = Operator, ""
		// Behind the others, so that the indexes of faults stay those of the file.
		d.Accounts = append(d.Accounts, a)
	}
	for i := range d.Links {
		d.Links[i].Numbering.fill()
		d.Links[i].fillWords()
		if d.source == nil {
			d.Links[i].fillNumbers()
		}
	}
	for i := range d.Routes {
		or(&d.Routes[i].Account, Operator)
		or(&d.Routes[i].Charged, "default")
	}
	for i := range d.Rules {
		or(&d.Rules[i].Account, Operator)
		or(&d.Rules[i].On, "arrival")
	}
	for i := range d.Numbers {
		or(&d.Numbers[i].Account, Operator)
	}
}

func (a *Account) fill() {
	switch {
	case a.Name != Operator:
		or(&a.Parent, Operator)
	case a.Parent == Operator: // the default of all others
		a.Parent = ""
	}
	or(&a.Status, Active)
	or(&a.Charged, "default")
	for k := range a.Keys {
		or(&a.Keys[k].Role, Send)
	}
	a.Numbering.fill()
}

func (n *Numbering) fill() {
	if n == nil {
		return
	}
	or(&n.Bare, "international")
	if n.International == nil {
		n.International = []string{"00", "+"}
	}
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func (l *Link) fillWords() {
	or(&l.Account, Operator)
	def := NewLink(l.Kind)
	switch {
	case l.SIP != nil && def.SIP != nil:
		or(&l.SIP.Dialect, def.SIP.Dialect)
		or(&l.SIP.Long, def.SIP.Long)
		or(&l.SIP.Receipts, def.SIP.Receipts)
		or(&l.SIP.Mode, def.SIP.Mode)
	case l.SIPUsers != nil && def.SIPUsers != nil:
		or(&l.SIPUsers.Receipts, def.SIPUsers.Receipts)
		or(&l.SIPUsers.Mode, def.SIPUsers.Mode)
	case l.ESME != nil && def.ESME != nil:
		or(&l.ESME.Alphabet, def.ESME.Alphabet)
		or(&l.ESME.Long, def.ESME.Long)
		or(&l.ESME.MultipartReceipt, def.ESME.MultipartReceipt)
	case l.Carrier != nil && def.Carrier != nil:
		or(&l.Carrier.Bind, def.Carrier.Bind)
		or(&l.Carrier.Alphabet, def.Carrier.Alphabet)
		or(&l.Carrier.Long, def.Carrier.Long)
		if l.Carrier.TLVs == nil {
			l.Carrier.TLVs = def.Carrier.TLVs
		}
	case l.Webhook != nil && def.Webhook != nil && len(l.Webhook.Events) == 0:
		l.Webhook.Events = def.Webhook.Events
	}
}

// fillNumbers leaves alone those that may be 0.
func (l *Link) fillNumbers() {
	def := NewLink(l.Kind)
	switch {
	case l.SIP != nil && def.SIP != nil:
		or(&l.SIP.Window, def.SIP.Window)
	case l.IMS != nil && def.IMS != nil:
		or(&l.IMS.Window, def.IMS.Window)
		or(&l.IMS.ReportWait, def.IMS.ReportWait)
	case l.SIPUsers != nil && def.SIPUsers != nil:
		or(&l.SIPUsers.Window, def.SIPUsers.Window)
	case l.ESME != nil && def.ESME != nil:
		or(&l.ESME.Binds, def.ESME.Binds)
		or(&l.ESME.Window, def.ESME.Window)
		or(&l.ESME.ResponseTimeout, def.ESME.ResponseTimeout)
	case l.Carrier != nil && def.Carrier != nil:
		or(&l.Carrier.Binds, def.Carrier.Binds)
		or(&l.Carrier.Window, def.Carrier.Window)
		or(&l.Carrier.ResponseTimeout, def.Carrier.ResponseTimeout)
	case l.Webhook != nil && def.Webhook != nil:
		or(&l.Webhook.Window, def.Webhook.Window)
		or(&l.Webhook.Timeout, def.Webhook.Timeout)
	}
}
