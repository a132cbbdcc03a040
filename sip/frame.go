package sip

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

var (
	headEnd     = []byte("\r\n\r\n")
	errNoLength = errors.New("header Content-Length is missing on a stream")
	errLength   = errors.New("header Content-Length is not a number")
)

// frame returns the size of the first whole message in b: 0 if it is not all
// there yet. Line ends before a start line are messages of their own.
func frame(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if b[0] == '\r' || b[0] == '\n' {
		n := 0
		for n < len(b) && (b[n] == '\r' || b[n] == '\n') && n < 4 {
			n++
		}
		if n == 1 && len(b) == 1 || n == 3 && len(b) == 3 || n == 2 && len(b) == 2 {
			// A pair may be the first half of a ping; it is skipped when more
			// comes, and no answer is owed for it.
			return 0, nil
		}
		if n < 4 {
			return n, nil
		}
		return 4, nil
	}
	end := bytes.Index(b, headEnd)
	if end < 0 {
		if len(b) > maxMessage {
			return 0, errTooLarge
		}
		return 0, nil
	}
	length, err := contentLength(b[:end])
	switch total := end + len(headEnd) + length; {
	case err != nil:
		return 0, err
	case total > maxMessage:
		return 0, errTooLarge
	case total > len(b):
		return 0, nil
	default:
		return total, nil
	}
}

// contentLength finds the one header that frames a stream.
func contentLength(head []byte) (int, error) {
	found := -1
	for len(head) > 0 {
		var line []byte
		line, head, _ = bytes.Cut(head, []byte("\r\n"))
		if len(line) == 0 || line[0]|0x20 != 'c' && line[0]|0x20 != 'l' {
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		name = strings.TrimRight(name, " \t")
		if !ok || !sameName(name, "Content-Length") && !sameName(name, "l") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
		if err != nil || found >= 0 && found != int(n) {
			return 0, errLength
		}
		found = int(n)
	}
	if found < 0 {
		return 0, errNoLength
	}
	return found, nil
}
