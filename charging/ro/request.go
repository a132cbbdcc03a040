package ro

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"

	"smsc/message"
)

// action is a Requested-Action (RFC 8506 §8.41).
type action int32

const (
	directDebiting action = 0
	refundAccount  action = 1
	checkBalance   action = 2
)

const (
	eventRequest     = 4 // CC-Request-Type (RFC 8506 §8.3)
	endUserE164      = 0 // Subscription-Id-Type (RFC 8506 §8.47)
	endUserPrivate   = 4
	serviceMessages  = 1 // Service-Identifier: one service, messages
	typeSubmission   = 0 // SM-Message-Type of TS 32.299
	addressMSISDN    = 1 // Address-Type of TS 32.299
	addressOther     = 6
	vendorMandatory  = avp.Vbit | avp.Mbit
	dcsOctets        = 0x04 // TS 23.038 §4
	dcsUCS2          = 0x08
	sessionDebit     = "d"
	sessionRefund    = "r"
	sessionAuthorise = "a"
	sessionPartial   = "p"
)

// session names one request for ever (RFC 6733 §8.8): the same bill has the
// same, so that a repeat is known also after a restart of ours.
func (c *Client) session(b message.Bill, what string) string {
	return strings.Join([]string{c.cfg.OriginHost, strconv.FormatUint(uint64(b.ID)>>32, 10), strconv.FormatUint(uint64(b.ID)&0xffffffff, 10),
		strconv.Itoa(int(b.Life)) + what}, ";")
}

// request is a CCR of one event (RFC 8506 §3.1).
func (c *Client) request(a action, session string, b message.Bill, units uint8) *diam.Message {
	digest := fnv.New32a()
	_, _ = digest.Write([]byte(session))
	m := diam.NewMessage(diam.CreditControl, diam.RequestFlag|diam.ProxiableFlag, creditAppID, 0, digest.Sum32(), dict.Default)
	add := func(code uint32, data datatype.Type) { m.AddAVP(diam.NewAVP(code, avp.Mbit, 0, data)) }
	add(avp.SessionID, datatype.UTF8String(session))
	add(avp.OriginHost, datatype.DiameterIdentity(c.cfg.OriginHost))
	add(avp.OriginRealm, datatype.DiameterIdentity(c.cfg.OriginRealm))
	add(avp.DestinationRealm, datatype.DiameterIdentity(c.cfg.DestinationRealm))
	if c.cfg.DestinationHost != "" {
		add(avp.DestinationHost, datatype.DiameterIdentity(c.cfg.DestinationHost))
	}
	add(avp.AuthApplicationID, datatype.Unsigned32(creditAppID))
	add(avp.ServiceContextID, datatype.UTF8String(c.cfg.ServiceContext))
	add(avp.CCRequestType, datatype.Enumerated(eventRequest))
	add(avp.CCRequestNumber, datatype.Unsigned32(0))
	add(avp.UserName, datatype.UTF8String(b.Payer))
	add(avp.EventTimestamp, datatype.Time(b.At.Truncate(time.Second)))
	m.AddAVP(subscription(b.Payer))
	add(avp.RequestedAction, datatype.Enumerated(a))
	m.AddAVP(group(avp.MultipleServicesCreditControl, 0,
		group(avp.RequestedServiceUnit, 0, diam.NewAVP(avp.CCServiceSpecificUnits, avp.Mbit, 0, datatype.Unsigned64(units))),
		diam.NewAVP(avp.ServiceIdentifier, avp.Mbit, 0, datatype.Unsigned32(serviceMessages))))
	m.AddAVP(service(b))
	return m
}

func group(code uint32, vendor uint32, members ...*diam.AVP) *diam.AVP {
	flags := uint8(avp.Mbit)
	if vendor != 0 {
		flags = vendorMandatory
	}
	return diam.NewAVP(code, flags, vendor, &diam.GroupedAVP{AVP: members})
}

func of3GPP(code uint32, data datatype.Type) *diam.AVP {
	return diam.NewAVP(code, vendorMandatory, vendor3GPP, data)
}

// subscription says who pays (RFC 8506 §8.46).
func subscription(payer string) *diam.AVP {
	kind := endUserPrivate
	if (message.Address{Value: payer}).Form() == message.FormInternational {
		kind, payer = endUserE164, strings.TrimPrefix(payer, "+")
	}
	return group(avp.SubscriptionID, 0,
		diam.NewAVP(avp.SubscriptionIDType, avp.Mbit, 0, datatype.Enumerated(kind)),
		diam.NewAVP(avp.SubscriptionIDData, avp.Mbit, 0, datatype.UTF8String(payer)))
}

// service says what is paid for (TS 32.274, SMS-Information).
func service(b message.Bill) *diam.AVP {
	return group(avp.ServiceInformation, vendor3GPP, group(avp.SMSInformation, vendor3GPP,
		of3GPP(avp.SMMessageType, datatype.Enumerated(typeSubmission)),
		of3GPP(avp.DataCodingScheme, datatype.Integer32(dcs(&b.Body))),
		group(avp.OriginatorInterface, vendor3GPP,
			of3GPP(avp.InterfaceID, datatype.UTF8String(b.Source)), of3GPP(avp.InterfaceText, datatype.UTF8String(b.Source))),
		group(avp.RecipientInfo, vendor3GPP, address(avp.RecipientAddress, b.To)),
		address(avp.OriginatorReceivedAddress, b.From)))
}

func address(code uint32, a message.Address) *diam.AVP {
	kind := addressOther
	if a.Form() == message.FormInternational {
		kind = addressMSISDN
	}
	return group(code, vendor3GPP,
		of3GPP(avp.AddressType, datatype.Enumerated(kind)), of3GPP(avp.AddressData, datatype.UTF8String(a.Digits())))
}

// dcs is the data coding scheme of a body (TS 23.038 §4).
func dcs(b *message.Body) uint8 {
	switch {
	case b.HasDCS:
		return b.DCS
	case b.Coding == message.UCS2:
		return dcsUCS2
	case b.Coding == message.GSM7:
		return 0
	}
	return dcsOctets
}
