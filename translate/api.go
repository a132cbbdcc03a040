package translate

import (
	"time"

	"smsc/message"
)

// FitsGSM7 tells whether text can be written in the GSM 7-bit default
// alphabet with its extension table (TS 23.038 §6.2.1).
func FitsGSM7(text string) bool { panic("unfinished") }

// EncodeGSM7 appends text as septets, one an octet. When a character does
// not fit, ok is false, bad names it and dst is returned unchanged.
func EncodeGSM7(dst []byte, text string) (septets []byte, bad rune, ok bool) { panic("unfinished") }

// DecodeGSM7 reads septets, one an octet.
func DecodeGSM7(septets []byte) string { panic("unfinished") }

// PackGSM7 appends septets packed eight in seven octets, after fill bits
// (0 to 6) that align them to a user data header.
func PackGSM7(dst, septets []byte, fill int) []byte { panic("unfinished") }

// UnpackGSM7 appends n septets, one an octet, from packed octets whose first
// fill bits are skipped; false when there are not so many.
func UnpackGSM7(dst, packed []byte, fill, n int) ([]byte, bool) { panic("unfinished") }

// EncodeUCS2 appends text as UTF-16BE with surrogate pairs.
func EncodeUCS2(dst []byte, text string) []byte { panic("unfinished") }

// DecodeUCS2 reads UTF-16BE; false when the length is odd or a surrogate
// stands alone.
func DecodeUCS2(octets []byte) (string, bool) { panic("unfinished") }

// TextBody returns text in GSM 7-bit if it fits, else in UCS2.
func TextBody(text string) message.Body { panic("unfinished") }

// GSM7Body returns the body that septets, one an octet, spell. What no
// string can hold stays in Data.
func GSM7Body(septets []byte) message.Body { panic("unfinished") }

// UCS2Body returns the body that UTF-16BE octets spell. Lone surrogates stay
// in Data; an odd length is BadContent.
func UCS2Body(octets []byte) (message.Body, error) { panic("unfinished") }

// UDH is a user data header with its length octet, checked by ParseUDH.
type UDH []byte

// ParseUDH checks that udh is a whole user data header: BadContent if not.
func ParseUDH(udh []byte) (UDH, error) { panic("unfinished") }

// SplitUDH parts user data with a header from the rest of it (no copy).
func SplitUDH(userData []byte) (udh UDH, rest []byte, err error) { panic("unfinished") }

// Concat returns the place that the header gives its segment, nil if none.
func (u UDH) Concat() *message.Part { panic("unfinished") }

// Without returns the header without the elements named; nil if none is left.
func (u UDH) Without(ids ...uint8) UDH { panic("unfinished") }

// WithoutConcat returns the header without concatenation.
func (u UDH) WithoutConcat() UDH { panic("unfinished") }

// Ports returns the application ports (TS 23.040 §9.2.3.24.3, §9.2.3.24.4).
func (u UDH) Ports() (dst, src uint16, ok bool) { panic("unfinished") }

// AppendConcat returns udh with the concatenation element of p.
func AppendConcat(udh []byte, p message.Part) ([]byte, error) { panic("unfinished") }

// Segments cuts b into short messages, each with its Part and UDH; one
// alone, b itself, if it fits.
func Segments(b message.Body, ref uint16, kind message.PartKind) ([]message.Body, error) {
	panic("unfinished")
}

// CountParts returns how many short messages b makes.
func CountParts(b message.Body) (int, error) { panic("unfinished") }

// Join puts parts together again, in the order of their numbers.
func Join(parts []message.Body) (message.Body, error) { panic("unfinished") }

// UserData returns the octets of b without UDH as they are on the radio but
// unpacked: septets one an octet, octets, UTF-16BE.
func UserData(b message.Body) []byte { panic("unfinished") }

// InAlphabet returns b as it leaves by an SMPP link whose data_coding 0
// means alphabet: text that the alphabet cannot write becomes UCS2. Call it
// before Segments.
func InAlphabet(b message.Body, alphabet string) message.Body { panic("unfinished") }

// AppendUserData appends the octets of b without UDH in the form that
// DataCoding(b, alphabet) announces.
func AppendUserData(dst []byte, b message.Body, alphabet string) []byte { panic("unfinished") }

// DataCoding returns the data_coding of b on such a link (spec smpp §12).
func DataCoding(b message.Body, alphabet string) uint8 { panic("unfinished") }

// BodyFromDataCoding reads user data without UDH. Nothing of userData or udh
// is kept.
func BodyFromDataCoding(dc uint8, alphabet string, userData, udh []byte) (message.Body, error) {
	panic("unfinished")
}

