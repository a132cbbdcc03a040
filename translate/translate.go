// Package translate turns content, numbers and reasons from one form into
// another: GSM 7-bit, UCS-2, data coding, user data headers, segments, SMPP
// receipt text, number plans, and the one table of causes. Everything in it
// is a pure function that round-trips. It sees bodies, never envelopes: no
// PDU, no SIP request, no clock, no wire, and it never replaces a character
// that does not fit.
package translate

// Alphabets that data_coding 0 may mean on a link (spec smpp §12). The empty
// string is AlphabetGSM7.
const (
	AlphabetGSM7   = "gsm7"   // one septet an octet
	AlphabetLatin1 = "latin1" // ISO-8859-1
	AlphabetASCII  = "ascii"
	AlphabetUTF8   = "utf8"
)
