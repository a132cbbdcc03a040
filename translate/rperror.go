package translate

import (
	"errors"
	"strconv"
	"time"

	"smsc/message"
)

// RP causes that are written here (TS 24.011 §8.2.5.4).
const (
	RPTransferRejected       = 21
	RPMemoryExceeded         = 22
	RPUnknownSubscriber      = 30
	RPFacilityNotImplemented = 69
	RPInvalidReference       = 81
	RPSemanticallyIncorrect  = 95
	RPInvalidMandatory       = 96 // also what is cut off
	RPTypeNotImplemented     = 97
	RPNotCompatible          = 98
	RPProtocolError          = 111
)

// Values of TP-FCS (TS 23.040 §9.2.3.22).
const (
	FCSTelematic            = 0x80
	FCSAlphabetNotSupported = 0x90
	FCSCommandUnsupported   = 0xA1
	FCSTPDUNotSupported     = 0xB0
	FCSBusy                 = 0xC0
	FCSNoSubscription       = 0xC1
	FCSSystemFailure        = 0xC2
	FCSInvalidAddress       = 0xC3
	FCSDestinationBarred    = 0xC4
	FCSDuplicate            = 0xC5
	FCSVPFNotSupported      = 0xC6
	FCSVPNotSupported       = 0xC7
	FCSSIMStorageFull       = 0xD0
	FCSNoSIMStorage         = 0xD1
	FCSErrorInMS            = 0xD2
	FCSMemoryExceeded       = 0xD3
	FCSSIMToolkitBusy       = 0xD4
	FCSDownloadError        = 0xD5
	FCSUnspecified          = 0xFF
)

// busyAgain is how long a phone is left alone whose SIM is busy, or that has
// our reference in use (spec ims §4.4).
const busyAgain = 30 * time.Second

// extensionBit of an RP cause octet says nothing (TS 24.011 §8.2.5.4).
const extensionBit = 0x80

// RPError says why an RPDU or TPDU of a phone is refused, in the numbers that
// the RP-ERROR bears (spec ims §3.3). Its message.Cause is BadContent.
type RPError struct {
	Cause uint8 // RP cause
	FCS   uint8 // TP-FCS; 0: the RP-ERROR carries no TPDU
	Text  string
}

func refusal(cause, fcs uint8, text string) *RPError {
	return &RPError{Cause: cause, FCS: fcs, Text: text}
}

func (e *RPError) Error() string { return e.Text }

// Unwrap lets message.CauseOf and message.TextOf read the error.
func (e *RPError) Unwrap() error { return message.Errorf(message.BadContent, "%s", e.Text) }

// FailureCause returns the TP-FCS that goes with RPCause(c), that of Internal
// where the Cause cannot happen at the door.
func FailureCause(c message.Cause) uint8 { return or(reasonOf(c).fcs, internal.fcs) }

// RPRefusal returns what the RP-ERROR says to a phone whose message is refused
// with err (spec ims §3.3): the numbers of an RPError, else those of its
// Cause. fcs 0 is no TPDU. Content that could be read and was refused at the
// door is 21: only an alphabet that nobody can read is 69. Two finer cases are
// the caller's: a barred sender is 8, one that nobody knows 28.
func RPRefusal(err error) (cause, fcs uint8) {
	var e *RPError
	if errors.As(err, &e) {
		return e.Cause, e.FCS
	}
	c := message.CauseOf(err)
	if c == message.BadContent {
		return RPTransferRejected, FCSUnspecified
	}
	return RPCause(c), FailureCause(c)
}

// OutcomeOfRPError reads a phone's RP-ERROR about a message of ours (spec ims
// §4.4). fcs is the TP-FCS of its DELIVER-REPORT, 0 where there was none.
func OutcomeOfRPError(cause, fcs uint8) message.Outcome {
	o := message.Outcome{Result: message.Deferred, Detail: "RP-ERROR " + strconv.Itoa(int(cause&^extensionBit))}
	if fcs != 0 {
		o.Detail += " TP-FCS " + strconv.FormatUint(uint64(fcs), 16)
	}
	switch cause &^= extensionBit; {
	case cause == RPMemoryExceeded, fcs == FCSSIMStorageFull, fcs == FCSNoSIMStorage, fcs == FCSMemoryExceeded:
		o.Cause = message.MemoryFull
	case cause == RPNotCompatible, fcs == FCSSIMToolkitBusy:
		o.Cause, o.After = message.Throttled, busyAgain
	case cause == RPInvalidReference:
		o.Cause, o.After = message.Internal, busyAgain
	default:
		o.Result, o.Cause = message.Refused, message.BadContent
	}
	return o
}
