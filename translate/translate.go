// Package translate turns content, numbers and reasons from one form into
// another: GSM 7-bit with its national tables, UCS-2, data coding, user data
// headers, segments, TPDUs and RPDUs, CPIM and IMDN, SMPP receipt text, number
// plans, and the one table of causes. Everything in it is a pure function that
// round-trips. It sees bodies, never envelopes: no SMPP PDU, no SIP request, no
// clock, no wire, and it never replaces a character that does not fit.
//
// A body in GSM 7-bit whose header has elements 0x24 or 0x25 is written with
// the national tables that they name (TS 23.040 §9.2.3.24.15, .16): Text is the
// text, Data are septets of those tables, and everything here that counts,
// cuts, joins, reads or writes GSM 7-bit does so with them. A body without
// these elements never is. [InTables] decides which a body leaves with.
package translate

// Alphabets that data_coding 0 may mean on a link (spec smpp §12). The empty
// string is AlphabetGSM7.
const (
	AlphabetGSM7   = "gsm7"   // one septet an octet
	AlphabetLatin1 = "latin1" // ISO-8859-1
	AlphabetASCII  = "ascii"
	AlphabetUTF8   = "utf8"
)
