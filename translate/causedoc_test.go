package translate

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"smsc/message"
)

var update = flag.Bool("update", false, "rewrite the files that are printed from tables")

const causesFile = "../docs/causes.md"

// TestCausesPageIsPrintedFromTheTable compares docs/causes.md with the tables
// of this package; with -update it writes the page.
func TestCausesPageIsPrintedFromTheTable(t *testing.T) {
	want := causesPage()
	if *update {
		if err := os.WriteFile(causesFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(causesFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/causes.md is not what the table says: go test ./translate -run CausesPage -update")
	}
}

func causesPage() string {
	var b strings.Builder
	b.WriteString(`# Causes: why a message did not go well, in every protocol

Printed from the table in ` + "`translate/cause.go`" + ` by its test (` + "`go test ./translate -run CausesPage -update`" + `). Do not edit.

A dash: the cause cannot happen there. For an expired message its last real failure speaks, where one is known.

## What we answer

| cause | temporary | SIP | SIP, at the end | SMPP status | to deliver_sm | delivery_failure_reason | HTTP | RP cause | TP-FCS | stat | err |
|---|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, c := range message.Causes() {
		r := reasons[c]
		temporary := "yes"
		switch {
		case c == message.TimeExpired:
			temporary = "end"
		case c.Permanent():
			temporary = "no"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %d | %s | %s | %s | %s | %s |\n", c, temporary,
			cell("%d", r.sip), cell("%d", r.sipEnd), cell("0x%02X", r.smpp), cell("0x%02X", r.receiver),
			r.failure, cell("%d", r.http), cell("%d", r.rp), cell("%02X", r.fcs), r.stat, cell("%s", r.err))
	}
	b.WriteString(`
The finer cases: SIP 401 with a challenge before sign-in, 415 and 488 for content that another form would carry; SMPP 0x0A for a barred
source, 0x0E at bind; RP 8 for a barred sender, 28 for an unknown one, 21 for content that can be read and is not wanted.
SIP never answers 408 or 429.

## What we read

`)
	b.WriteString("| SMPP status | result | cause |\n|---|---|---|\n")
	writeReadings(&b, 0x500, "0x%02X", func(n int) (message.Result, message.Cause) { return CauseOfSMPP(uint32(n)) }, laterInternal)
	b.WriteString("| any other | Deferred | internal |\n\n| delivery_failure_reason with 0xFE | result | cause |\n|---|---|---|\n")
	writeReadings(&b, 4, "%d", func(n int) (message.Result, message.Cause) { return CauseOfFailureReason(uint8(n)) }, verdict{})
	b.WriteString("\n| SIP answer | result | cause |\n|---|---|---|\n")
	writeReadings(&b, 700, "%d", func(n int) (message.Result, message.Cause) {
		if n < 200 {
			return message.Unsure, message.CauseNone // no final answer
		}
		return CauseOfSIP(n)
	}, verdict{})
	b.WriteString("\nSMPP 0x00 and SIP 202 count as Delivered where the peer never reports.\n\n| RP cause | cause |\n|---|---|\n")
	for _, c := range message.Causes() {
		var numbers []string
		for n := range uint8(128) {
			if got, ok := CauseOfRP(n); ok && got == c {
				numbers = append(numbers, fmt.Sprint(n))
			}
		}
		if numbers != nil {
			fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(numbers, " "), c)
		}
	}
	b.WriteString("| any other | bad_content |\n")
	return b.String()
}

func cell[T comparable](format string, v T) string {
	var dash T
	if v == dash {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// writeReadings prints the numbers below limit that read alike on one line;
// those that read as rest are left out.
func writeReadings(b *strings.Builder, limit int, format string, read func(int) (message.Result, message.Cause), rest verdict) {
	numbers := map[verdict][]int{}
	var order []verdict
	for n := range limit {
		r, c := read(n)
		v := verdict{r, c}
		if v == rest {
			continue
		}
		if numbers[v] == nil {
			order = append(order, v)
		}
		numbers[v] = append(numbers[v], n)
	}
	for _, v := range order {
		word := v.cause.String()
		if word == "" {
			word = "-"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", ranges(numbers[v], format), v.result, word)
	}
}

// ranges writes 400 402 403 404 as "400 402-404".
func ranges(numbers []int, format string) string {
	var words []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		word := fmt.Sprintf(format, numbers[i])
		if j > i {
			word += "-" + fmt.Sprintf(format, numbers[j])
		}
		words, i = append(words, word), j+1
	}
	return strings.Join(words, " ")
}
