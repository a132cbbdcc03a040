package main

import (
	"context"
	"time"

	"smsc/delivery"
	"smsc/intake"
	"smsc/message"
	"smsc/sip"
	"smsc/tenant"
)

// defaultWindow is how many messages may be in flight on a link that says
// nothing of its window.
const defaultWindow = 100

const (
	callbackWindow  = 200              // requests to URLs of numbers and senders at once
	callbackTimeout = 90 * time.Second // a URL, its fallback, and what their answers lead to
)

// lanes gives each link of d its lane.
func (h *house) lanes(d *tenant.Directory) []delivery.Lane {
	var all []delivery.Lane
	for _, l := range d.Links() {
		lane := delivery.Lane{Name: l.Name, Kind: string(l.Kind)}
		switch l.Kind {
		case tenant.KindSIP:
			lane.Courier = h.sip
			lane.Window, lane.Throughput = l.SIP.Window, l.SIP.Throughput
			lane.Serial = true              // RFC 3428 §8: one pending MESSAGE for each URI
			lane.Timeout = 40 * time.Second // timer F, and a challenge before it
		case tenant.KindSIPUsers:
			lane.Courier = h.sip
			lane.Window, lane.Throughput = l.SIPUsers.Window, l.SIPUsers.Throughput
			lane.Serial = true
			lane.Timeout = 40 * time.Second
		case tenant.KindIMS:
			h.coreLane(l, &lane)
		case tenant.KindESME:
			lane.Courier = h.smpp
			lane.Window = max(l.ESME.Window, 1) * max(l.ESME.Binds, 1)
			lane.Room = func() int { return h.smpp.Window(l.Name) }
			lane.Timeout = time.Duration(l.ESME.ResponseTimeout)
		case tenant.KindCarrier:
			lane.Courier = h.smpp
			lane.Window, lane.Throughput = max(l.Carrier.Window, 1)*max(l.Carrier.Binds, 1), l.Carrier.Throughput
			lane.Room = func() int { return h.smpp.Window(l.Name) }
			lane.Timeout = time.Duration(l.Carrier.ResponseTimeout)
		case tenant.KindWebhook:
			lane.Courier, lane.Window = h.rest, l.Webhook.Window
			lane.Serial = true                                              // in order for each recipient
			lane.Timeout = 2*time.Duration(l.Webhook.Timeout) + time.Second // the second URL is tried at once
		case tenant.KindPoll: // no courier: messages wait to be taken
		default:
			// Nothing opens this lane, so its messages wait and live as long as
			// they are valid.
			lane.Courier = absent{}
		}
		if lane.Window == 0 {
			lane.Window = defaultWindow
		}
		if lane.Courier != nil {
			lane.Courier = seenOut{lane.Courier, h.intake}
		}
		all = append(all, lane)
	}
	// The URLs of hosted numbers and of senders who want to be called back.
	return append(all, delivery.Lane{Name: tenant.Callback, Kind: string(tenant.KindWebhook), Courier: h.rest, Window: callbackWindow,
		Serial: true, Timeout: callbackTimeout})
}

// coreLane is the lane of an IMS core: one transaction at a time for each
// subscriber, whatever number is called (TS 24.011 §6). A phone that says
// nothing about one message may well take the next.
func (h *house) coreLane(l *tenant.Link, lane *delivery.Lane) {
	lane.Courier, lane.Window, lane.Throughput = h.sip, l.IMS.Window, l.IMS.Throughput
	lane.Serial, lane.Onward = true, true
	lane.Recipient = func(to string) string { return h.sip.Recipient(l.Name, to) }
	lane.Timeout = sip.CoreTimeout
}

// openURLs opens the lanes of what needs no connection.
func (h *house) openURLs(d *tenant.Directory) {
	for _, l := range d.Links() {
		if l.Kind == tenant.KindWebhook {
			h.engine.Link(l.Name, true)
		}
	}
	h.engine.Link(tenant.Callback, true)
}

// absent is the courier of links that this version does not carry.
type absent struct{}

func (absent) Deliver(_ context.Context, _ message.Attempt, done func(message.Outcome)) {
	done(message.Outcome{Result: message.Deferred, Cause: message.Congested, Detail: "links of this kind are not carried by this version"})
}

// seenOut tells the door what leaves, so that it knows a circle of houses.
type seenOut struct {
	message.Courier
	door *intake.Intake
}

func (c seenOut) Deliver(ctx context.Context, a message.Attempt, done func(message.Outcome)) {
	c.door.Left(a.Link, a.Message)
	c.Courier.Deliver(ctx, a, done)
}
