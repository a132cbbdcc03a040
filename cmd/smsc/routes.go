package main

import (
	"fmt"
	"io"
	"net/url"
)

type routesCommand struct {
	List    routesList    `cmd:"" help:"List the routes in the order they are asked."`
	Explain routesExplain `cmd:"" help:"Say which way a message would take, and why."`
}

// Help is printed below the flags.
func (routesCommand) Help() string {
	return `Examples:
  smsc routes list
  smsc routes explain --from 15551230001 --to +447700900123 --source connect`
}

type routesList struct {
	serverFlags
	outputFlags
}

type routeView struct {
	ID            int    `json:"id"`
	Account       string `json:"account"`
	CalledPrefix  string `json:"called_prefix"`
	CallingPrefix string `json:"calling_prefix"`
	SourceSMSC    string `json:"source_smsc"`
	SourceType    string `json:"source_type"`
	DestSMSC      string `json:"dest_smsc"`
	Priority      int    `json:"priority"`
	Weight        int    `json:"weight"`
	AutoReply     string `json:"auto_reply"`
	Drop          bool   `json:"drop"`
	Enabled       bool   `json:"enabled"`
	Hits          int64  `json:"hits"`
	Description   string `json:"description"`
}

// leads says in one word where a route leads.
func (r *routeView) leads() string {
	switch {
	case !r.Enabled:
		return "(disabled) " + r.DestSMSC
	case r.Drop:
		return "(drop)"
	case r.AutoReply != "":
		return "(auto reply)"
	}
	return r.DestSMSC
}

// Run lists the routes.
func (c *routesList) Run(out io.Writer) error {
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	var routes []routeView
	body, err := server.get(ctx, "/api/routes", nil, &routes)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	t := newTable(out, "ID", "ACCOUNT", "CALLED", "CALLING", "SOURCE", "LEADS TO", "PRIORITY", "WEIGHT", "HITS", "DESCRIPTION")
	for _, r := range routes {
		source := r.SourceSMSC
		if r.SourceType != "" {
			source += " " + r.SourceType
		}
		t.row(r.ID, r.Account, r.CalledPrefix, r.CallingPrefix, source, r.leads(), r.Priority, r.Weight, r.Hits, shorten(r.Description, 40))
	}
	return t.flush()
}

type routesExplain struct {
	serverFlags
	outputFlags
	From       string `required:"" placeholder:"ADDRESS" help:"Sender."`
	To         string `required:"" placeholder:"ADDRESS" help:"Recipient."`
	Source     string `placeholder:"NAME" help:"Link it would come by."`
	SourceType string `placeholder:"WORD" help:"SIP, IMS, SMPP or HTTP."`
	Dest       string `placeholder:"NAME" help:"Link the sender would name (dest_smsc)."`
	Account    string `placeholder:"NAME" help:"Account that would send it."`
}

// explanation is what the server says about an imaginary message.
type explanation struct {
	Outcome string `json:"outcome"`
	Charged string `json:"charged"`
	Message struct {
		From    string `json:"from"`
		To      string `json:"to"`
		Account string `json:"account"`
	} `json:"message"`
	Plan []struct {
		Route int     `json:"route"`
		Dest  string  `json:"dest_smsc"`
		Share float64 `json:"share"`
	} `json:"plan"`
	Rules []struct {
		Account string `json:"account"`
		Name    string `json:"name"`
		Verdict string `json:"verdict"`
		Why     string `json:"why"`
	} `json:"rules"`
	Steps []struct {
		Step    string `json:"step"`
		Verdict string `json:"verdict"`
		Why     string `json:"why"`
	} `json:"steps"`
	Considered []struct {
		Route   int    `json:"route"`
		Verdict string `json:"verdict"`
		Why     string `json:"why"`
	} `json:"considered"`
	Problem *problem `json:"problem"`
}

// Run explains the way of one message. It fails where there is none, so that
// scripts can ask.
func (c *routesExplain) Run(out io.Writer) error {
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	q := url.Values{"from": {c.From}, "to": {c.To}}
	for name, value := range map[string]string{"source": c.Source, "source_type": c.SourceType, "dest": c.Dest, "account": c.Account} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var e explanation
	body, err := server.get(ctx, "/api/routes/explain", q, &e)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(out, body)
	} else {
		err = e.print(out)
	}
	if err == nil && (e.Outcome == "no_route" || e.Outcome == "refused") {
		return &exitError{code: exitFailed}
	}
	return err
}

func (e *explanation) print(out io.Writer) error {
	fmt.Fprintf(out, "%s to %s, account %s: %s\n", e.Message.From, e.Message.To, e.Message.Account, e.Outcome)
	if e.Problem != nil {
		fmt.Fprintf(out, "refused: %s: %s\n", e.Problem.Code, e.Problem.Detail)
	}
	for i, hop := range e.Plan {
		fmt.Fprintf(out, "%d. %s (route %d, share %.0f %%)\n", i+1, hop.Dest, hop.Route, hop.Share*100)
	}
	t := newTable(out, "STEP", "VERDICT", "WHY")
	for _, r := range e.Rules {
		t.row(fmt.Sprintf("rule %s (%s)", r.Name, r.Account), r.Verdict, r.Why)
	}
	for _, s := range e.Steps {
		t.row(s.Step, s.Verdict, s.Why)
	}
	for _, r := range e.Considered {
		t.row(fmt.Sprintf("route %d", r.Route), r.Verdict, r.Why)
	}
	return t.flush()
}
