package message

// Charge is what a message costs, who pays, and how far that is settled. It
// changes with the State that holds it, in the same batch, so that money and
// message cannot disagree. The zero Charge is free.
type Charge struct {
	Result ChargeResult
	// Todo is what is still to be asked of a charging server; Asked tells
	// that it was sent and that its answer is not known yet.
	Todo  ChargeStep
	Asked bool

	Server bool // a charging server moves the money, else our own balances
	Early  bool // taken before the positive answer, else when it is delivered
	Refund bool // of what was taken early, what did not arrive is given back

	// Payer is the account whose balance moves, or the name by which the
	// charging server knows who pays.
	Payer string
	Units uint8  // parts that are charged
	Taken uint8  // of those, already paid for
	Ref   string // at the charging server, of what was taken; several: ";"

	// In micro-units of our own balances: Cost is that of all Units, Moved
	// what the balance has lost by the message so far, Floor what it may not
	// fall below when the message is stored.
	Cost, Moved, Floor int64
}

// ChargeResult is the word of records (spec records §5). The order is stored
// on disk: append only.
type ChargeResult uint8

const (
	ChargeNone     ChargeResult = iota // nothing is charged
	ChargeOpen                         // to be charged when delivered
	ChargeGranted                      // taken, or noted
	ChargeDenied                       // refused when it was delivered
	ChargeRefunded                     // given back, at least for the parts that did not arrive
	ChargeUnknown                      // it may have been taken, and nobody knows
	ChargeSkipped                      // the server was silent, and the house lets such pass
)

var chargeWords = [...]string{"none", "none", "granted", "denied", "refunded", "unknown", "skipped"}

// String returns the word of records: what is open is not charged yet.
func (r ChargeResult) String() string {
	if int(r) < len(chargeWords) {
		return chargeWords[r]
	}
	return "unknown"
}

// ChargeStep is one thing to be asked of a charging server. The order is
// stored on disk: append only.
type ChargeStep uint8

const (
	NoStep     ChargeStep = iota
	DebitStep             // take what is owed
	RefundStep            // give back what was taken and is not owed
)

// String returns the label of metrics.
func (s ChargeStep) String() string {
	switch s {
	case DebitStep:
		return "debit"
	case RefundStep:
		return "refund"
	}
	return ""
}

// HeldKey is what a message waits on between being stored and being paid for:
// no link sees it, and nobody was told that it was accepted.
const HeldKey = "charge:"

// Held tells whether s waits to be paid for at the door.
func (s *State) Held() bool { return s.Phase == Waiting && s.WakeOn == HeldKey }

// Settle draws the account of a message of so many parts that has come to its
// end: what a balance owes is moved with the State, what a charging server is
// to be asked becomes its next step. It changes nothing where nothing is owed
// either way.
func (s *State) Settle(parts uint8) {
	c := &s.Charge
	switch c.Result {
	case ChargeOpen, ChargeGranted, ChargeRefunded:
	default:
		return
	}
	owed := s.owed(parts)
	switch {
	case c.Server && owed > c.Taken:
		c.Todo = DebitStep
	case c.Server && owed < c.Taken:
		c.Todo = RefundStep
	case !c.Server && c.Units > 0:
		if owed < c.Taken {
			c.Result = ChargeRefunded
		} else if owed > c.Taken {
			c.Result = ChargeGranted
		}
		c.Taken, c.Moved = owed, c.Cost*int64(owed)/int64(c.Units)
	}
	if c.Result == ChargeOpen && owed == 0 {
		c.Result = ChargeNone
	}
}

// owed returns how many units are to be paid for at the end that s has come
// to: what arrived, or all of them where nothing is given back.
func (s *State) owed(parts uint8) uint8 {
	c := &s.Charge
	if c.Early && !c.Refund || s.Phase == Done {
		return c.Units
	}
	n, sent := s.Delivered(), len(s.Segments)
	if sent > int(parts) { // cut finer than it was charged
		n = int(c.Units) * n / sent
	}
	return uint8(min(n, int(c.Units)))
}

// Short returns how many units are to be asked for by the next step: those
// to take, or those to give back.
func (s *State) Short(parts uint8) uint8 {
	owed, c := s.owed(parts), &s.Charge
	switch {
	case !s.Phase.Ended(), c.Todo == DebitStep && c.Result == ChargeUnknown: // asked for at the door
		return c.Units
	case c.Todo == RefundStep:
		return c.Taken - min(owed, c.Taken)
	}
	return owed - min(c.Taken, owed)
}

// Join adds the charge of a further part of one message, false where the two
// were not charged alike.
func (c *Charge) Join(d Charge) bool {
	if c.Todo != NoStep || c.Payer != d.Payer || c.Server != d.Server || c.Result != d.Result || c.Todo != d.Todo ||
		c.Early != d.Early || c.Refund != d.Refund || int(c.Units)+int(d.Units) > MaxParts {
		return false
	}
	c.Units, c.Taken = c.Units+d.Units, c.Taken+d.Taken
	c.Cost, c.Moved = c.Cost+d.Cost, c.Moved+d.Moved
	if c.Ref != "" && d.Ref != "" {
		c.Ref += ";"
	}
	c.Ref += d.Ref
	return true
}

// Unpaid is the error of a batch that was not stored because balances do not
// cover these of its messages.
type Unpaid struct{ IDs []ID }

func (*Unpaid) Error() string { return "the balance does not cover the price" }
