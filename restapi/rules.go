package restapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"smsc/routing"
	"smsc/tenant"
)

const rulesSection section = "rules"

// ruleRow is a rule as REST shows it: what is written, beside what names it.
func (c *call) ruleRow(r routing.Rule) (json.RawMessage, error) {
	row, err := writeObject(rulesSection, tenant.Document{Rules: []routing.Rule{r}}, false)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if err := json.Unmarshal(row, &object); err != nil {
		return nil, err
	}
	object["account"], object["on"], object["priority"], object["enabled"] = r.Account, r.On, r.Priority, r.Enabled
	hits, stamp := c.ruleHits(r.Account, r.Name), c.stamp(rulesSection, r.Account+"/"+r.Name)
	object["hits"], object["last_hit"] = hits.Hits, hits.Last
	object["created_at"], object["updated_at"] = stamp.Created, stamp.Updated
	return jsonText(object)
}

// listRules answers GET /api/rules: the rules of accounts in reach, in the
// order they run: those of an account before those of the account above it,
// lower priority first, and alike ones as they are written.
func (c *call) listRules() error {
	within, doc := c.scope(), c.dir.Document()
	rules := slices.DeleteFunc(doc.Rules, func(r routing.Rule) bool { return !within(r.Account) })
	slices.SortStableFunc(rules, func(a, b routing.Rule) int {
		return cmp.Or(cmp.Compare(len(c.dir.Ancestors(b.Account)), len(c.dir.Ancestors(a.Account))), strings.Compare(a.Account, b.Account), cmp.Compare(a.Priority, b.Priority))
	})
	rules, err := onePage(c, rules, func(r routing.Rule) string { return r.Account + "/" + r.Name })
	if err != nil {
		return err
	}
	rows := make([]json.RawMessage, len(rules))
	for i, r := range rules {
		if rows[i], err = c.ruleRow(r); err != nil {
			return err
		}
	}
	c.etag()
	return c.encode(rows)
}

// findRule returns the place of a rule, -1 if there is none in reach.
func (c *call) findRule(doc *tenant.Document, account, name string) int {
	return slices.IndexFunc(doc.Rules, func(r routing.Rule) bool {
		return r.Account == account && r.Name == name && c.dir.Within(r.Account, c.id.Account)
	})
}

func (c *call) showRule(status int, account, name string) error {
	doc := c.dir.Document()
	i := c.findRule(&doc, account, name)
	if i < 0 {
		if c.dry() {
			return c.encode(map[string]any{"dry_run": true})
		}
		return refuse("not_found", "no such rule")
	}
	row, err := c.ruleRow(doc.Rules[i])
	if err != nil {
		return err
	}
	c.etag()
	return c.encodeStatus(status, row)
}

func (c *call) getRule() error {
	return c.showRule(http.StatusOK, c.r.PathValue("account"), c.r.PathValue("name"))
}

// mayRule refuses rules that act for an account or over a link out of reach,
// or that free their owner of charge.
func (c *call) mayRule(r *routing.Rule) error {
	accounts, links := []string{r.Account, r.Then.Account}, []string{r.Then.Route}
	if t := r.Then.Copy; t != nil {
		accounts, links = append(accounts, t.Account), append(links, t.DestSMSC)
	}
	if t := r.Then.Reroute; t != nil {
		accounts, links = append(accounts, t.Account), append(links, t.Link)
	}
	for _, name := range accounts {
		if _, ok := c.account(name); !ok {
			return invalid("body", "names an account that is not within reach")
		}
	}
	for _, name := range links {
		if l := c.dir.Link(name); !c.isOperator() && l != nil && !c.seesDeclared(l) {
			return invalid("body", "names a link that is not within reach")
		}
	}
	return c.mayCharge(r.Then.Charged)
}

// postRule answers POST /api/rules.
func (c *call) postRule() error {
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	if body["account"], err = c.owner(body); err != nil {
		return err
	}
	next, err := c.amend(rulesSection, tenant.Document{}, body)
	if err != nil {
		return err
	}
	r := next.Rules[0]
	_, err = c.change(func(doc *tenant.Document) error {
		if c.findRule(doc, r.Account, r.Name) >= 0 {
			return refuse("name_taken", "the account has a rule of this name")
		}
		doc.Rules = append(doc.Rules, r)
		return c.mayRule(&r)
	})
	if err != nil {
		return err
	}
	return c.showRule(http.StatusCreated, r.Account, r.Name)
}

// putRule answers PATCH and PUT /api/rules/{account}/{name}.
func (c *call) putRule() error {
	account, name := c.r.PathValue("account"), c.r.PathValue("name")
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	for key, v := range map[string]any{"account": account, "name": name} {
		if body[key] == nil {
			body[key] = v
		}
	}
	_, err = c.change(func(doc *tenant.Document) error {
		i := c.findRule(doc, account, name)
		if i < 0 {
			return refuse("not_found", "no such rule")
		}
		next, err := c.amend(rulesSection, tenant.Document{Rules: []routing.Rule{doc.Rules[i]}}, body)
		if err != nil {
			return err
		}
		r := next.Rules[0]
		if r.Name != name || r.Account != account {
			return invalid("body.name", "name and account cannot be changed")
		}
		doc.Rules[i] = r
		return c.mayRule(&r)
	})
	if err != nil {
		return err
	}
	return c.showRule(http.StatusOK, account, name)
}

// deleteRule answers DELETE /api/rules/{account}/{name}.
func (c *call) deleteRule() error {
	_, err := c.change(func(doc *tenant.Document) error {
		i := c.findRule(doc, c.r.PathValue("account"), c.r.PathValue("name"))
		if i < 0 {
			return refuse("not_found", "no such rule")
		}
		doc.Rules = slices.Delete(doc.Rules, i, i+1)
		return nil
	})
	if err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// ruleRoutes are the endpoints of rules.
func ruleRoutes() []route {
	one := "/api/rules/{account}/{name}"
	return []route{
		declared("GET", "/api/rules", tenant.Read, (*call).listRules, doc{summary: "Rules in reach", reply: []map[string]any{}}, listing...),
		declared("POST", "/api/rules", tenant.Admin, (*call).postRule, doc{summary: "Declare a rule", success: 201, request: map[string]any{}, errors: []int{409}}),
		declared("GET", one, tenant.Read, (*call).getRule, doc{summary: "One rule", errors: []int{404}}, "dry_run"),
		declared("PATCH", one, tenant.Admin, (*call).putRule, doc{summary: "Change (RFC 7396) a rule", request: map[string]any{}, errors: []int{404}}),
		declared("PUT", one, tenant.Admin, (*call).putRule, doc{summary: "Replace a rule", request: map[string]any{}, errors: []int{404}}),
		declared("DELETE", one, tenant.Admin, (*call).deleteRule, doc{summary: "Take a rule away", success: 204, errors: []int{404}}),
	}
}
