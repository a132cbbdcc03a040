// Command smsc is a SIP-centric Short Message Service Centre in one binary:
// the server, its tools and a sandbox. It is the wiring of the house: it knows
// every room, and no room knows it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// commands are the subcommands; each one's Run does the work.
type commands struct {
	Sandbox  sandboxCommand  `cmd:"" help:"Run a whole message centre on loopback with a simulated carrier and handset, show one message hop by hop, and stay up to be played with."`
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Check    checkCommand    `cmd:"" help:"Validate configuration files and print every fault."`
	Apply    applyCommand    `cmd:"" help:"Change the declared objects of a running server, whole and atomically."`
	Export   exportCommand   `cmd:"" help:"Print the declared objects of a running server."`
	Send     sendCommand     `cmd:"" help:"Send one message and, with --receipt, wait for its receipt."`
	Messages messagesCommand `cmd:"" help:"List, show, trace, cancel and retry messages."`
	Balance  balanceCommand  `cmd:"" help:"Show what an account has, and top it up."`
	Links    linksCommand    `cmd:"" help:"Show the links with their state."`
	Routes   routesCommand   `cmd:"" help:"List routes and explain which way a message takes."`
	Bench    benchCommand    `cmd:"" help:"Drive load over loopback and measure."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// Exit codes of every command.
const (
	exitFailed = 1 // the thing asked for failed
	exitUsage  = 2 // wrong usage, or a configuration that keeps the command from starting
)

// exitError carries the exit code of a command that did not do what was
// asked. An error without one is exitFailed.
type exitError struct {
	code int
	err  error // nil: everything was said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage marks err as wrong usage or a configuration nothing can start with.
func usage(err error) error { return &exitError{code: exitUsage, err: err} }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with everything handed in, so that tests can call it.
func run(args []string, stdout, stderr io.Writer) (code int) {
	var cmds commands
	exited := -1
	parser, err := kong.New(&cmds,
		kong.Name("smsc"),
		kong.Description("A message centre that speaks SIP as its first language. SIP, SMPP and REST in; carriers, peers, queues and webhooks out; nothing acknowledged before it is on stable storage."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Writers(stdout, stderr),
		kong.Exit(func(c int) { exited = c; panic(errExit) }),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)
	if err != nil {
		fmt.Fprintln(stderr, "smsc:", err)
		return exitUsage
	}
	// Kong calls Exit after it has printed help; the panic unwinds its parser.
	defer func() {
		if r := recover(); r != nil {
			if r != errExit {
				panic(r)
			}
			code = exited
		}
	}()
	ctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "smsc: %v\nsmsc: `smsc --help` and `smsc COMMAND --help` are the manual\n", err)
		return exitUsage
	}
	return report(ctx.Run(), stderr)
}

var errExit = errors.New("exit")

// report prints what went wrong, if it was not said yet, and picks the code.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, "smsc:", text)
	}
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitFailed
}
