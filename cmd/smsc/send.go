package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

type sendCommand struct {
	serverFlags
	outputFlags
	Text      string        `arg:"" help:"The text."`
	From      string        `required:"" placeholder:"ADDRESS" help:"Sender: a number, or up to 11 characters."`
	To        string        `required:"" placeholder:"ADDRESS" help:"Recipient."`
	Via       string        `enum:"sip,smpp,rest" default:"sip" help:"Protocol: sip, smpp or rest."`
	Coding    string        `enum:"auto,gsm7,8bit,ucs2" default:"auto" help:"Alphabet: auto, gsm7, 8bit (octets of ISO-8859-1) or ucs2."`
	UDH       string        `name:"udh" placeholder:"HEX" help:"User data header with its length octet."`
	Receipt   bool          `help:"Ask for a receipt and wait for it."`
	Timeout   time.Duration `default:"30s" help:"Wait so long for the answer, and again for the receipt."`
	SIP       string        `name:"sip" default:"127.0.0.1:5060" placeholder:"ADDRESS" help:"SIP address of the server (${default})."`
	Transport string        `enum:"udp,tcp" default:"udp" help:"SIP transport: udp or tcp."`
	IMS       bool          `name:"ims" help:"SIP: send as a handset behind an IMS core, which the server knows as a link of kind ims. The id is the handset's own TP-MR."`
	Centre    string        `default:"+15550000000" placeholder:"NUMBER" help:"With --ims: the number of the message centre (${default})."`
	Local     string        `placeholder:"ADDRESS" help:"SIP: our own address. Receipts go to the uri of the link that sent, so it must be that one. Default: any port, with --receipt 127.0.0.1:5070."`
	SMPP      string        `name:"smpp" default:"127.0.0.1:2775" placeholder:"ADDRESS" help:"SMPP address of the server (${default})."`
	User      string        `env:"SMSC_USER" placeholder:"NAME" help:"SMPP system_id, or SIP user where the server asks for one."`
	Password  string        `env:"SMSC_PASSWORD" placeholder:"SECRET" help:"Its password."`
}

// Help is printed below the flags.
func (sendCommand) Help() string {
	return `Prints the id that the server gave. Exit code 0: accepted, and with --receipt delivered; 1: refused, not
delivered, or nothing heard in time.

Examples:
  smsc send --from 15551230001 --to 447700900123 "Hello"
  smsc send --via smpp --user esme1 --password pw1 --from acme --to 447700900123 --receipt "Привет"
  smsc send --ims --from 15551240001 --to 447700900123 --receipt "From a phone"
  smsc send --via rest --key KEY --from acme --to +447700900123 --receipt "Hello"
  smsc send --from 15551230001 --to 447700900123 --coding 8bit --udh 0605040B8423F0 "push"`
}

// answer is what a server said about a message.
type answer struct {
	IDs  []string      `json:"ids"` // one for each part that was sent apart
	Took time.Duration `json:"-"`
}

// homecoming is a receipt.
type homecoming struct {
	ID   string `json:"id"`
	Stat string `json:"stat"`
	Err  string `json:"err"`
}

// sender is one protocol of `smsc send`.
type sender interface {
	// submit sends the message and returns when the server answered.
	submit(ctx context.Context, c *sendCommand) (answer, error)
	// receipt returns the next receipt.
	receipt(ctx context.Context) (homecoming, error)
	close()
}

// Run sends one message.
func (c *sendCommand) Run(out io.Writer) error {
	if _, err := c.udh(); err != nil {
		return usage(err)
	}
	s, err := c.sender()
	if err != nil {
		return err
	}
	defer s.close()
	ctx, stop := interrupted(c.Timeout)
	defer stop()
	a, err := s.submit(ctx, c)
	if err != nil {
		return c.late(err, "answer")
	}
	if !c.JSON {
		fmt.Fprintf(out, "accepted %s (%s)\n", strings.Join(a.IDs, " "), a.Took.Round(100*time.Microsecond))
	}
	if !c.Receipt {
		return c.printJSON(out, a, nil)
	}
	return c.await(out, s, a)
}

func (c *sendCommand) sender() (sender, error) {
	switch {
	case c.IMS && c.Via != "sip":
		return nil, usage(errors.New("--ims is a way to send over SIP, not over " + c.Via))
	case c.IMS:
		return c.dialIMS()
	case c.Via == "smpp":
		return c.dialSMPP()
	case c.Via == "rest":
		server, err := c.open()
		if err != nil {
			return nil, err
		}
		return &restSender{api: server}, nil
	}
	return c.dialSIP()
}

// await waits for the receipts of everything that was accepted.
func (c *sendCommand) await(out io.Writer, s sender, a answer) error {
	ctx, stop := interrupted(c.Timeout)
	defer stop()
	started := time.Now()
	waiting := map[string]bool{}
	for _, id := range a.IDs {
		waiting[id] = true
	}
	var all []homecoming
	var failed error
	for len(waiting) > 0 {
		r, err := s.receipt(ctx)
		if err != nil {
			return c.late(err, "receipt")
		}
		if !waiting[r.ID] {
			continue // of another message
		}
		delete(waiting, r.ID)
		all = append(all, r)
		if !c.JSON {
			fmt.Fprintf(out, "receipt %s %s err:%s (%s)\n", r.ID, r.Stat, r.Err, time.Since(started).Round(time.Millisecond))
		}
		if r.Stat != "DELIVRD" {
			failed = fmt.Errorf("message %s was not delivered: %s err:%s", r.ID, r.Stat, r.Err)
		}
	}
	return errors.Join(c.printJSON(out, a, all), failed)
}

func (c *sendCommand) printJSON(out io.Writer, a answer, receipts []homecoming) error {
	if !c.JSON {
		return nil
	}
	return printValue(out, struct {
		answer
		Receipts []homecoming `json:"receipts,omitempty"`
	}{a, receipts})
}

// late says plainly what a deadline means.
func (c *sendCommand) late(err error, what string) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no %s within %s", what, c.Timeout)
	}
	return err
}

// udh returns the octets of --udh, nil if there are none.
func (c *sendCommand) udh() ([]byte, error) {
	if c.UDH == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(c.UDH, " ", ""))
	if err != nil {
		return nil, fmt.Errorf("--udh %q is not hexadecimal: %w", c.UDH, err)
	}
	if len(b) < 2 || int(b[0]) != len(b)-1 {
		return nil, fmt.Errorf("--udh %q: the first octet must be the length of the rest", c.UDH)
	}
	return b, nil
}
