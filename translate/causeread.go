package translate

import "smsc/message"

// verdict is what a number that a peer answers means for the attempt.
type verdict struct {
	result message.Result
	cause  message.Cause
}

func (v verdict) both() (message.Result, message.Cause) { return v.result, v.cause }

var (
	refusedNumber  = verdict{message.Refused, message.UnknownNumber}
	refusedBarred  = verdict{message.Refused, message.Barred}
	refusedContent = verdict{message.Refused, message.BadContent}
	refusedSize    = verdict{message.Refused, message.TooLarge}
	laterInternal  = verdict{message.Deferred, message.Internal}
	laterAbsent    = verdict{message.Deferred, message.Absent}
	laterFull      = verdict{message.Deferred, message.MemoryFull}
	laterThrottled = verdict{message.Deferred, message.Throttled}
	laterCongested = verdict{message.Deferred, message.Congested}
	laterTimeout   = verdict{message.Deferred, message.Timeout}
)

// CauseOfSMPP reads the command_status of an answer to our submit_sm or
// deliver_sm (spec smpp §16.1). ROK is Relayed: where the peer never reports,
// or is an ESME, the edge makes it Delivered. For 0xFE ask
// CauseOfFailureReason. A status that nobody knows is Deferred.
func CauseOfSMPP(status uint32) (message.Result, message.Cause) { return smppVerdict(status).both() }

func smppVerdict(status uint32) verdict {
	switch status {
	case statusOK:
		return verdict{message.Relayed, message.CauseNone}
	case statusInvMsgLen:
		return refusedSize
	case 0x04, // RINVBNDSTS: the session is bound again
		0x05, 0x0D, 0x0E, 0x0F, 0x53: // of a bind: the link is down
		return laterCongested
	case 0x0A, 0x48, 0x49: // source address
		return refusedBarred
	case statusInvDstAdr, 0x50, 0x51, // destination address
		0x33, 0x34, 0x40, 0x44: // of submit_multi
		return refusedNumber
	case statusMsgQFul:
		return laterCongested
	case 0x02, 0x03, 0x06, 0x07, 0x42, 0x54, 0x55, // the command, its fields
		0x0C, 0x11, 0x13, 0x67, // of query, cancel, replace
		0x15, 0x43, 0x61, 0x62, 0x63, // service type, esm_class, times, default message
		0xC0, 0xC1, 0xC2, 0xC3, 0xC4: // TLVs
		return refusedContent
	case statusSubmitFail, statusPermAppErr, statusRejectAppErr:
		return refusedBarred
	case statusThrottled:
		return laterThrottled
	case statusTempAppErr:
		return laterFull
	case statusDeliveryFailure:
		return laterAbsent
	}
	return smppLater(status)
}

// smppLater reads the statuses of SMPP 5.0 (§4.7.6) and of vendors.
func smppLater(status uint32) verdict {
	switch {
	case status == 0x100 || status == 0x101 || status == 0x103:
		return refusedBarred
	case status == 0x102:
		return laterCongested
	case status >= 0x104 && status <= 0x112:
		return refusedContent
	case status >= 0x400 && status <= 0x4FF:
		return refusedBarred
	}
	return laterInternal
}

// CauseOfFailureReason reads the delivery_failure_reason that came with
// status 0xFE; give 0 where there was none.
func CauseOfFailureReason(reason uint8) (message.Result, message.Cause) {
	switch reason {
	case 1:
		return refusedNumber.both()
	case 2:
		return refusedBarred.both()
	case 3:
		return laterTimeout.both()
	}
	return laterAbsent.both()
}

// CauseOfSIP reads the final answer to a MESSAGE of ours (spec sip §10.2).
// 202 is Relayed: where the peer never reports the edge makes it Delivered.
// What can be mended in the same attempt (a challenge, another form, another
// target) the edge has tried before. A number that is no final answer is
// silence.
func CauseOfSIP(status int) (message.Result, message.Cause) { return sipVerdict(status).both() }

func sipVerdict(status int) verdict {
	switch status {
	case 202:
		return verdict{message.Relayed, message.CauseNone}
	case 401, 407:
		return verdict{message.Deferred, message.Unauthorised}
	case 402:
		return verdict{message.Deferred, message.NoCredit}
	case 403, 603:
		return refusedBarred
	case 301, 404, 410, 484, 485, 604:
		return refusedNumber
	case 406, 415, 416, 488, 493, 606:
		return refusedContent
	case 413, 513:
		return refusedSize
	case 408, 504: // somebody downstream was silent; it may be there
		return verdict{message.Unsure, message.Timeout}
	case 405, 501, 421, 423, 476, 478, 481, 482, 483, 487, 491, 494:
		return laterInternal
	case 429: // we send no Referred-By, so only the HTTP one can be meant
		return laterThrottled
	case 430, 480, 486, 600:
		return laterAbsent
	case 503:
		return laterCongested
	}
	switch status / 100 {
	case 2:
		return verdict{message.Delivered, message.CauseNone}
	case 3:
		return laterAbsent
	case 4:
		return refusedContent
	case 5:
		return laterInternal
	case 6: // delivered but refused (RFC 3428 §7)
		return refusedBarred
	}
	return verdict{message.Unsure, message.Timeout}
}

// CauseOfRP reads the cause of an RP-ERROR (TS 24.011 §8.2.5.4, spec ims
// §3.3), without its extension bit; false for a number that is none of the
// table, which counts as "protocol error, unspecified".
func CauseOfRP(cause uint8) (message.Cause, bool) {
	switch cause {
	case 1:
		return message.UnknownNumber, true
	case 8, 10, 21:
		return message.Barred, true
	case 28, 30, 50:
		return message.Unauthorised, true
	case 22:
		return message.MemoryFull, true
	case 27, 29:
		return message.Absent, true
	case 38:
		return message.Internal, true
	case 41:
		return message.Timeout, true
	case 42:
		return message.Throttled, true
	case 47:
		return message.Congested, true
	case 69, 81, 95, 96, 97, 98, 99, 111, 127:
		return message.BadContent, true
	}
	return message.BadContent, false
}
