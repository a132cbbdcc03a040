package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"smsc/tenant"
)

type serveCommand struct {
	checkCommand `embed:""`
}

// Help is the manual of the command.
func (serveCommand) Help() string {
	return `Without --config: ./smsc.yaml if it exists, else the defaults (SIP 5060, SMPP 2775 and HTTP 8080 on loopback, data in ./data).
--provision is applied when nothing was ever declared; afterwards ` + "`smsc apply`" + ` changes what is declared.

Prints one line when everything listens:
  ready sip=udp:127.0.0.1:5060,tcp:127.0.0.1:5060 smpp=tcp:127.0.0.1:2775 http=http:127.0.0.1:8080

SIGTERM and SIGINT stop accepting, finish what is in flight and exit 0. A second one ends at once.
The operator's key lies in the data folder, file operator.key.`
}

// Run runs the server until a signal or a fault ends it.
func (c *serveCommand) Run(out io.Writer) error {
	cfg, doc, faults, err := c.read()
	if err != nil {
		return usage(err)
	}
	if len(faults) > 0 {
		return refuse(os.Stderr, faults)
	}
	var declared *tenant.Document
	if c.Provision != "" {
		declared = &doc
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	log, logs := newLogger(cfg.Log, os.Stderr)
	h, err := openHouse(cfg, declared, log, logs)
	if err != nil {
		return usage(err)
	}
	for _, w := range cfg.forgeable(doc) {
		h.log.Warn().Msg(w)
	}
	h.start()
	fmt.Fprintln(out, h.readyLine())
	return h.untilStopped(signals)
}

// readyLine tells that everything listens, and where.
func (h *house) readyLine() string {
	sip, smpp, http := h.addresses()
	return fmt.Sprintf("ready sip=%s smpp=%s http=%s", strings.Join(sip, ","), strings.Join(smpp, ","), strings.Join(http, ","))
}

// untilStopped waits for a signal or a part that failed, and takes the house
// down in order.
func (h *house) untilStopped(signals <-chan os.Signal) error {
	var failure error
	select {
	case s := <-signals:
		h.log.Info().Stringer("signal", s).Msg("stopping")
	case failure = <-h.failed:
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		h.drain(ctx)
		close(drained)
	}()
	select {
	case <-drained:
	case s := <-signals:
		h.log.Warn().Stringer("signal", s).Msg("stopping at once")
		cancel()
	}
	if err := h.close(); failure == nil {
		failure = err
	}
	return failure
}
