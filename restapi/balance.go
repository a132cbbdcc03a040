package restapi

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"smsc/message"
)

// Funds are the balances of accounts.  [store.Store, by way of cmd/smsc]
type Funds interface {
	// Balance returns what an account has.
	Balance(account string) (message.Amount, error)
	// Bookings returns the newest entries made by hand, newest first.
	Bookings(account string, max int) ([]Booking, error)
	// Credit adds to a balance, below zero takes from it, and returns what it
	// is then. The same ref within a day is booked once; "" is never a repeat.
	Credit(ctx context.Context, account string, amount message.Amount, who, note, ref string) (message.Amount, error)
}

// Booking is one entry made by hand.
type Booking struct {
	At     time.Time      `json:"at"`
	Amount message.Amount `json:"amount"`
	After  message.Amount `json:"balance"`
	Who    string         `json:"by"`
	Note   string         `json:"note"`
}

// balanceReply is the answer of GET and POST /api/accounts/{account}/balance.
type balanceReply struct {
	Account   string         `json:"account"`
	Balance   message.Amount `json:"balance"`
	Overdraft message.Amount `json:"overdraft"`
	Entries   []Booking      `json:"entries"`
}

// bookingDoc is the body of POST.
type bookingDoc struct {
	Amount string `json:"amount" doc:"Decimal, such as 50 or -12.5; at most six places"`
	Note   string `json:"note,omitempty"`
}

const (
	maxBookings = 1000
	maxNote     = 200
)

// balanceRoutes read balances and book on them (spec records §9).
func (s *Server) balanceRoutes() []route {
	if s.deps.Funds == nil {
		return nil
	}
	const path = "/api/accounts/{account}/balance"
	return []route{
		declared("GET", path, "read", (*call).getBalance, doc{summary: "What an account has, and what was booked by hand",
			reply: balanceReply{}, errors: []int{404, 422}}, "limit"),
		{method: "POST", path: path, need: "admin", operator: true, handle: (*call).postBalance,
			doc: doc{tag: "declared", summary: "Top up a balance, or take from it; the operator's", request: bookingDoc{}, reply: balanceReply{},
				headers: []string{"Idempotency-Key"}, errors: []int{403, 404, 422}}},
	}
}

// getBalance answers GET /api/accounts/{account}/balance.
func (c *call) getBalance() error {
	a, err := c.pathAccount()
	if err != nil {
		return err
	}
	limit := 20
	if s := c.query.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 0 || limit > maxBookings {
			return invalid("query.limit", "must be 0 to "+strconv.Itoa(maxBookings))
		}
	}
	return c.showBalance(a.Name, a.Overdraft, limit)
}

func (c *call) showBalance(account string, overdraft message.Amount, limit int) error {
	reply := balanceReply{Account: account, Overdraft: overdraft}
	var err error
	if reply.Balance, err = c.s.deps.Funds.Balance(account); err != nil {
		return err
	}
	if reply.Entries, err = c.s.deps.Funds.Bookings(account, limit); err != nil {
		return err
	}
	reply.Entries = notNil(reply.Entries)
	return c.encode(reply)
}

// postBalance answers POST /api/accounts/{account}/balance.
func (c *call) postBalance() error {
	a, err := c.pathAccount()
	if err != nil {
		return err
	}
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	var body struct {
		Amount json.RawMessage
		Note   string
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return refuse("malformed", "send one JSON object")
	}
	// A number and a string are read alike, and neither as a float.
	text := string(body.Amount)
	_ = json.Unmarshal(body.Amount, &text)
	amount, ok := message.ParseAmount(text)
	if !ok || amount == 0 {
		return invalid("body.amount", `must be a decimal number such as "50" or "-12.5", at most six places, not 0`)
	}
	if len(body.Note) > maxNote {
		return invalid("body.note", "must be at most "+strconv.Itoa(maxNote)+" octets")
	}
	repeat, err := c.newRepeat(data)
	if err != nil {
		return err
	}
	ref := ""
	if repeat != nil {
		ref = repeat.ref + repeat.digest
	}
	if _, err := c.s.deps.Funds.Credit(c.r.Context(), a.Name, amount, c.who(), body.Note, ref); err != nil {
		return err
	}
	return c.showBalance(a.Name, a.Overdraft, 1)
}
