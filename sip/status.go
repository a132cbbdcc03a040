package sip

import "time"

// Status is how a link fares, for people and for smsc links.
type Status struct {
	// Up says that messages may be tried over the link.
	Up bool
	// Since is when Up last changed, or when the link was declared.
	Since time.Time
	// LastError is what went wrong last, "" if nothing did.
	LastError string
	// LastAnswer is when the peer last answered anything; zero: never.
	LastAnswer time.Time
	// Target is the address messages go to now, "" for links that only bring.
	Target string
	// Counters since start: requests in and out, final answers to ours that
	// were 2xx and that were not, requests of ours nobody answered.
	RequestsIn, RequestsOut, Accepted, Rejected, Silent uint64
	// InFlight is the number of our transactions without a final answer.
	InFlight int
}
