package restapi

import (
	"net/http"
	"slices"
	"strconv"

	"smsc/routing"
	"smsc/tenant"
)

// pathRoute is the route that the path names, within reach.
func (c *call) pathRoute() (routing.Route, error) {
	id, err := strconv.Atoi(c.r.PathValue("id"))
	doc := c.dir.Document()
	i := slices.IndexFunc(doc.Routes, func(r routing.Route) bool { return r.ID == id })
	if err != nil || i < 0 || !c.dir.Within(or(doc.Routes[i].Account, tenant.Operator), c.id.Account) {
		return routing.Route{}, refuse("not_found", "no such route")
	}
	return doc.Routes[i], nil
}

func (c *call) getRoute() error {
	r, err := c.pathRoute()
	if err != nil {
		return err
	}
	return c.showRoute(http.StatusOK, r.ID)
}

func (c *call) showRoute(status, id int) error {
	doc := c.dir.Document()
	for i := range doc.Routes {
		if r := &doc.Routes[i]; r.ID == id && id != 0 {
			c.etag()
			return c.encodeStatus(status, c.routeRow(r))
		}
	}
	return c.encode(map[string]any{"dry_run": true}) // it made nothing
}

// mayRoute refuses routes that lead where their owner may not send, or that
// free him of charge.
func (c *call) mayRoute(r *routing.Route) error {
	if _, ok := c.account(r.Account); !ok {
		return invalid("body.account", "is no account within reach")
	}
	for key, name := range map[string]string{"dest_smsc": r.DestSMSC, "source_smsc": r.SourceSMSC} {
		if l := c.dir.Link(name); !c.isOperator() && l != nil && !c.seesDeclared(l) {
			return invalid("body."+key, "is no link within reach")
		}
	}
	if r.Refund == "yes" && !c.isOperator() {
		return refuse("forbidden", "only the operator decides that what was not delivered is given back")
	}
	return c.mayCharge(r.Charged)
}

// postRoute answers POST /api/routes.
func (c *call) postRoute() error {
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	if body["account"], err = c.owner(body); err != nil {
		return err
	}
	delete(body, "id") // ids are made here, once
	next, err := c.amend(routesSection, tenant.Document{}, body)
	if err != nil {
		return err
	}
	r := next.Routes[0]
	done, err := c.change(func(doc *tenant.Document) error {
		if err := c.mayRoute(&r); err != nil {
			return err
		}
		doc.Routes = append(doc.Routes, r)
		return nil
	})
	if err != nil {
		return err
	}
	id := 0
	if len(done.Routes.Added) == 1 && !done.DryRun {
		id, _ = strconv.Atoi(done.Routes.Added[0]) // an id is a number
		c.w.Header().Set("Location", "/api/routes/"+done.Routes.Added[0])
	}
	return c.showRoute(http.StatusCreated, id)
}

// putRoute answers PATCH and PUT /api/routes/{id}.
func (c *call) putRoute() error {
	at, err := c.pathRoute()
	if err != nil {
		return err
	}
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	if body["account"] == nil {
		body["account"] = at.Account
	}
	delete(body, "id")
	_, err = c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Routes, func(r routing.Route) bool { return r.ID == at.ID })
		if i < 0 {
			return refuse("not_found", "no such route")
		}
		next, err := c.amend(routesSection, tenant.Document{Routes: []routing.Route{doc.Routes[i]}}, body)
		if err != nil {
			return err
		}
		r := next.Routes[0]
		r.ID = at.ID
		if err := c.mayRoute(&r); err != nil {
			return err
		}
		doc.Routes[i] = r
		return nil
	})
	if err != nil {
		return err
	}
	return c.showRoute(http.StatusOK, at.ID)
}

// deleteRoute answers DELETE /api/routes/{id}.
func (c *call) deleteRoute() error {
	at, err := c.pathRoute()
	if err != nil {
		return err
	}
	_, err = c.change(func(doc *tenant.Document) error {
		n := len(doc.Routes)
		doc.Routes = slices.DeleteFunc(doc.Routes, func(r routing.Route) bool { return r.ID == at.ID })
		if len(doc.Routes) == n {
			return refuse("not_found", "no such route")
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}
