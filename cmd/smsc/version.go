package main

import (
	"fmt"
	"io"
	"runtime"
)

// version is the release; a build may set it with -ldflags "-X main.version=...".
var version = "0.1.0"

type versionCommand struct{}

// Run prints the release and the Go that built it.
func (versionCommand) Run(out io.Writer) error {
	_, err := fmt.Fprintf(out, "smsc %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
