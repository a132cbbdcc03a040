package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

const yamlType = "application/yaml"

type applyCommand struct {
	serverFlags
	outputFlags
	File   string `short:"f" required:"" placeholder:"FILE" help:"The document; - reads standard input."`
	DryRun bool   `help:"Check, and say what would change, without changing it."`
}

// Help is printed below the flags.
func (applyCommand) Help() string {
	return `The document takes the place of the one the server has: what is missing from it is removed
(accounts are closed, never erased). A document that does not fit together changes nothing; every fault
is printed as file:line: path: what is wrong, and the exit code is 1.

Examples:
  smsc export > provision.yaml
  smsc apply --dry-run -f provision.yaml
  smsc apply -f provision.yaml`
}

// changes is the answer to a document (rest §6).
type changes struct {
	Revision int               `json:"revision"`
	Changed  map[string]change `json:"changed"`
	Warnings []string          `json:"warnings"`
}

type change struct {
	Added   []any `json:"added"`
	Changed []any `json:"changed"`
	Removed []any `json:"removed"`
}

// Run applies a document.
func (c *applyCommand) Run(out io.Writer) error {
	document, err := c.read()
	if err != nil {
		return usage(err)
	}
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	q := url.Values{}
	if c.DryRun {
		q.Set("dry_run", "true")
	}
	body, err := server.do(ctx, call{method: http.MethodPut, path: "/api/provision", query: q, body: document, mediaType: yamlType, accept: "application/json"})
	var p *problem
	if errors.As(err, &p) && len(p.Errors) > 0 {
		c.printFaults(out, p.Errors)
		return fmt.Errorf("the document does not fit together: %d faults, nothing was changed", len(p.Errors))
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	return c.print(out, body)
}

func (c *applyCommand) read() ([]byte, error) {
	if c.File == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(c.File)
}

// printFaults prints them in the form of `smsc check`.
func (c *applyCommand) printFaults(out io.Writer, faults []serverFault) {
	for _, f := range faults {
		where := c.File
		if f.Line > 0 {
			where += fmt.Sprintf(":%d", f.Line)
		}
		if f.Location != "" {
			where += ": " + f.Location
		}
		fmt.Fprintf(out, "%s: %s\n", where, f.Message)
	}
}

func (c *applyCommand) print(out io.Writer, body []byte) error {
	var done changes
	if err := json.Unmarshal(body, &done); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	unchanged := true
	for _, kind := range []string{"accounts", "links", "routes", "rules", "numbers"} {
		ch := done.Changed[kind]
		for _, part := range []struct {
			verb  string
			names []any
		}{{"added", ch.Added}, {"changed", ch.Changed}, {"removed", ch.Removed}} {
			if len(part.names) > 0 {
				unchanged = false
				fmt.Fprintf(out, "%s %s: %s\n", kind, part.verb, list(part.names))
			}
		}
	}
	if unchanged {
		fmt.Fprintln(out, "nothing changes")
	}
	for _, w := range done.Warnings {
		fmt.Fprintln(out, "warning:", w)
	}
	if !c.DryRun {
		fmt.Fprintf(out, "revision %d\n", done.Revision)
	}
	return nil
}

func list(names []any) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, ", ")
}

type exportCommand struct {
	serverFlags
	outputFlags
	HideSecrets bool `help:"Print *** for every secret."`
	Revision    int  `placeholder:"N" help:"One of the last 50 revisions instead of the present one."`
}

// Help is printed below the flags.
func (exportCommand) Help() string {
	return `Prints the document that smsc apply takes, secrets in the clear: keep the file accordingly.`
}

// Run prints the declared objects.
func (c *exportCommand) Run(out io.Writer) error {
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	q := url.Values{}
	if c.HideSecrets {
		q.Set("secrets", "hide")
	}
	if c.Revision > 0 {
		q.Set("revision", fmt.Sprint(c.Revision))
	}
	accept := yamlType
	if c.JSON {
		accept = "application/json"
	}
	body, err := server.do(ctx, call{method: http.MethodGet, path: "/api/provision", query: q, accept: accept})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	_, err = out.Write(body)
	return err
}

type linksCommand struct {
	serverFlags
	outputFlags
}

// linkView is what the table shows of a link.
type linkView struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Account string `json:"account"`
	State   struct {
		Status   string `json:"status"`
		Since    string `json:"since"`
		Sessions int    `json:"sessions"`
		Window   struct {
			Used int `json:"used"`
			Size int `json:"size"`
		} `json:"window"`
		Queue struct {
			Waiting int `json:"waiting"`
		} `json:"queue"`
		LastError *string `json:"last_error"`
		Counters  struct {
			Out    int64 `json:"out"`
			In     int64 `json:"in"`
			Failed int64 `json:"failed"`

			Throttled int64 `json:"throttled"`
		} `json:"counters"`
		Rate struct {
			In  float64 `json:"in"`
			Out float64 `json:"out"`
		} `json:"rate"`
	} `json:"state"`
}

// Run shows the links.
func (c *linksCommand) Run(out io.Writer) error {
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	var links []linkView
	body, err := server.get(ctx, "/api/links", nil, &links)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	t := newTable(out, "NAME", "KIND", "ACCOUNT", "STATUS", "SINCE", "SESSIONS", "WINDOW", "WAITING", "OUT", "IN", "OUT/S", "IN/S", "FAILED", "THROTTLED", "LAST ERROR")
	for _, l := range links {
		s := l.State
		t.row(l.Name, l.Kind, l.Account, s.Status, s.Since, s.Sessions, fmt.Sprintf("%d/%d", s.Window.Used, s.Window.Size),
			s.Queue.Waiting, s.Counters.Out, s.Counters.In, fmt.Sprintf("%.1f", s.Rate.Out), fmt.Sprintf("%.1f", s.Rate.In),
			s.Counters.Failed, s.Counters.Throttled, shorten(orElse(s.LastError), 60))
	}
	return t.flush()
}
