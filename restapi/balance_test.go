package restapi

import (
	"context"
	"sync"
	"testing"
	"time"

	"smsc/message"
)

// purse is a Funds in memory.
type purse struct {
	mu      sync.Mutex
	has     map[string]message.Amount
	entries map[string][]Booking
	refs    map[string]bool
}

func (p *purse) Balance(account string) (message.Amount, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.has[account], nil
}

func (p *purse) Bookings(account string, max int) ([]Booking, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.entries[account]
	return all[:min(max, len(all))], nil
}

func (p *purse) Credit(_ context.Context, account string, amount message.Amount, who, note, ref string) (message.Amount, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ref != "" && p.refs[ref] {
		return p.has[account], nil
	}
	p.refs[ref] = true
	p.has[account] += amount
	p.entries[account] = append([]Booking{{At: time.Unix(0, 0).UTC(), Amount: amount, After: p.has[account], Who: who, Note: note}}, p.entries[account]...)
	return p.has[account], nil
}

func TestOnlyTheOperatorBooksOnBalances(t *testing.T) {
	p := &purse{has: map[string]message.Amount{}, entries: map[string][]Booking{}, refs: map[string]bool{}}
	g := withAdmin(t, func(_ *Config, d *Deps) { d.Funds = p })
	const path = "/api/accounts/acme/balance"
	g.steps(t, []step{
		{operatorKey, "GET", path, "", 200, `"balance":"0"`, nil},
		{operatorKey, "POST", path, `{"amount":"50.5","note":"invoice 1"}`, 200, `"balance":"50.5"`, nil},
		{operatorKey, "POST", path, `{"amount":"1"}`, 200, `"balance":"51.5"`, []string{"Idempotency-Key: k"}},
		{operatorKey, "POST", path, `{"amount":"1"}`, 200, `"balance":"51.5"`, []string{"Idempotency-Key: k"}},
		{operatorKey, "POST", path, `{"amount":-0.000001}`, 200, `"balance":"51.499999"`, nil},
		{operatorKey, "POST", path, `{"amount":"much"}`, 422, "body.amount", nil},
		{operatorKey, "POST", path, `{"amount":0}`, 422, "body.amount", nil},
		{operatorKey, "POST", path, `{}`, 422, "body.amount", nil},
		{operatorKey, "POST", path, `[]`, 400, "malformed", nil},
		{operatorKey, "GET", path + "?limit=x", "", 422, "query.limit", nil},
		{operatorKey, "GET", "/api/accounts/nobody/balance", "", 404, "not_found", nil},
		{adminKey, "POST", path, `{"amount":"50"}`, 403, "forbidden", nil},
		{adminKey, "GET", path, "", 200, `"note":"invoice 1"`, nil},
		{adminKey, "GET", "/api/accounts/operator/balance", "", 404, "not_found", nil},
	})
}

func TestATenantDoesNotPriceHimself(t *testing.T) {
	g := withAdmin(t)
	g.steps(t, []step{
		{operatorKey, "PATCH", "/api/accounts/acme", `{"rates":{"+44":"0.04"},"overdraft":"5","payer":"p"}`, 200, `"rates":{"44":"0.04"}`, nil},
		{adminKey, "PATCH", "/api/accounts/acme", `{"rates":{"44":"0"}}`, 403, "forbidden", nil},
		{adminKey, "PATCH", "/api/accounts/acme", `{"overdraft":"1000"}`, 403, "forbidden", nil},
		{adminKey, "POST", "/api/accounts", `{"name":"mine","parent":"acme","rates":{"":"0"}}`, 403, "forbidden", nil},
		{adminKey, "POST", "/api/accounts", `{"name":"mine","parent":"acme","payer":"other"}`, 403, "forbidden", nil},
		{adminKey, "POST", "/api/accounts", `{"name":"mine","parent":"acme"}`, 201, `"rates":{}`, nil},
		{operatorKey, "PATCH", "/api/accounts/acme", `{"rates":{"44":"free"}}`, 422, "rates", nil},
	})
}