// Receipt is the text of a delivery receipt (SMPP 3.4 appendix B).
type Receipt struct {
	ID           string
	Sub, Dlvrd   int
	Submit, Done time.Time
	Stat         string // DELIVRD ...
	Err          string // three digits when we write it
	Text         string // excerpt
}

// AppendReceipt appends the text of r, exactly as spec smpp §15.
func AppendReceipt(dst []byte, r Receipt) []byte { panic("unfinished") }

// ParseReceipt reads the receipt text of any peer. ok tells that there are an
// id and a stat; the fields that were found are returned in any case.
func ParseReceipt(text string) (r Receipt, ok bool) { panic("unfinished") }

// ReceiptOf returns the receipt that says about: sub is 1; who reports joined
// parts as one sets Sub and Dlvrd from About.Parts and About.Delivered.
func ReceiptOf(about *message.About) Receipt { panic("unfinished") }

// OutcomeOf returns what a carrier's receipt means: Relayed while it is not
// the end.
func OutcomeOf(r Receipt) message.Outcome { panic("unfinished") }

// Stat returns the state word of appendix B for about.
func Stat(about *message.About) string { panic("unfinished") }

// MessageState returns the number of a state word (SMPP 3.4 §5.2.28), 7
// (UNKNOWN) for a word that is none.
func MessageState(stat string) uint8 { panic("unfinished") }

// StatOfState returns the word of a message_state, "UNKNOWN" if it has none.
func StatOfState(state uint8) string { panic("unfinished") }

// Excerpt returns the first 20 characters of b for a receipt; "" for octets.
func Excerpt(b message.Body) string { panic("unfinished") }

// SIPStatus returns our final answer at the door (spec sip §9.1).
func SIPStatus(c message.Cause) int { panic("unfinished") }

// SIPEndStatus returns the answer in transaction mode when a message ended
// so (spec sip §9.2).
func SIPEndStatus(c message.Cause) int { panic("unfinished") }

// SMPPStatus returns the command_status we answer as a server.
func SMPPStatus(c message.Cause) uint32 { panic("unfinished") }

// SMPPReceiverStatus returns the command_status we answer to deliver_sm.
func SMPPReceiverStatus(c message.Cause) uint32 { panic("unfinished") }

// FailureReason returns delivery_failure_reason (SMPP 3.4 §5.3.2.33).
func FailureReason(c message.Cause) uint8 { panic("unfinished") }

// HTTPStatus returns the status of REST (spec rest §1.3).
func HTTPStatus(c message.Cause) int { panic("unfinished") }

// RPCause returns the cause of an RP-ERROR to a phone (TS 24.011 §8.2.5.4).
func RPCause(c message.Cause) uint8 { panic("unfinished") }

// ReceiptErr returns the three digits of err in receipts.
func ReceiptErr(c message.Cause) string { panic("unfinished") }

// ReceiptStat returns the word of stat when a message failed with c.
func ReceiptStat(c message.Cause) string { panic("unfinished") }

// CauseOfSMPP reads a command_status (spec smpp §16.1). ROK is Relayed:
// whether it is Delivered is the link's to say.
func CauseOfSMPP(status uint32) (message.Result, message.Cause) { panic("unfinished") }

// CauseOfFailureReason reads delivery_failure_reason of status 0xFE.
func CauseOfFailureReason(reason uint8) (message.Result, message.Cause) { panic("unfinished") }

// CauseOfSIP reads a final answer to our MESSAGE (spec sip §10.2). 202 is
// Relayed: whether it is Delivered is the link's to say.
func CauseOfSIP(status int) (message.Result, message.Cause) { panic("unfinished") }

// CauseOfErr reads the three digits of err, or a network_error_code of type
// 3; false when it does not stand in the table.
func CauseOfErr(code string) (message.Cause, bool) { panic("unfinished") }

// CauseOfRP reads the cause of an RP-ERROR (spec ims §3.3).
func CauseOfRP(cause uint8) (message.Cause, bool) { panic("unfinished") }

// NumberPlan is how an account writes numbers (spec routing §7). The zero
// value is no plan.
type NumberPlan struct {
	Country       string   // "44"
	Trunk         string   // "0"
	International []string // what starts an international number; empty: "00" (and always "+")
	ShortMax      int      // up to so many digits: a short code, never changed
	Bare          string   // international | national | "" as they are
}

// Normalise brings an address into its normal form. ton and npi count if
// typed. The error has the Cause UnknownNumber; for a sender say Barred.
func Normalise(given string, ton, npi uint8, typed bool, plan NumberPlan) (message.Address, error) {
	panic("unfinished")
}

// CheckSender refuses (Barred) an SMPP sender that is a name of more than 11
// characters (spec smpp §11).
func CheckSender(a message.Address) error { panic("unfinished") }
