package main

import (
	"time"

	"smsc/message"
	"smsc/routing"
)

// facts are what plans hang on beside the table: who is registered now, and
// where frontends say that a number is. They are asked for with each message.
func (h *house) facts() routing.Facts {
	return routing.Facts{Now: time.Now(), Registered: h.asks.registered, Located: h.asks.located, Node: h.asks.node}
}

// asks are the questions of facts, made once.
type asks struct {
	registered, located func(string) (link string, ok bool)
	node                func(number string) string
}

func (h *house) newAsks() asks {
	return asks{
		registered: func(value string) (link string, ok bool) {
			return h.presence.Registered(h.catalog.Directory(), value)
		},
		located: func(number string) (link string, ok bool) {
			if rest := h.located.Load(); rest != nil {
				return rest.Located(number)
			}
			return "", false
		},
		node: func(number string) string {
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
