package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// requestLimit is how long one request of a client command may take.
const requestLimit = time.Minute

type messagesCommand struct {
	List   messagesList   `cmd:"" help:"List messages, the newest first."`
	Show   messagesShow   `cmd:"" help:"Show everything about one message."`
	Trace  messagesTrace  `cmd:"" help:"Show every hop of one message."`
	Cancel messagesCancel `cmd:"" help:"Cancel a waiting message; its receipt says DELETED."`
	Retry  messagesRetry  `cmd:"" help:"Try a waiting, failed or expired message again now."`
}

// Help is printed below the flags.
func (messagesCommand) Help() string {
	return `Examples:
  smsc messages list --status failed,expired --since 2026-11-21T00:00:00Z
  smsc messages list --to '+4477*' --limit 20 --json
  smsc messages trace 890210734080
  smsc messages retry 890210734080`
}

// messageView is what the tables show of a message.
type messageView struct {
	ID       int64   `json:"id"`
	Status   string  `json:"status"`
	Account  string  `json:"account"`
	From     string  `json:"source_msisdn"`
	To       string  `json:"destination_msisdn"`
	Link     *string `json:"link"`
	Dest     *string `json:"dest_smsc"`
	Parts    int     `json:"parts"`
	Attempts int     `json:"delivery_attempts"`
	Inserted string  `json:"inserted_at"`
	Cause    *string `json:"cause"`
	Body     string  `json:"message_body"`
}

type messagesList struct {
	serverFlags
	outputFlags
	Status  string `placeholder:"WORDS" help:"queued scheduled retrying sending sent delivered failed expired cancelled dropped; several with commas."`
	From    string `placeholder:"ADDRESS" help:"Sender; a trailing * matches a prefix."`
	To      string `placeholder:"ADDRESS" help:"Recipient; a trailing * matches a prefix."`
	Link    string `placeholder:"NAME" help:"Link last tried."`
	Dest    string `placeholder:"NAME" help:"Link or queue asked for (dest_smsc)."`
	Source  string `placeholder:"NAME" help:"Link it came by (source_smsc)."`
	Account string `placeholder:"NAME" help:"Account, without those below it."`
	Cause   string `placeholder:"WORD" help:"Why it failed: absent, barred, ..."`
	Since   string `placeholder:"TIME" help:"Accepted at or after, RFC 3339."`
	Until   string `placeholder:"TIME" help:"Accepted before, RFC 3339."`
	Text    string `placeholder:"WORDS" help:"Part of the text."`
	Limit   int    `default:"50" help:"At most so many."`
	Oldest  bool   `help:"Oldest first."`
}

// Run lists messages.
func (c *messagesList) Run(out io.Writer) error {
	server, err := c.open()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	var rows []messageView
	body, err := server.get(ctx, "/api/messages", c.query(), &rows)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	t := newTable(out, "ID", "STATUS", "FROM", "TO", "LINK", "PARTS", "TRIES", "ACCEPTED", "CAUSE", "TEXT")
	for _, m := range rows {
		t.row(m.ID, m.Status, m.From, m.To, orElse(m.Link, m.Dest), m.Parts, m.Attempts, m.Inserted, orElse(m.Cause), shorten(m.Body, 30))
	}
	return t.flush()
}

func (c *messagesList) query() url.Values {
	q := url.Values{"view": {"full"}, "order": {"desc"}, "limit": {strconv.Itoa(c.Limit)}}
	if c.Oldest {
		q.Set("order", "asc")
	}
	if c.Account != "" {
		q.Set("subaccounts", "false")
	}
	for name, value := range map[string]string{
		"status": c.Status, "from": c.From, "to": c.To, "link": c.Link, "dest_smsc": c.Dest, "source_smsc": c.Source,
		"account": c.Account, "cause": c.Cause, "since": c.Since, "until": c.Until, "text": c.Text,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// orElse returns the first of words that is there.
func orElse(words ...*string) string {
	for _, w := range words {
		if w != nil && *w != "" {
			return *w
		}
	}
	return ""
}

// oneMessage is a command about one message.
type oneMessage struct {
	serverFlags
	outputFlags
	ID string `arg:"" help:"Id of the message, as every interface shows it."`
}

// ask makes a request about the message.
func (c *oneMessage) ask(method, what string) ([]byte, error) {
	server, err := c.open()
	if err != nil {
		return nil, err
	}
	ctx, stop := interrupted(requestLimit)
	defer stop()
	return server.do(ctx, call{method: method, path: "/api/messages/" + url.PathEscape(c.ID) + what, accept: "application/json"})
}

type messagesShow struct{ oneMessage }

// Run shows one message.
func (c *messagesShow) Run(out io.Writer) error {
	body, err := c.ask(http.MethodGet, "")
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	return fields(out, body)
}

type messagesTrace struct{ oneMessage }

// traceStep is one line of a trace (records §3).
type traceStep struct {
	At        string `json:"at"`
	Step      string `json:"step"`
	Link      string `json:"link"`
	Direction string `json:"direction"`
	Summary   string `json:"summary"`
	Result    string `json:"result"`
	AfterMS   int64  `json:"after_ms"`
}

// Run shows the hops of one message.
func (c *messagesTrace) Run(out io.Writer) error {
	body, err := c.ask(http.MethodGet, "/trace")
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	var trace struct {
		Steps []traceStep `json:"steps"`
	}
	if err := json.Unmarshal(body, &trace); err != nil {
		return fmt.Errorf("the server's trace cannot be read: %w", err)
	}
	t := newTable(out, "AT", "AFTER", "STEP", "LINK", "RESULT", "WHAT")
	for _, s := range trace.Steps {
		t.row(s.At, fmt.Sprintf("%d ms", s.AfterMS), s.Step, s.Link, s.Result, s.Summary)
	}
	return t.flush()
}

type messagesCancel struct{ oneMessage }

// Run cancels one message.
func (c *messagesCancel) Run(out io.Writer) error { return c.change(out, "cancel") }

type messagesRetry struct{ oneMessage }

// Run tries one message again.
func (c *messagesRetry) Run(out io.Writer) error { return c.change(out, "retry") }

func (c *oneMessage) change(out io.Writer, verb string) error {
	body, err := c.ask(http.MethodPost, "/"+verb)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, body)
	}
	var m messageView
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	_, err = fmt.Fprintf(out, "message %d: %s\n", m.ID, m.Status)
	return err
}
