package translate

import (
	"strconv"

	"smsc/message"
)

// Values of TP-ST (TS 23.040 §9.2.3.15).
const (
	stReceived     = 0x00
	stForwarded    = 0x01 // but the SC cannot confirm delivery
	stStillTrying  = 0x30
	stError        = 0x40 // remote procedure error
	stIncompatible = 0x41
	stRejected     = 0x42
	stNotObtained  = 0x43
	stExpired      = 0x46
	stDeletedBySME = 0x47
	stDeletedBySC  = 0x48
	stUnknown      = 0x49 // the SM does not exist
	stCongestion   = 0x60
	stBusy         = 0x61
	stNoResponse   = 0x62
	stSMEError     = 0x65
)

// TPStatus returns the TP-ST that says about (spec ims §5.1). final is false
// for a state that is no end: of those no status report is sent, since phones
// show them as one. A message that the operator, not its sender, cancelled is
// 0x48, which about cannot tell.
func TPStatus(about *message.About) (st uint8, final bool) {
	switch about.Phase {
	case message.Done:
		if about.Word == StatAccepted {
			return stForwarded, true
		}
		return stReceived, true
	case message.Expired:
		switch about.Word {
		case StatAccepted:
			return stForwarded, true
		case StatUnknown:
			return stUnknown, true
		}
		return stExpired, true
	case message.Cancelled:
		return stDeletedBySME, true
	case message.Dropped:
		if about.Word == StatDelivered { // an automatic reply spoke for the recipient
			return stReceived, true
		}
		return stRejected, true
	case message.Failed:
		if about.Word == StatRejected {
			return stRejected, true
		}
		return failedStatus(about.Cause), true
	}
	return stStillTrying, false
}

func failedStatus(c message.Cause) uint8 {
	switch c {
	case message.UnknownNumber:
		return stNotObtained
	case message.Barred, message.NoCredit, message.Unauthorised:
		return stRejected
	case message.BadContent, message.TooLarge:
		return stIncompatible
	case message.Absent, message.Timeout:
		return stNoResponse
	case message.MemoryFull:
		return stSMEError
	case message.Throttled, message.Congested:
		return stCongestion
	case message.TimeExpired:
		return stExpired
	}
	return stError
}

// OutcomeOfTPStatus reads the TP-ST of a peer's STATUS-REPORT (spec ims §5.1):
// Relayed while its service centre still tries.
func OutcomeOfTPStatus(st uint8) message.Outcome {
	o := message.Outcome{Result: message.Refused, Word: StatUndeliv, Detail: "TP-ST " + strconv.FormatUint(uint64(st), 16)}
	switch {
	case st == stForwarded:
		o.Result, o.Word = message.Delivered, StatAccepted
	case st < 0x20:
		o.Result, o.Word = message.Delivered, StatDelivered
	case st < 0x40:
		o.Result, o.Word = message.Relayed, StatEnroute
	case st == stExpired:
		o.Cause, o.Word = message.TimeExpired, StatExpired
	case st == stDeletedBySME, st == stDeletedBySC:
		o.Cause, o.Word = message.Barred, StatDeleted
	case st == stUnknown:
		o.Cause, o.Word = message.Internal, StatUnknown
	default:
		o.Cause = failedCause(st)
		if o.Cause == message.Barred {
			o.Word = StatRejected
		}
	}
	return o
}

// failedCause reads the failures: permanent ones, temporary ones with the
// service centre giving up (0x60), reserved ones as "service rejected".
func failedCause(st uint8) message.Cause {
	switch st {
	case stIncompatible:
		return message.BadContent
	case stNotObtained:
		return message.UnknownNumber
	case stError, 0x45: // no interworking
		return message.Internal
	case stCongestion:
		return message.Congested
	case stBusy:
		return message.Throttled
	case stNoResponse:
		return message.Absent
	case stSMEError:
		return message.MemoryFull
	}
	return message.Barred
}
