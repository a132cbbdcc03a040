package ro

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

func TestOnlyMessagesOfPossibleLengthsAreRead(t *testing.T) {
	message := func(length, octets int) []byte {
		m := make([]byte, octets)
		m[0], m[1], m[2], m[3] = 1, byte(length>>16), byte(length>>8), byte(length)
		return m
	}
	whole := append(message(leastMessage, leastMessage), message(mostMessage, mostMessage)...)
	for name, c := range map[string]struct {
		octets []byte
		ok     bool
	}{
		"one after the other":           {whole, true},
		"one cut off":                   {message(100, 50), true},
		"shorter than its header":       {append(whole, message(leastMessage-1, 30)...), false},
		"of no length":                  {message(0, 30), false},
		"longer than any answer can be": {message(mostMessage+1, 30), false},
	} {
		t.Run(name, func(t *testing.T) {
			for way, r := range map[string]io.Reader{
				"at once": bytes.NewReader(c.octets), "octet by octet": iotest.OneByteReader(bytes.NewReader(c.octets)),
			} {
				got, err := io.ReadAll(&frames{r: r})
				if (err == nil) != c.ok || c.ok && !bytes.Equal(got, c.octets) {
					t.Errorf("%s: %d octets, %v", way, len(got), err)
				}
			}
		})
	}
}
