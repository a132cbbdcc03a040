package restapi

import (
	"strconv"

	"smsc/message"
)

// view is the form of a message in an answer. The order, names and nulls of
// the compatible ones are those of the published examples (spec rest §2.2).
type view uint8

const (
	viewPost    view = iota // example 1
	viewList                // example 2
	viewGet                 // example 3, get_by_smsc
	viewAttempt             // example 4, then the rest of the full view
	viewFull                // example 5, then every other field that is set
)

// shape reads view and envelope, which override the shape of an endpoint.
func (c *call) shape(v view, envelope bool) (view, bool, error) {
	if c.query == nil {
		return v, envelope, nil
	}
	switch c.query.Get("view") {
	case "":
	case "full":
		v = viewFull
	case "compat":
		if v == viewFull || v == viewAttempt {
			v = viewPost
		}
	default:
		return v, envelope, invalid("query.view", "must be compat or full")
	}
	switch c.query.Get("envelope") {
	case "":
	case "data":
		envelope = true
	case "none":
		envelope = false
	default:
		return v, envelope, invalid("query.envelope", "must be data or none")
	}
	return v, envelope, nil
}

func (c *call) openEnvelope(dst []byte, envelope bool) []byte {
	if envelope {
		dst = append(dst, `{"status":"success","data":`...)
	}
	return dst
}

func (c *call) closeEnvelope(dst []byte, envelope bool) []byte {
	if envelope {
		dst = append(dst, '}')
	}
	return dst
}

// appendRow writes r in the form v; dest is its dest_smsc, "" for null.
func (c *call) appendRow(dst []byte, r message.Record, v view, dest string) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendUint(dst, uint64(r.Message.ID), 10)
	if v == viewAttempt {
		return append(c.appendAttempt(dst, r, dest), '}')
	}
	dst = append(dst, `,"source_msisdn":`...)
	dst = appendString(dst, r.Message.From.Shown())
	dst = append(dst, `,"destination_msisdn":`...)
	dst = appendString(dst, r.Message.To.Shown())
	raw := false
	switch v {
	case viewGet:
		dst = append(dst, `,"message_body":`...)
		dst, raw = appendText(dst, r.Message)
		dst = append(dst, `,"destination_smsc":`...)
		dst = appendStringOrNull(dst, dest)
		dst = append(dst, `,"delivery_attempts":`...)
		dst = strconv.AppendUint(dst, uint64(r.State.Rounds), 10)
	case viewList:
		dst = append(dst, `,"message_body":`...)
		dst, raw = appendText(dst, r.Message)
		dst = append(dst, `,"dest_smsc":`...)
		dst = appendStringOrNull(dst, dest)
		dst = appendTimes(dst, r)
	default:
		dst = append(dst, `,"dest_smsc":`...)
		dst = appendStringOrNull(dst, dest)
		dst = append(dst, `,"message_body":`...)
		dst, raw = appendText(dst, r.Message)
		dst = appendTimes(dst, r)
	}
	switch v {
	case viewList, viewGet:
		dst = appendContentIfSet(dst, r, raw)
		if lease := leasedUntil(r); !lease.IsZero() {
			dst = append(dst, `,"leased_until":`...)
			dst = appendTime(dst, lease)
		}
	case viewFull:
		dst = append(dst, `,"deliver_after":`...)
		dst = appendTime(dst, deliverAfter(r))
		dst = c.appendFull(dst, r)
		dst = appendNormal(appendRest(dst, r, raw), r.Message)
	}
	return append(dst, '}')
}

// appendAttempt writes example 4, then what is left of the full view.
func (c *call) appendAttempt(dst []byte, r message.Record, dest string) []byte {
	dst = append(dst, `,"delivery_attempts":`...)
	dst = strconv.AppendUint(dst, uint64(r.State.Rounds), 10)
	dst = append(dst, `,"deliver_after":`...)
	dst = appendTime(dst, deliverAfter(r))
	dst = append(dst, `,"deliver_time":`...)
	dst = appendTime(dst, deliverTime(r))
	dst = append(dst, `,"expires":`...)
	dst = appendTime(dst, r.Message.Expires)
	dst = append(dst, `,"source_msisdn":`...)
	dst = appendString(dst, r.Message.From.Shown())
	dst = append(dst, `,"destination_msisdn":`...)
	dst = appendString(dst, r.Message.To.Shown())
	dst = append(dst, `,"dest_smsc":`...)
	dst = appendStringOrNull(dst, dest)
	dst = append(dst, `,"message_body":`...)
	dst, raw := appendText(dst, r.Message)
	dst = append(dst, `,"inserted_at":`...)
	dst = appendTime(dst, r.Message.Accepted)
	dst = c.appendFull(dst, r)
	return appendNormal(appendRest(dst, r, raw), r.Message)
}
