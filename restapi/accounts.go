package restapi

import (
	"net/http"
	"slices"

	"smsc/tenant"
)

// accountRow is an account as REST shows it.
type accountRow struct {
	Name    string        `json:"name"`
	Parent  string        `json:"parent"`
	SID     string        `json:"sid"`
	Token   string        `json:"token"`
	Keys    []keyRow      `json:"keys"`
	Status  tenant.Status `json:"status"`
	Senders []string      `json:"senders"`
	Limits  limitsRow     `json:"limits"`
	Charged string        `json:"charged"`
	PricesRow
	Numbering   *numberingRow `json:"numbering"`
	SubAccounts []string      `json:"sub_accounts"`
	StampRow
}

type keyRow struct {
	Name string      `json:"name"`
	Key  string      `json:"key"`
	Role tenant.Role `json:"role"`
}

type limitsRow struct {
	PerSecond int `json:"per_second"`
	PerMinute int `json:"per_minute"`
	PerHour   int `json:"per_hour"`
	PerDay    int `json:"per_day"`
	Backlog   int `json:"backlog"`
}

type numberingRow struct {
	Country       string   `json:"country"`
	Trunk         string   `json:"trunk"`
	International []string `json:"international"`
	ShortMax      int      `json:"short_max"`
	Bare          string   `json:"bare"`
}

// accountRow makes the row of a; subs are the names below it by parent.
func (c *call) accountRow(a *tenant.Account, subs map[string][]string, secrets bool) accountRow {
	hide := func(s string) string {
		if s == "" || secrets {
			return s
		}
		return tenant.Hidden
	}
	row := accountRow{
		Name: a.Name, Parent: a.Parent, SID: a.SID, Token: hide(a.Token), Keys: []keyRow{}, Status: a.Status,
		Senders: notNil(slices.Clone(a.Senders)), Charged: or(a.Charged, "default"), PricesRow: pricesOf(a), Limits: limitsRow(a.Limits), SubAccounts: notNil(subs[a.Name]), StampRow: c.stamp(accountsSection, a.Name),
	}
	if a.Name == c.id.Account && a.Name != tenant.Operator {
		row.Parent = parentName
	}
	for _, k := range a.Keys {
		row.Keys = append(row.Keys, keyRow{k.Name, hide(k.Key), k.Role})
	}
	if n := a.Numbering; n != nil {
		row.Numbering = &numberingRow{n.Country, n.Trunk, notNil(n.International), n.ShortMax, n.Bare}
	}
	return row
}

// below lists the accounts right below each account.
func below(doc *tenant.Document) map[string][]string {
	subs := map[string][]string{}
	for i := range doc.Accounts {
		if p := doc.Accounts[i].Parent; p != "" {
			subs[p] = append(subs[p], doc.Accounts[i].Name)
		}
	}
	return subs
}

// listAccounts answers GET /api/accounts.
func (c *call) listAccounts() error {
	doc := c.dir.Document()
	subs, secrets := below(&doc), c.showSecrets()
	rows := []accountRow{}
	within := c.scope()
	for i := range doc.Accounts {
		if a := &doc.Accounts[i]; within(a.Name) {
			rows = append(rows, c.accountRow(a, subs, secrets))
		}
	}
	c.etag()
	return sendPageOf(c, rows, func(r accountRow) string { return r.Name })
}

// pathAccount is the account that the path names.
func (c *call) pathAccount() (*tenant.Account, error) {
	a := c.dir.Account(c.r.PathValue("account"))
	if a == nil || !c.dir.Within(a.Name, c.id.Account) {
		return nil, refuse("not_found", "no such account")
	}
	return a, nil
}

// getAccount answers GET /api/accounts/{account}.
func (c *call) getAccount() error {
	a, err := c.pathAccount()
	if err != nil {
		return err
	}
	return c.showAccount(http.StatusOK, a.Name, c.showSecrets())
}

func (c *call) showAccount(status int, name string, secrets bool) error {
	doc := c.dir.Document()
	a := c.dir.Account(name)
	if a == nil { // a dry run made nothing
		return c.encode(map[string]any{"dry_run": true})
	}
	c.etag()
	return c.encodeStatus(status, c.accountRow(a, below(&doc), secrets))
}

