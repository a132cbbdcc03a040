package main

import (
	"time"

	"smsc/message"
	"smsc/routing"
)

// facts are what plans hang on beside the table: who is registered now, and
// where frontends say that a number is.
func (h *house) facts() routing.Facts {
	return routing.Facts{
		Now: time.Now(),
		Registered: func(value string) (link string, ok bool) {
			return h.presence.Registered(h.catalog.Directory(), value)
		},
		Located: func(number string) (link string, ok bool) {
			if rest := h.located.Load(); rest != nil {
				return rest.Located(number)
			}
			return "", false
		},
		Node: func(number string) string {
			if rest := h.located.Load(); rest != nil {
				return rest.ServingNode(number)
			}
			return ""
		},
	}
}

// hops are the links that a message would leave by if it came now.
func (h *house) hops(m *message.Message) []string {
	plan, err := h.intake.Preview(m)
	if err != nil {
		return nil
	}
	links := make([]string, len(plan.Hops))
	for i := range plan.Hops {
		links[i] = plan.Hops[i].Link
	}
	return links
}

// plan is where a message would go now.
func (h *house) plan(m *message.Message) routing.Plan {
	return h.catalog.Directory().Table().Plan(m, h.facts())
}
