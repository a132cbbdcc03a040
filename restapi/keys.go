package restapi

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"smsc/tenant"
)

// postKey answers POST /api/accounts/{account}/keys. The key is shown once,
// in this answer.
func (c *call) postKey() error {
	at, err := c.pathAccount()
	if err != nil {
		return err
	}
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	name, _ := body["name"].(string)
	role, _ := body["role"].(string)
	key := tenant.Key{Name: name, Role: tenant.Role(or(role, string(tenant.Send))), Key: newSecret()}
	if given, _ := body["key"].(string); given != "" {
		key.Key = given
	}
	for field := range body {
		if field != "name" && field != "role" && field != "key" {
			return invalid("body."+shorten(field), "unknown field")
		}
	}
	account := at.Name
	_, err = c.change(func(doc *tenant.Document) error {
		for i := range doc.Accounts {
			a := &doc.Accounts[i]
			if a.Name != account {
				continue
			}
			if slices.ContainsFunc(a.Keys, func(k tenant.Key) bool { return k.Name == name }) {
				return refuse("name_taken", "the account has a key of this name")
			}
			a.Keys = append(a.Keys, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.encodeStatus(http.StatusCreated, keyRow{key.Name, key.Key, key.Role})
}

// deleteKey answers DELETE /api/accounts/{account}/keys/{key}.
func (c *call) deleteKey() error {
	at, err := c.pathAccount()
	if err != nil {
		return err
	}
	account, name := at.Name, c.r.PathValue("key")
	_, err = c.change(func(doc *tenant.Document) error {
		for i := range doc.Accounts {
			a := &doc.Accounts[i]
			if a.Name != account {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(a.Keys), func(k tenant.Key) bool { return k.Name == name })
			if len(left) == len(a.Keys) {
				return refuse("not_found", "no such key")
			}
			a.Keys = left
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// newSecret makes a token or key nobody can guess.
func newSecret() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return strings.ToLower(hex.EncodeToString(b[:]))
}