// postAccount answers POST /api/accounts: an account below the caller.
func (c *call) postAccount() error {
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	if body["parent"] == nil {
		body["parent"] = c.id.Account
	}
	made := body["token"] == nil || body["token"] == ""
	if made {
		body["token"] = newSecret()
	}
	next, err := c.amend(accountsSection, tenant.Document{}, body)
	if err != nil {
		return err
	}
	a := next.Accounts[0]
	_, err = c.change(func(doc *tenant.Document) error {
		if _, ok := c.account(a.Parent); !ok || a.Parent == "" {
			return invalid("body.parent", "is no account within reach")
		}
		if c.dir.Account(a.Name) != nil {
			return refuse("name_taken", "an account of this name exists")
		}
		if err := c.mayPrice(tenant.NewAccount(), a); err != nil {
			return err
		}
		doc.Accounts = append(doc.Accounts, a)
		return nil
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/api/accounts/"+a.Name)
	// A token that we made is shown once, here.
	return c.showAccount(http.StatusCreated, a.Name, made)
}

// mayCharge keeps a tenant from freeing himself or those below of charge.
func (c *call) mayCharge(word string) error {
	if word == "no" && !c.isOperator() {
		return refuse("forbidden", "only the operator decides that something is not charged")
	}
	return nil
}

// putAccount answers PATCH and PUT /api/accounts/{account}.
func (c *call) putAccount() error {
	at, err := c.pathAccount()
	if err != nil {
		return err
	}
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	made := body["token"] == ""
	if made {
		body["token"] = newSecret()
	}
	name := at.Name
	if body["name"] == nil {
		body["name"] = name
	}
	_, err = c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Accounts, func(a tenant.Account) bool { return a.Name == name })
		if i < 0 {
			return refuse("not_found", "no such account")
		}
		old := doc.Accounts[i]
		next, err := c.amend(accountsSection, tenant.Document{Accounts: []tenant.Account{old}}, body)
		if err != nil {
			return err
		}
		a := next.Accounts[0]
		a.SID = or(a.SID, old.SID)
		if err := c.mayAmend(old, a); err != nil {
			return err
		}
		doc.Accounts[i] = a
		return nil
	})
	if err != nil {
		return err
	}
	return c.showAccount(http.StatusOK, name, made)
}

// mayAmend refuses what a tenant may not do to an account. His own is given
// to him by the one above: he changes its secrets and how it writes numbers,
// not its limits, senders or status.
func (c *call) mayAmend(old, next tenant.Account) error {
	switch {
	case next.Name != old.Name:
		return invalid("body.name", "cannot be changed: messages and records speak of it")
	case next.SID != old.SID:
		return invalid("body.sid", "cannot be changed")
	case old.Status == tenant.Closed && next.Status != tenant.Closed && !c.isOperator():
		return refuse("forbidden", "only the operator opens a closed account again")
	case c.isOperator():
		return nil
	}
	if old.Name == c.id.Account {
		if !pricedAlike(old, next) || old.Parent != next.Parent || old.Status != next.Status || old.Limits != next.Limits || old.Charged != next.Charged ||
			!slices.Equal(old.Senders, next.Senders) {
			return refuse("forbidden", "of your own account only token, keys and numbering can be changed")
		}
		return nil
	}
	if _, ok := c.account(next.Parent); !ok || next.Parent == "" {
		return invalid("body.parent", "is no account within reach")
	}
	return c.mayPrice(old, next)
}

// deleteAccount answers DELETE /api/accounts/{account}: it is closed, never
// erased.
func (c *call) deleteAccount() error {
	a, err := c.pathAccount()
	if err != nil {
		return err
	}
	if a.Name == c.id.Account {
		return refuse("forbidden", "an account does not close itself")
	}
	if err := c.closeAccount(a.Name); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

func (c *call) closeAccount(name string) error {
	_, err := c.change(func(doc *tenant.Document) error {
		for i := range doc.Accounts {
			if doc.Accounts[i].Name == name {
				doc.Accounts[i].Status = tenant.Closed
			}
		}
		return nil
	})
	return err
}
