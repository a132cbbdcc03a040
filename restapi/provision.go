package restapi

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/tenant"
)

// getProvision answers with the whole document: YAML, or JSON where Accept
// asks for it.
func (c *call) getProvision() error {
	doc, revision := c.dir.Document(), c.dir.Revision
	if s := c.query.Get("revision"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return invalid("query.revision", "must be a whole number")
		}
		if n != revision {
			past, ok, err := c.s.deps.Catalog.Past(c.r.Context(), n)
			if err != nil {
				return err
			}
			if !ok {
				return refuse("not_found", "no such revision is kept")
			}
			doc, revision = past, n
		}
	}
	secrets := c.query.Get("secrets") != "hide"
	c.w.Header().Set("ETag", `"`+strconv.Itoa(revision)+`"`)
	c.w.Header().Set("Vary", "Accept")
	if !wantsJSON(c.r.Header.Get("Accept")) {
		c.send(http.StatusOK, "application/yaml", doc.YAML(secrets))
		return nil
	}
	return c.json(http.StatusOK, doc.JSON(secrets))
}

// putProvision applies a whole document, or with dry_run only says what that
// would change.
func (c *call) putProvision() error {
	data, err := c.body()
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return refuse("malformed", "a document is needed")
	}
	dryRun := c.flag("dry_run")
	revision, err := c.ifMatch()
	if err != nil {
		return err
	}
	doc, faults := tenant.ParseDocument("", data, tenant.Insecure(c.s.cfg.Insecure))
	if len(faults) > 0 {
		return unfit(faults)
	}
	change, err := c.s.deps.Catalog.Apply(c.r.Context(), doc, tenant.ApplyOptions{
		DryRun: dryRun, IfRevision: revision, Who: c.who(),
	})
	if faults, ok := faultsOf(err); ok {
		return unfit(faults)
	}
	if err != nil {
		return err
	}
	if !dryRun {
		c.w.Header().Set("ETag", `"`+strconv.Itoa(change.Revision)+`"`)
		c.s.log.Info().Int("revision", change.Revision).Str("who", c.who()).Msg("declared objects changed")
	}
	return c.encode(newChangeReply(change))
}

// revisionReply is one line of the history.
type revisionReply struct {
	Revision int            `json:"revision"`
	At       string         `json:"at"`
	Who      string         `json:"who"`
	Counts   map[string]int `json:"counts"`
}

// provisionHistory answers with the revisions that are kept, newest first.
func (c *call) provisionHistory() error {
	past, err := c.s.deps.Catalog.History(c.r.Context())
	if err != nil {
		return err
	}
	rows := make([]revisionReply, len(past))
	for i, p := range past {
		rows[i] = revisionReply{Revision: p.Revision, At: p.At.UTC().Format(time.RFC3339), Who: p.Who, Counts: p.Counts}
	}
	return c.encode(rows)
}

// changeReply is the answer of PUT /api/provision.
type changeReply struct {
	Revision int            `json:"revision"`
	DryRun   bool           `json:"dry_run"`
	Changed  changeSections `json:"changed"`
	Warnings []string       `json:"warnings"`
}

type changeSections struct {
	Accounts diffReply[string] `json:"accounts"`
	Links    diffReply[string] `json:"links"`
	Routes   diffReply[int]    `json:"routes"`
	Rules    diffReply[string] `json:"rules"`
	Numbers  diffReply[string] `json:"numbers"`
}

type diffReply[T any] struct {
	Added   []T `json:"added"`
	Changed []T `json:"changed"`
	Removed []T `json:"removed"`
}

func newChangeReply(c tenant.Change) changeReply {
	return changeReply{
		Revision: c.Revision, DryRun: c.DryRun, Warnings: notNil(c.Warnings),
		Changed: changeSections{
			Accounts: namesOf(c.Accounts), Links: namesOf(c.Links), Routes: idsOf(c.Routes),
			Rules: namesOf(c.Rules), Numbers: namesOf(c.Numbers),
		},
	}
}

func namesOf(d tenant.Diff) diffReply[string] {
	return diffReply[string]{notNil(d.Added), notNil(d.Changed), notNil(d.Removed)}
}

// idsOf reads the ids of routes, which are numbers here.
func idsOf(d tenant.Diff) diffReply[int] {
	numbers := func(ss []string) []int {
		ns := make([]int, 0, len(ss))
		for _, s := range ss {
			if n, err := strconv.Atoi(s); err == nil {
				ns = append(ns, n)
			}
		}
		slices.Sort(ns)
		return ns
	}
	return diffReply[int]{numbers(d.Added), numbers(d.Changed), numbers(d.Removed)}
}

// notNil keeps an empty list from being written as null.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// wantsJSON tells whether an Accept header names JSON before YAML.
func wantsJSON(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			return true
		case "application/yaml", "application/x-yaml", "text/yaml", "*/*":
			return false
		}
	}
	return false
}
