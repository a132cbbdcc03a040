package translate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func minute(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	submitted = minute("2026-11-21 08:09:30")
	ended     = minute("2026-11-21 08:10:59")
)

func TestReceiptTextIsExactlyThis(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	for _, c := range []struct {
		name string
		in   Receipt
		want string
	}{
		{"delivered", Receipt{ID: "890123456789", Sub: 1, Dlvrd: 1, Submit: submitted, Done: ended, Stat: "DELIVRD", Err: "000", Text: "Hello"},
			"id:890123456789 sub:001 dlvrd:001 submit date:2611210809 done date:2611210810 stat:DELIVRD err:000 text:Hello"},
		{"times are UTC", Receipt{ID: "1", Sub: 1, Submit: submitted.In(zone), Done: ended.In(zone), Stat: "UNDELIV", Err: "027"},
			"id:1 sub:001 dlvrd:000 submit date:2611210809 done date:2611210810 stat:UNDELIV err:027 text:"},
		{"short and long codes get three digits", Receipt{ID: "1", Sub: 12, Dlvrd: 255, Submit: submitted, Done: ended, Stat: "UNDELIV", Err: "7"},
			"id:1 sub:012 dlvrd:255 submit date:2611210809 done date:2611210810 stat:UNDELIV err:007 text:"},
		{"a moment nobody knows", Receipt{ID: "1", Sub: 1, Submit: submitted, Stat: "ENROUTE", Err: "0x0410"},
			"id:1 sub:001 dlvrd:000 submit date:2611210809 done date:0000000000 stat:ENROUTE err:000 text:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(AppendReceipt(nil, c.in)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestReceiptTextOfAnyPeerIsRead(t *testing.T) {
	at := minute("2024-01-15 12:30:00")
	for _, c := range []struct {
		name, text string
		want       Receipt
		ok         bool
	}{
		{"our own", "id:17 sub:001 dlvrd:001 submit date:2401151230 done date:2401151230 stat:DELIVRD err:000 text:Hello world",
			Receipt{"17", 1, 1, at, at, "DELIVRD", "000", "Hello world"}, true},
		{"capital Text and lower stat", "id:17 sub:001 dlvrd:001 submit date:2401151230 done date:2401151230 stat:delivrd err:000 Text:hi",
			Receipt{"17", 1, 1, at, at, "DELIVRD", "000", "hi"}, true},
		{"keys in another order", "stat:EXPIRED id:0af err:1 text:x",
			Receipt{ID: "0af", Stat: "EXPIRED", Err: "1", Text: "x"}, true},
		{"twelve digits with seconds", "id:1 submit date:240115123000 stat:UNDELIV",
			Receipt{ID: "1", Submit: at, Stat: "UNDELIV"}, true},
		{"twelve digits with a long year", "id:1 submit date:202401151230 stat:UNDELIV",
			Receipt{ID: "1", Submit: at, Stat: "UNDELIV"}, true},
		{"fourteen digits", "id:1 done date:20240115123000 stat:UNDELIV",
			Receipt{ID: "1", Done: at, Stat: "UNDELIV"}, true},
		{"dates with marks between", "id:1 done date:2024-01-15 12:30:00 stat:UNDELIV",
			Receipt{ID: "1", Done: at, Stat: "UNDELIV"}, true},
		{"a date that is none", "id:1 done date:2413321230 stat:UNDELIV",
			Receipt{ID: "1", Stat: "UNDELIV"}, true},
		{"dates under one word", "id:1 submit_date:2401151230 donedate:2401151230 stat:UNDELIV",
			Receipt{ID: "1", Submit: at, Done: at, Stat: "UNDELIV"}, true},
		{"spaces behind the colons and before", "id : 1 stat: DELIVRD err: 000",
			Receipt{ID: "1", Stat: "DELIVRD", Err: "000"}, true},
		{"commas and lines between the fields", "ID:1,SUB:001,STAT:DELIVRD\r\nERR:0",
			Receipt{ID: "1", Sub: 1, Stat: "DELIVRD", Err: "0"}, true},
		{"err of many characters", "id:1 stat:UNDELIV err:00001B2C text:",
			Receipt{ID: "1", Stat: "UNDELIV", Err: "00001B2C"}, true},
		{"an id in braces and hyphens stays", "id:{3F25-04E0} stat:DELIVRD",
			Receipt{ID: "{3F25-04E0}", Stat: "DELIVRD"}, true},
		{"an excerpt that speaks like a receipt", "id:1 stat:UNDELIV err:001 text:id:2 stat:DELIVRD err:000",
			Receipt{ID: "1", Stat: "UNDELIV", Err: "001", Text: "id:2 stat:DELIVRD err:000"}, true},
		{"the first of two counts", "id:1 id:2 stat:UNDELIV stat:DELIVRD",
			Receipt{ID: "1", Stat: "UNDELIV"}, true},
		{"text in front", "text:good bye id:1 stat:DELIVRD",
			Receipt{ID: "1", Stat: "DELIVRD", Text: "good bye"}, true},
		{"without an id", "stat:DELIVRD err:000", Receipt{Stat: "DELIVRD", Err: "000"}, false},
		{"without a stat", "id:1 err:000", Receipt{ID: "1", Err: "000"}, false},
		{"an ordinary text", "my idea: stay at home", Receipt{}, false},
		{"nothing", "", Receipt{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := ParseReceipt(c.text)
			if ok != c.ok || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v\nwant %+v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestEveryEndHasItsWordAndCode(t *testing.T) {
	for _, c := range []struct {
		name      string
		about     message.About
		stat, err string
		dlvrd     int
	}{
		{"delivered", message.About{Phase: message.Done}, "DELIVRD", "000", 1},
		{"taken by staff", message.About{Phase: message.Done, Word: "ACCEPTD"}, "ACCEPTD", "000", 1},
		{"delivered, whatever code came", message.About{Phase: message.Done, Code: "123"}, "DELIVRD", "000", 1},
		{"failed, the carrier said how", message.About{Phase: message.Failed, Cause: message.Barred, Word: "UNDELIV", Code: "217"}, "UNDELIV", "217", 0},
		{"failed, the carrier's code is no code", message.About{Phase: message.Failed, Cause: message.Absent, Code: "1B2C"}, "UNDELIV", "027", 0},
		{"failed, the word does not fit", message.About{Phase: message.Failed, Cause: message.Barred, Word: "DELIVRD"}, "REJECTD", "010", 0},
		{"failed, deleted by the carrier", message.About{Phase: message.Failed, Cause: message.Barred, Word: "DELETED"}, "DELETED", "010", 0},
		{"failed without a reason", message.About{Phase: message.Failed}, "UNDELIV", "041", 0},
		{"expired with its last failure", message.About{Phase: message.Expired, Cause: message.Absent}, "EXPIRED", "027", 0},
		{"expired, nothing known", message.About{Phase: message.Expired, Cause: message.TimeExpired}, "EXPIRED", "041", 0},
		{"expired, the last word was UNKNOWN", message.About{Phase: message.Expired, Word: "UNKNOWN"}, "UNKNOWN", "041", 0},
		{"expired, the last word was ACCEPTD", message.About{Phase: message.Expired, Word: "ACCEPTD"}, "ACCEPTD", "041", 0},
		{"expired, an older word", message.About{Phase: message.Expired, Word: "ENROUTE"}, "EXPIRED", "041", 0},
		{"cancelled", message.About{Phase: message.Cancelled}, "DELETED", "010", 0},
		{"dropped", message.About{Phase: message.Dropped}, "REJECTD", "010", 0},
		{"answered by a service", message.About{Phase: message.Dropped, Word: "DELIVRD"}, "DELIVRD", "000", 1},
		{"not ended", message.About{Phase: message.Waiting, Cause: message.MemoryFull}, "ENROUTE", "022", 0},
		{"on its way", message.About{Phase: message.Sent}, "ENROUTE", "000", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.about.ID, c.about.Excerpt = 4711, "Hi"
			c.about.Submitted, c.about.Done = submitted, ended
			want := Receipt{"4711", 1, c.dlvrd, submitted, ended, c.stat, c.err, "Hi"}
			if got := ReceiptOf(&c.about); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestStateWordsHaveNumbers(t *testing.T) {
	for stat, want := range map[string]uint8{
		"ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5,
		"ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8, "SCHEDULED": 0, "SKIPPED": 9,
	} {
		if got := MessageState(stat); got != want {
			t.Errorf("MessageState(%s) = %d, want %d", stat, got, want)
		}
		if got := StatOfState(want); got != stat {
			t.Errorf("StatOfState(%d) = %s, want %s", want, got, stat)
		}
	}
	if MessageState("FAILED") != 5 || MessageState("BUFFERED") != 7 || StatOfState(10) != "UNKNOWN" {
		t.Error("words and numbers that are none")
	}
}

func TestReceiptsOfCarriersMeanSomething(t *testing.T) {
	for _, c := range []struct {
		stat, err  string
		result     message.Result
		cause      message.Cause
		word, code string
	}{
		{"DELIVRD", "000", message.Delivered, message.CauseNone, "DELIVRD", "000"},
		{"UNDELIV", "001", message.Refused, message.UnknownNumber, "UNDELIV", "001"},
		{"UNDELIV", "022", message.Refused, message.MemoryFull, "UNDELIV", "022"},
		{"UNDELIV", "999", message.Refused, message.Absent, "UNDELIV", "999"},
		{"UNDELIV", "00012", message.Refused, message.Absent, "UNDELIV", ""},
		{"FAILED", "1", message.Refused, message.Absent, "UNDELIV", ""},
		{"SKIPPED", "", message.Refused, message.Absent, "UNDELIV", ""},
		{"REJECTD", "555", message.Refused, message.Barred, "REJECTD", "555"},
		{"REJECTD", "021", message.Refused, message.NoCredit, "REJECTD", "021"},
		{"REJECTD", "027", message.Refused, message.Barred, "REJECTD", "027"},
		{"DELETED", "000", message.Refused, message.Barred, "DELETED", "000"},
		{"EXPIRED", "027", message.Refused, message.TimeExpired, "EXPIRED", "027"},
		{"ACCEPTD", "000", message.Relayed, message.CauseNone, "ACCEPTD", "000"},
		{"ENROUTE", "000", message.Relayed, message.CauseNone, "ENROUTE", "000"},
		{"UNKNOWN", "000", message.Relayed, message.CauseNone, "UNKNOWN", "000"},
		{"SCHEDULED", "000", message.Relayed, message.CauseNone, "", "000"},
		{"BUFFERED", "", message.Relayed, message.CauseNone, "", ""},
	} {
		t.Run(c.stat+" "+c.err, func(t *testing.T) {
			got := OutcomeOf(Receipt{Stat: c.stat, Err: c.err})
			if got.Result != c.result || got.Cause != c.cause || got.Word != c.word || got.Code != c.code {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestExcerptIsSafeInEveryAlphabet(t *testing.T) {
	for _, c := range []struct {
		name string
		body message.Body
		want string
	}{
		{"a short text", TextBody("Hello, world!"), "Hello, world!"},
		{"twenty characters", TextBody("12345678901234567890abc"), "12345678901234567890"},
		{"what is another octet in GSM", TextBody("a@b$c_d[e]"), "a?b?c?d?e?"},
		{"what is no octet at all", TextBody("да 😀!"), "?? ?!"},
		{"a line break", TextBody("a\nb"), "a?b"},
		{"half an escape", GSM7Body([]byte("5\x1b")), "5"},
		{"octets", octetsBody(message.Octets, []byte("abc")), ""},
		{"nothing", message.Body{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Excerpt(c.body); got != c.want {
				t.Errorf("Excerpt = %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzParseReceipt(f *testing.F) {
	f.Add("id:17 sub:001 dlvrd:001 submit date:2401151230 done date:2401151230 stat:DELIVRD err:000 text:Hello world")
	f.Add("text:id:1 stat:2 ID : 3,STAT:4")
	f.Add("id: stat: text:")
	f.Fuzz(func(t *testing.T, text string) {
		first, ok := ParseReceipt(text)
		if !ok {
			return
		}
		written := string(AppendReceipt(nil, first))
		if strings.Count(written, ":") < 8 {
			t.Fatalf("fields lost: %s", written)
		}
		second, ok := ParseReceipt(written)
		if !ok || second.ID != first.ID || second.Stat != first.Stat {
			t.Fatalf("%+v came back as %+v by %q", first, second, written)
		}
		if again := string(AppendReceipt(nil, second)); again != written {
			t.Fatalf("not stable:\n%q\n%q", written, again)
		}
	})
}

func BenchmarkParseReceipt(b *testing.B) {
	text := string(AppendReceipt(nil, Receipt{ID: "890123456789", Sub: 1, Dlvrd: 1, Submit: submitted, Done: ended, Stat: "DELIVRD", Err: "000", Text: "Your parcel will arr"}))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseReceipt(text); !ok {
			b.Fatal(text)
		}
	}
}

func BenchmarkAppendReceipt(b *testing.B) {
	r := Receipt{ID: "890123456789", Sub: 1, Dlvrd: 1, Submit: submitted, Done: ended, Stat: "DELIVRD", Err: "000", Text: "Your parcel will arr"}
	dst := make([]byte, 0, 200)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendReceipt(dst[:0], r)
	}
}

func ExampleAppendReceipt() {
	r := ReceiptOf(&message.About{ID: 4711, Phase: message.Failed, Cause: message.UnknownNumber, Submitted: submitted, Done: ended, Excerpt: "Hello"})
	fmt.Println(string(AppendReceipt(nil, r)))
	// Output: id:4711 sub:001 dlvrd:000 submit date:2611210809 done date:2611210810 stat:UNDELIV err:001 text:Hello
}
