package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"smsc/message"
	"smsc/restapi"
	"smsc/store"
)

// funds gives the store's balances to REST.
type funds struct{ store *store.Store }

var _ restapi.Funds = funds{}

func (f funds) Balance(account string) (message.Amount, error) {
	n, err := f.store.Balance(account)
	return message.Amount(n), err
}

func (f funds) Bookings(account string, max int) ([]restapi.Booking, error) {
	entries, err := f.store.Entries(account, max)
	out := make([]restapi.Booking, len(entries))
	for i, e := range entries {
		out[i] = restapi.Booking{At: e.At, Amount: message.Amount(e.Amount), After: message.Amount(e.After), Who: e.Who, Note: e.Note}
	}
	return out, err
}

func (f funds) Credit(ctx context.Context, account string, amount message.Amount, who, note, ref string) (message.Amount, error) {
	n, err := f.store.Credit(ctx, account, int64(amount), who, note, ref)
	return message.Amount(n), err
}

type balanceCommand struct {
	serverFlags
	outputFlags
	Account string `arg:"" help:"Name of the account."`
	Add     string `placeholder:"AMOUNT" help:"Add so much first, such as 50; with -12.5 take it. The operator's key is needed."`
	Note    string `placeholder:"TEXT" help:"Why, kept with the entry."`
}

// Help is printed below the flags.
func (balanceCommand) Help() string {
	return `Examples:
  smsc balance acme
  smsc balance acme --add 50 --note "invoice 4711"`
}

// balanceView is what the table shows.
type balanceView struct {
	Account   string `json:"account"`
	Balance   string `json:"balance"`
	Overdraft string `json:"overdraft"`
	Entries   []struct {
		At      string `json:"at"`
		Amount  string `json:"amount"`
		Balance string `json:"balance"`
		By      string `json:"by"`
		Note    string `json:"note"`
	} `json:"entries"`
}

// Run books, if that is asked for, and shows the balance.
func (c *balanceCommand) Run(out io.Writer) error {
	if _, ok := message.ParseAmount(c.Add); c.Add != "" && !ok {
		return usage(fmt.Errorf("--add %q is no amount such as 50 or -12.5", c.Add))
	}
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	path := "/api/accounts/" + url.PathEscape(c.Account) + "/balance"
	if c.Add != "" {
		if err := c.book(ctx, server, path); err != nil {
			return err
		}
	}
	var v balanceView
	body, err := server.get(ctx, path, nil, &v)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	fmt.Fprintf(out, "%s has %s, overdraft %s\n", v.Account, v.Balance, v.Overdraft)
	if len(v.Entries) == 0 {
		return nil
	}
	t := newTable(out, "AT", "AMOUNT", "BALANCE", "BY", "NOTE")
	for _, e := range v.Entries {
		t.row(e.At, e.Amount, e.Balance, e.By, e.Note)
	}
	return t.flush()
}

// book adds to the balance. A key of its own makes it safe that a connection
// breaks: whoever repeats the command books again, the network does not.
func (c *balanceCommand) book(ctx context.Context, server *api, path string) error {
	_, err := server.do(ctx, call{method: http.MethodPost, path: path, body: map[string]string{"amount": c.Add, "note": c.Note},
		accept: "application/json", header: http.Header{"Idempotency-Key": {rand.Text()}}})
	return err
}
