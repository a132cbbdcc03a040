package restapi

import (
	"net/http"
	"slices"

	"smsc/tenant"
)

// numberRow is a hosted number as REST shows it.
type numberRow struct {
	Number            string `json:"number"`
	Account           string `json:"account"`
	Link              string `json:"link"`
	FriendlyName      string `json:"friendly_name"`
	SMSURL            string `json:"sms_url"`
	SMSMethod         string `json:"sms_method"`
	SMSFallbackURL    string `json:"sms_fallback_url"`
	SMSFallbackMethod string `json:"sms_fallback_method"`
	Application       string `json:"application"`
	StampRow
}

func (c *call) numberRow(n *tenant.Number) numberRow {
	return numberRow{
		Number: n.Number, Account: n.Account, Link: c.linkName(n.Link), FriendlyName: n.FriendlyName,
		SMSURL: n.SMSURL, SMSMethod: n.SMSMethod, SMSFallbackURL: n.SMSFallbackURL, SMSFallbackMethod: n.SMSFallbackMethod,
		Application: n.Application, StampRow: c.stamp(numbersSection, n.Number),
	}
}

// listNumbers answers GET /api/numbers.
func (c *call) listNumbers() error {
	rows := []numberRow{}
	within, doc := c.scope(), c.dir.Document()
	for i := range doc.Numbers {
		if n := &doc.Numbers[i]; within(n.Account) {
			rows = append(rows, c.numberRow(n))
		}
	}
	c.etag()
	return sendPageOf(c, rows, func(r numberRow) string { return r.Number })
}

// pathNumber is the hosted number that the path names, within reach.
func (c *call) pathNumber() (*tenant.Number, error) {
	n := c.dir.Number(c.r.PathValue("number"))
	if n == nil || !c.dir.Within(n.Account, c.id.Account) {
		return nil, refuse("not_found", "no such number")
	}
	return n, nil
}

func (c *call) getNumber() error {
	n, err := c.pathNumber()
	if err != nil {
		return err
	}
	return c.showNumber(http.StatusOK, n.Number)
}

func (c *call) showNumber(status int, number string) error {
	n := c.dir.Number(number)
	if n == nil { // a dry run made nothing
		return c.encode(map[string]any{"dry_run": true})
	}
	c.etag()
	return c.encodeStatus(status, c.numberRow(n))
}

// mayNumber refuses numbers that lead out of reach.
func (c *call) mayNumber(n *tenant.Number) error {
	if _, ok := c.account(n.Account); !ok {
		return invalid("body.account", "is no account within reach")
	}
	if l := c.dir.Link(n.Link); l != nil && !c.isOperator() && !c.seesDeclared(l) {
		return invalid("body.link", "is no link within reach")
	}
	return nil
}

// postNumber answers POST /api/numbers. Only the operator hosts a new number:
// nobody may claim one by typing it.
func (c *call) postNumber() error {
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	if body["account"], err = c.owner(body); err != nil {
		return err
	}
	next, err := c.amend(numbersSection, tenant.Document{}, body)
	if err != nil {
		return err
	}
	n := next.Numbers[0]
	_, err = c.change(func(doc *tenant.Document) error {
		if c.dir.Number(n.Number) != nil {
			return refuse("name_taken", "the number is hosted already")
		}
		doc.Numbers = append(doc.Numbers, n)
		return c.mayNumber(&n)
	})
	if err != nil {
		return err
	}
	return c.showNumber(http.StatusCreated, n.Number)
}

// putNumber answers PATCH and PUT /api/numbers/{number}.
func (c *call) putNumber() error {
	at, err := c.pathNumber()
	if err != nil {
		return err
	}
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	number := at.Number
	for key, v := range map[string]any{"number": number, "account": at.Account} {
		if body[key] == nil {
			body[key] = v
		}
	}
	if body["link"] == parentName {
		body["link"] = at.Link
	}
	_, err = c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Numbers, func(n tenant.Number) bool { return n.Number == number })
		if i < 0 {
			return refuse("not_found", "no such number")
		}
		next, err := c.amend(numbersSection, tenant.Document{Numbers: []tenant.Number{doc.Numbers[i]}}, body)
		if err != nil {
			return err
		}
		n := next.Numbers[0]
		if n.Number != number {
			return invalid("body.number", "cannot be changed")
		}
		if n.Link != doc.Numbers[i].Link || n.Account != doc.Numbers[i].Account {
			if err := c.mayNumber(&n); err != nil {
				return err
			}
		}
		doc.Numbers[i] = n
		return nil
	})
	if err != nil {
		return err
	}
	return c.showNumber(http.StatusOK, number)
}

// deleteNumber answers DELETE /api/numbers/{number}.
func (c *call) deleteNumber() error {
	at, err := c.pathNumber()
	if err != nil {
		return err
	}
	if err := c.dropNumber(at.Number); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

func (c *call) dropNumber(number string) error {
	_, err := c.change(func(doc *tenant.Document) error {
		doc.Numbers = slices.DeleteFunc(doc.Numbers, func(n tenant.Number) bool { return n.Number == number })
		return nil
	})
	return err
}
