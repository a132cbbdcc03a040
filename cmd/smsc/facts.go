package main

import "smsc/routing"

// facts are what plans hang on beside the table: who is registered now.
func (h *house) facts() routing.Facts {
	return routing.Facts{Registered: func(value string) (link string, ok bool) {
		return h.presence.Registered(h.catalog.Directory(), value)
	}}
}
