package main

import (
	"runtime/debug"

	"smsc/tenant"
)

// giveBackAbove is how many declared links and routes make reading them worth
// the look at the whole heap that giving memory back takes.
const giveBackAbove = 10_000

// giveBack returns what reading a large document took to the system, which
// else keeps several times the size of the document for minutes.
func giveBack(d *tenant.Directory) {
	if len(d.Links())+d.Table().Routes() > giveBackAbove {
		go debug.FreeOSMemory()
	}
}
