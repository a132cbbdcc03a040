package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"smsc/tenant"
)

type checkCommand struct {
	Config    string `placeholder:"FILE" help:"Static configuration (default: ./smsc.yaml if it exists, else the defaults)."`
	Provision string `placeholder:"FILE" help:"Declared objects: accounts, links, routes, numbers."`
}

// Help is the manual of the command.
func (checkCommand) Help() string {
	return `Reads both files whole and prints every fault as "file:line: path: what is wrong". Exit code 1 if there is any.

  smsc check --config smsc.yaml --provision provision.yaml`
}

// Run prints what is wrong with the two files, apart and together.
func (c *checkCommand) Run(out io.Writer) error {
	cfg, doc, faults, err := c.read()
	if err != nil {
		return usage(err)
	}
	for _, f := range faults {
		fmt.Fprintln(out, f)
	}
	for _, w := range cfg.warnings(doc) {
		fmt.Fprintln(out, "warning:", w)
	}
	if len(faults) > 0 {
		return &exitError{code: exitFailed, err: fmt.Errorf("%s", plural(len(faults), "fault"))}
	}
	fmt.Fprintln(out, "ok")
	return nil
}

// read loads both files and finds every fault in them.
func (c *checkCommand) read() (config, tenant.Document, []tenant.Fault, error) {
	cfg, at, faults, err := loadConfig(c.Config)
	if err != nil || c.Provision == "" {
		return cfg, tenant.Document{}, faults, err
	}
	data, err := os.ReadFile(c.Provision)
	if err != nil {
		return cfg, tenant.Document{}, faults, fmt.Errorf("provision: %w", err)
	}
	doc, more := tenant.ParseDocument(c.Provision, data, tenant.Insecure(cfg.Insecure))
	faults = append(faults, more...)
	for _, f := range cfg.openDoors(doc) {
		faults = append(faults, at(f.path, f.what))
	}
	return cfg, doc, faults, nil
}

// refuse prints faults and returns the error of a start they prevent.
func refuse(out io.Writer, faults []tenant.Fault) error {
	for _, f := range faults {
		fmt.Fprintln(out, f)
	}
	return usage(errors.New(plural(len(faults), "fault") + " in the configuration; nothing was started"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
