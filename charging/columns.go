package charging

import "strings"

// Kind is what the values of a column are to one who keeps them in a table.
type Kind uint8

const (
	Text   Kind = iota
	Moment      // RFC 3339 in UTC
	Count       // a whole number
	Truth       // yes or no
	Amount      // a decimal number
)

// Column is one column of the records.
type Column struct {
	Name string
	Kind Kind
}

// Columns returns the columns in their order.
func Columns() []Column {
	all := make([]Column, len(columns))
	for i, c := range columns {
		all[i] = Column{Name: c.name, Kind: c.holds()}
	}
	return all
}

func (c *column) holds() Kind {
	switch {
	case c.kind == number:
		return Count
	case strings.HasSuffix(c.name, "_date"):
		return Moment
	case c.name == "charged" || c.name == "permanent":
		return Truth
	case c.name == "cost":
		return Amount
	}
	return Text
}
