package routing

// Beside adds to links those that a plan may name beside link: where routes to
// both stand in one table and some number has both their prefixes. What waits
// for another link has no reason to look again because link came back.
func (t *Table) Beside(link string, links map[string]bool) {
	for _, e := range t.leading[link] {
		b := t.books[e.Account]
		meet := func(same *[]*entry) {
			for _, other := range *same {
				if other.DestSMSC != "" && other.DestSMSC != link {
					links[other.DestSMSC] = true
				}
			}
		}
		all := func(c *callers) {
			meet(&c.any)
			if c.some != nil {
				c.some.each(e.calling, func(_ int, same *[]*entry) { meet(same) })
				c.some.below(e.calling, meet)
			}
		}
		b.enabled.each(e.called, func(_ int, c *callers) { all(c) })
		b.enabled.below(e.called, all)
	}
}
