package restapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"smsc/tenant"
)

// profileKind keeps what an account is called and when it was made: nothing
// that the house decides by.
const profileKind = "rest.account"

// rcAccountRecord is an account in the words of this API (spec rest §4.2).
func (c *call) rcAccountRecord(a *tenant.Account) record {
	profile := c.kept(profileKind, a.Name)
	uri := restcommAt + "/Accounts.json/" + a.SID
	email := profile.text("email")
	if email == "" && strings.Contains(a.Name, "@") {
		email = a.Name
	}
	created, updated := c.made(accountsSection, a.Name, profile)
	r := record{{"sid", a.SID}, {"friendly_name", or(profile.text("friendly_name"), a.Name)}, {"email_address", orNull(email)}, {"type", "Full"},
		{"status", string(c.dir.Status(a.Name))}, {"role", "Administrator"},
		{"date_created", created}, {"date_updated", updated}}
	if c.id.Role.Allows(tenant.Admin) {
		r = append(r, prop{"auth_token", orNull(a.Token)})
	}
	sub := func(name, path string) prop {
		return prop{name, "/" + apiVersion + "/Accounts/" + a.SID + "/" + path + ".json"}
	}
	return append(r, prop{"uri", uri}, prop{"subresource_uris", record{
		sub("sms_messages", "SMS/Messages"), sub("incoming_phone_numbers", "IncomingPhoneNumbers"), sub("applications", "Applications"),
		sub("clients", "Clients"), sub("notifications", "Notifications"),
	}})
}

// keepProfile notes what an account is called.
func (c *call) keepProfile(account string, fields map[string]any) error {
	_, err := c.keep(profileKind, account, account, setting(fields))
	return err
}

// rcAccounts answers GET /Accounts: the accounts right below the caller's.
func (c *call) rcAccounts(string) error {
	var rows []record
	doc := c.dir.Document()
	for i := range doc.Accounts {
		if a := &doc.Accounts[i]; a.Parent == c.id.Account {
			rows = append(rows, c.rcAccountRecord(a))
		}
	}
	return c.sendList("Accounts", "Account", rows)
}

func (c *call) rcAccount(string) error {
	return c.sendRecord(http.StatusOK, "Account", c.rcAccountRecord(c.foreign.account))
}

// rcPostAccount answers POST /Accounts: an account below the caller's.
func (c *call) rcPostAccount(string) error {
	friendly, email, password := c.given("FriendlyName"), c.given("EmailAddress"), c.given("Password")
	name := or(email, nameFrom(friendly))
	switch {
	case name == "":
		return invalid("FriendlyName", "or EmailAddress is required")
	case len(friendly) > 64:
		return invalid("FriendlyName", "must not be longer than 64 octets")
	case password != "" && len(password) < 8:
		return invalid("Password", "must be at least 8 characters")
	}
	a := tenant.NewAccount()
	a.Name, a.Parent, a.Token = name, c.id.Account, or(password, newSecret())
	if s := c.given("Status"); s != "" {
		a.Status = tenant.Status(s)
	}
	_, err := c.change(func(doc *tenant.Document) error {
		if c.dir.Account(name) != nil {
			return refuse("name_taken", "an account of this name exists")
		}
		doc.Accounts = append(doc.Accounts, a)
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.keepProfile(name, map[string]any{"friendly_name": friendly, "email": email}); err != nil {
		return err
	}
	return c.sendRecord(http.StatusOK, "Account", c.rcAccountRecord(c.dir.Account(name)))
}

// nameFrom makes a name of what people call an account.
func nameFrom(friendly string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, friendly), "-")
}

// rcPutAccount answers POST and PUT of one account.
func (c *call) rcPutAccount(string) error {
	name := c.foreign.account.Name
	if c.foreign.account.Status == tenant.Closed {
		return &problem{code: "invalid", detail: "Account is closed"}
	}
	password, status := c.given("Password"), c.given("Status")
	if password != "" && len(password) < 8 {
		return invalid("Password", "must be at least 8 characters")
	}
	if status != "" && name == c.id.Account {
		return refuse("forbidden", "an account does not change its own status")
	}
	_, err := c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Accounts, func(a tenant.Account) bool { return a.Name == name })
		if i < 0 {
			return refuse("not_found", "no such account")
		}
		doc.Accounts[i].Token = or(password, doc.Accounts[i].Token)
		doc.Accounts[i].Status = or(tenant.Status(status), doc.Accounts[i].Status)
		return nil
	})
	if err != nil {
		return err
	}
	if friendly := c.given("FriendlyName"); friendly != "" {
		if err := c.keepProfile(name, map[string]any{"friendly_name": friendly}); err != nil {
			return err
		}
	}
	return c.sendRecord(http.StatusOK, "Account", c.rcAccountRecord(c.dir.Account(name)))
}

func (c *call) rcCloseAccount(string) error {
	if c.foreign.account.Name == c.id.Account {
		return refuse("forbidden", "an account does not close itself")
	}
	if err := c.closeAccount(c.foreign.account.Name); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// hashSID is a sid made of a name: the same for as long as the name is.
func hashSID(prefix, name string) string {
	sum := sha256.Sum256([]byte(prefix + "\x00" + name))
	return prefix + hex.EncodeToString(sum[:16])
}
