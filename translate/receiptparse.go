package translate

import (
	"strconv"
	"strings"
	"time"
)

// field is a key of a receipt text.
type field uint8

const (
	noField field = iota
	fieldID
	fieldSub
	fieldDlvrd
	fieldSubmit
	fieldDone
	fieldStat
	fieldErr
	fieldText
	fields
)

// spellings are the keys of appendix B and what peers make of them.
var spellings = [...]struct {
	key   string
	field field
}{
	{"id", fieldID}, {"sub", fieldSub}, {"dlvrd", fieldDlvrd},
	{"submit date", fieldSubmit}, {"submit_date", fieldSubmit}, {"submitdate", fieldSubmit},
	{"done date", fieldDone}, {"done_date", fieldDone}, {"donedate", fieldDone},
	{"stat", fieldStat}, {"err", fieldErr}, {"text", fieldText},
}

// ParseReceipt reads the receipt text of any peer (SMPP 3.4 appendix B, spec
// smpp §15): keys in any case and order, fields missing, dates of 10, 12 or
// 14 digits, err of any length. Of a key given twice the first counts. Text
// takes all that follows once id and stat are known, so that an excerpt can
// not speak for the carrier. ok tells that there are an id and a stat; the
// fields that were found are returned in any case, since a TLV may hold what
// is missing.
func ParseReceipt(text string) (r Receipt, ok bool) {
	var values [fields]string
	var seen [fields]bool
	open, begin := noField, 0 // the field whose value is being read
	end := func(at int) {
		if open != noField && !seen[open] {
			values[open], seen[open] = strings.Trim(text[begin:at], " \t\r\n,;"), true
		}
	}
	for i := 0; i < len(text); {
		if i > 0 && !between(text[i-1]) {
			i++
			continue
		}
		f, n := keyAt(text[i:])
		if f == noField {
			i++
			continue
		}
		end(i)
		open, begin = f, i+n
		if f == fieldText && len(values[fieldID]) > 0 && len(values[fieldStat]) > 0 {
			break
		}
		i = begin
	}
	end(len(text))

	r.ID = values[fieldID]
	r.Sub, r.Dlvrd = count(values[fieldSub]), count(values[fieldDlvrd])
	r.Submit, r.Done = moment(values[fieldSubmit]), moment(values[fieldDone])
	r.Stat = strings.ToUpper(word(values[fieldStat]))
	r.Err, r.Text = word(values[fieldErr]), values[fieldText]
	return r, r.ID != "" && r.Stat != ""
}

func between(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == ';'
}

// keyAt returns the key that s begins with, and its length with the colon.
func keyAt(s string) (field, int) {
	if len(s) < 3 || s[0]|0x20 < 'd' || s[0]|0x20 > 't' {
		return noField, 0
	}
	for _, k := range &spellings {
		if n := len(k.key); len(s) > n && s[0]|0x20 == k.key[0] && strings.EqualFold(s[:n], k.key) {
			for n < len(s) && s[n] == ' ' {
				n++
			}
			if n < len(s) && s[n] == ':' {
				return k.field, n + 1
			}
		}
	}
	return noField, 0
}

// word returns the first word of a value.
func word(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' }); i >= 0 {
		return s[:i]
	}
	return s
}

func count(s string) int {
	n, err := strconv.ParseUint(word(s), 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// moment reads YYMMDDhhmm, YYMMDDhhmmss, YYYYMMDDhhmm or YYYYMMDDhhmmss with
// anything that is no digit between; zero if it is none of them. Times are
// taken as UTC: receipts name no zone.
func moment(s string) time.Time {
	var digits [14]byte
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		if n == len(digits) {
			return time.Time{}
		}
		digits[n] = s[i]
		n++
	}
	two := func(at int) int { return int(digits[at]-'0')*10 + int(digits[at+1]-'0') }
	switch n {
	case 10:
		return date(2000+two(0), two(2), two(4), two(6), two(8), 0)
	case 12:
		if t := date(2000+two(0), two(2), two(4), two(6), two(8), two(10)); !t.IsZero() {
			return t
		}
		return date(two(0)*100+two(2), two(4), two(6), two(8), two(10), 0)
	case 14:
		return date(two(0)*100+two(2), two(4), two(6), two(8), two(10), two(12))
	}
	return time.Time{}
}

// date is time.Date that knows no 32nd of January.
func date(year, month, day, hour, minute, second int) time.Time {
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Month() != time.Month(month) || t.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}
	}
	return t
}
