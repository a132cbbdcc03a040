package restapi

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// recordSum is what the records of one group come to.
type recordSum struct {
	Account   *string `json:"account,omitempty"`
	Link      *string `json:"link,omitempty"`
	Status    *string `json:"status,omitempty"`
	Cause     *string `json:"cause,omitempty"`
	Messages  int     `json:"messages"`
	Parts     int     `json:"parts"`
	Delivered int     `json:"delivered"`
	Attempts  int     `json:"attempts"`
	Cost      string  `json:"cost"`

	key  [4]string
	cost int64 // in millionths
}

// groupColumns are what records can be summed up by.
var groupColumns = [...][2]string{{"account", colAccount}, {"link", colLink}, {"status", "status"}, {"cause", "cause"}}

// maxGroups bounds the sums of one answer.
const maxGroups = 10_000

// sumRecords answers with sums of records by account, link, status or cause.
func (c *call) sumRecords(f *recordFilter, files []RecordFile, by []string) error {
	for _, word := range by {
		if !slices.ContainsFunc(groupColumns[:], func(g [2]string) bool { return g[0] == word }) {
			return invalid("query.group", "must be a list of account, link, status and cause")
		}
	}
	sums, seen := map[[4]string]*recordSum{}, 0
	for _, file := range files {
		c.extend(0)
		err := c.readRecords(f, file.Name, 0, false, &seen, func(_ int64, r *recordRow) bool {
			var key [4]string
			for i, g := range groupColumns {
				if slices.Contains(by, g[0]) {
					key[i] = r.get(g[1])
				}
			}
			sum := sums[key]
			if sum == nil {
				if len(sums) >= maxGroups {
					return true
				}
				sum = &recordSum{key: key}
				sums[key] = sum
			}
			sum.add(r)
			return true
		})
		if err != nil {
			return err
		}
	}
	out := make([]*recordSum, 0, len(sums))
	for _, sum := range sums {
		sum.name(by)
		out = append(out, sum)
	}
	slices.SortFunc(out, func(a, b *recordSum) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), slices.Compare(a.key[:], b.key[:]))
	})
	return c.encode(out)
}

func (s *recordSum) add(r *recordRow) {
	number := func(column string) int {
		n, _ := strconv.Atoi(r.get(column)) // empty is none
		return n
	}
	s.Messages++
	s.Parts += number("msg_parts")
	s.Attempts += number("delivery_count")
	if r.get("status") == "delivered" {
		s.Delivered++
	}
	s.cost += millionths(r.get("cost"))
}

// name fills in what s was summed up by.
func (s *recordSum) name(by []string) {
	for i, into := range [...]**string{&s.Account, &s.Link, &s.Status, &s.Cause} {
		if slices.Contains(by, groupColumns[i][0]) {
			*into = &s.key[i]
		}
	}
	whole, rest := s.cost/1_000_000, s.cost%1_000_000
	s.Cost = strconv.FormatInt(whole, 10) + "." + strconv.FormatInt(1_000_000+max(rest, -rest), 10)[1:]
}

// millionths reads a decimal string; more digits than six are cut.
func millionths(s string) int64 {
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(or(whole, "0"), 10, 48)
	if err != nil {
		return 0
	}
	part = (part + "000000")[:6]
	m, err := strconv.ParseInt(part, 10, 32)
	if err != nil {
		return 0
	}
	return n*1_000_000 + m
}
