package charging

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"time"

	"smsc/message"
)

// kind is how a column is written.
type kind uint8

const (
	word   kind = iota // of ours: never needs a quote
	text               // of others: cleaned, quoted
	number             // a number in JSON
)

// column is one column: put appends its value, nothing where it is unknown or
// does not apply.
type column struct {
	name string
	kind kind
	put  func(dst []byte, v *view) []byte
}

// unknown is a column whose content only accesses know that are not here yet.
func unknown(dst []byte, _ *view) []byte { return dst }

// of returns the put of a column that is a string of the view.
func of(get func(v *view) string) func([]byte, *view) []byte {
	return func(dst []byte, v *view) []byte { return append(dst, get(v)...) }
}

// columns are those of version 1 (spec records §5), in their order.
var columns = [...]column{
	{"cdr_version", number, func(d []byte, _ *view) []byte { return strconv.AppendInt(d, Version, 10) }},
	{"record_id", word, appendRecordID},
	{"record_type", word, of((*view).recordType)},
	{"node", text, of(func(v *view) string { return v.meta.Node })},
	{"delivery_date", word, func(d []byte, v *view) []byte { return appendTime(d, v.at) }},
	{"submit_date", word, func(d []byte, v *view) []byte { return appendTime(d, v.m.Accepted) }},
	{"first_attempt_date", word, func(d []byte, v *view) []byte { return appendTime(d, v.s.First) }},
	{"schedule_date", word, func(d []byte, v *view) []byte { return appendTime(d, v.m.NotBefore) }},
	{"expiry_date", word, func(d []byte, v *view) []byte { return appendTime(d, v.m.Expires) }},

	{"addr_src_digits", text, of(func(v *view) string { return v.m.From.Digits() })},
	{"addr_src_ton", number, func(d []byte, v *view) []byte { return appendTON(d, &v.m.From) }},
	{"addr_src_npi", number, func(d []byte, v *view) []byte { return appendNPI(d, &v.m.From) }},
	{"addr_dst_digits", text, of(func(v *view) string { return v.m.To.Digits() })},
	{"addr_dst_ton", number, func(d []byte, v *view) []byte { return appendTON(d, &v.m.To) }},
	{"addr_dst_npi", number, func(d []byte, v *view) []byte { return appendNPI(d, &v.m.To) }},
	{"src_received", text, of(func(v *view) string { return v.m.From.Shown() })},
	{"dst_received", text, of(func(v *view) string { return v.m.To.Shown() })},
	{"src_sent", text, of(func(v *view) string { return v.left(v.try.From, &v.m.From) })},
	{"dst_sent", text, of(func(v *view) string { return v.left(v.try.To, &v.m.To) })},

	{"status", word, of((*view).status)},
	{"message_delivery_status", word, of((*view).deliveryStatus)},
	{"origination_type", word, of((*view).origination)},
	{"message_type", word, of((*view).messageType)},
	{"orig_system_id", text, of(func(v *view) string { return v.m.Origin.User })},
	{"message_id", number, func(d []byte, v *view) []byte {
		if v.meta.Type == TypeReject {
			return d
		}
		return strconv.AppendUint(d, uint64(v.m.ID), 10)
	}},
	{"dvl_message_id", text, appendRemotes},
	{"receipt_local_message_id", word, of((*view).reported)},
	{"nnn_digits", word, unknown},
	{"imsi", text, of(func(v *view) string { return v.meta.IMSI })},
	{"corr_id", word, unknown},
	{"originator_sccp_address", word, unknown},
	{"mt_service_center_address", text, of(func(v *view) string { return v.meta.Centre })},

	{"orig_network_id", text, of(func(v *view) string { return v.m.Arrival() })},
	{"network_id", text, of(func(v *view) string { return v.m.Account })},
	{"link_account", text, of(func(v *view) string { return v.meta.LinkAccount })},
	{"source_smsc", text, of(func(v *view) string { return v.m.Origin.Link })},
	{"source_type", word, of(func(v *view) string { return v.m.Origin.Type.String() })},
	{"dest_smsc", text, of(func(v *view) string { return v.s.Link })},
	{"dest_type", word, of(func(v *view) string { return v.meta.DestType })},
	{"route_id", text, func(d []byte, v *view) []byte {
		if v.try.Route > 0 {
			d = strconv.AppendInt(d, int64(v.try.Route), 10)
		}
		return d
	}},
	{"mproc_notes", text, of(func(v *view) string { return cmp.Or(v.meta.Notes, v.s.Notes) })},

	{"msg_parts", number, func(d []byte, v *view) []byte { return strconv.AppendInt(d, int64(v.parts()), 10) }},
	{"char_numbers", number, func(d []byte, v *view) []byte { return strconv.AppendInt(d, int64(v.content.characters), 10) }},
	{"processing_time", number, func(d []byte, v *view) []byte { return appendSpan(d, v.m.Accepted, v.at) }},
	{"schedule_delivery_delay", number, func(d []byte, v *view) []byte { return appendSpan(d, v.m.Accepted, v.m.NotBefore) }},
	{"delivery_count", number, func(d []byte, v *view) []byte { return strconv.AppendUint(d, uint64(v.s.Attempts), 10) }},
	{"message_part_processing_time", number, appendLastAttempt},
	{"data_coding", number, func(d []byte, v *view) []byte { return strconv.AppendUint(d, uint64(dataCoding(&v.m.Body)), 10) }},
	{"coding", word, of(func(v *view) string { return v.m.Body.Coding.String() })},
	{"message_class", number, func(d []byte, v *view) []byte {
		if c := v.m.Body.Class; c != message.ClassNone {
			d = strconv.AppendUint(d, uint64(c-message.Class0), 10)
		}
		return d
	}},
	{"udh", word, func(d []byte, v *view) []byte { return hex.AppendEncode(d, v.m.Body.UDH) }},
	{"octets", number, func(d []byte, v *view) []byte { return strconv.AppendInt(d, int64(v.content.octets), 10) }},
	{"first_20_characters", text, appendExcerpt},
	{"reason_for_failure", text, of((*view).failure)},
	{"delivery_receipt_message_status", text, of(func(v *view) string { return v.s.Last.Word })},
	{"delivery_receipt_message_state_tlv", number, func(d []byte, v *view) []byte { return append(d, states[v.s.Last.Word]...) }},
	{"delivery_receipt_message_err", text, of(func(v *view) string { return v.s.Last.Code })},

	{"cause", word, of(func(v *view) string { return v.cause().String() })},
	{"permanent", word, of((*view).permanent)},
	{"result", word, of((*view).result)},
	{"rounds", number, func(d []byte, v *view) []byte { return strconv.AppendUint(d, uint64(v.s.Rounds), 10) }},
	{"parts_delivered", number, func(d []byte, v *view) []byte { return strconv.AppendInt(d, int64(v.delivered()), 10) }},
	{"receipts_asked", word, of(func(v *view) string { return v.m.Wants.String() })},
	{"client_ref", text, of(func(v *view) string { return v.m.Origin.Handle })},
	{"priority", number, func(d []byte, v *view) []byte { return strconv.AppendUint(d, uint64(v.m.Priority), 10) }},
	{"service_type", text, of(func(v *view) string { return v.meta.ServiceType })},
	{"protocol_id", text, of(func(v *view) string { return v.meta.ProtocolID })},
	{"charged", word, of(func(v *view) string { return yes(v.m.Charged) })},
	{"charge_result", word, of(func(v *view) string { return or(v.meta.ChargeResult, "none") })},
	{"charge_ref", text, of(func(v *view) string { return v.meta.ChargeRef })},
	{"cost", word, of(func(v *view) string { return or(v.meta.Cost, "0") })},
	{"cost_unit", text, of(func(v *view) string { return v.meta.CostUnit })},
	{"peer", text, of(func(v *view) string { return v.m.Origin.Peer })},
	{"remote", text, of(func(v *view) string { return v.meta.Remote })},
}

// appendRecordID writes what names a record for ever: the message with the
// number of its end, and that of the attempt; or the moment of a refusal.
func appendRecordID(d []byte, v *view) []byte {
	id := v.m.ID
	if v.meta.Type == TypeReject {
		at := id.Time()
		d = strconv.AppendInt(append(d, 'r'), at.UnixMilli(), 10)
		return strconv.AppendUint(append(d, '-'), uint64(id-message.IDAt(at)), 10)
	}
	d = append(strconv.AppendUint(d, uint64(id), 10), '-')
	d = strconv.AppendInt(d, int64(v.meta.N), 10)
	if v.meta.Try > 0 {
		d = strconv.AppendInt(append(d, '.'), int64(v.meta.Try), 10)
	}
	return d
}

// appendTime writes RFC 3339 in UTC with milliseconds.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// appendSpan writes the milliseconds between two moments, 0 if the second is
// before the first, nothing if either is unknown.
func appendSpan(dst []byte, from, to time.Time) []byte {
	if from.IsZero() || to.IsZero() {
		return dst
	}
	return strconv.AppendInt(dst, max(to.Sub(from).Milliseconds(), 0), 10)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
