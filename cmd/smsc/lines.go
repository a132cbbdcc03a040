package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
)

// lineChunk is how much of a file is read at once, going back.
const lineChunk = 256 << 10

// headLine returns the first line of a file without its end; nil if there is
// no whole one.
func headLine(file *os.File) ([]byte, error) {
	line, err := bufio.NewReader(io.NewSectionReader(file, 0, lineChunk)).ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}

// lines calls f for each whole line of a file with its place, from begin on,
// or behind the line at the place after.
func lines(file *os.File, begin, after int64, f func(at int64, line []byte) (bool, error)) error {
	at := max(begin, after)
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(file, lineChunk)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil // no line of ours is that long
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if at != after || after == 0 {
			if more, err := f(at, line[:len(line)-1]); err != nil || !more {
				return err
			}
		}
		at += int64(len(line))
	}
}

// linesBack does the same from the end of the file, or from before the line
// at the place before (0: the end), down to begin.
func linesBack(file *os.File, begin, before int64, f func(at int64, line []byte) (bool, error)) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	end := info.Size()
	if before > 0 {
		end = min(end, before)
	}
	var tail []byte // what was read and is not yet a whole line
	for end > begin {
		from := max(begin, end-lineChunk)
		chunk := make([]byte, end-from, int(end-from)+len(tail))
		if _, err := file.ReadAt(chunk, from); err != nil {
			return err
		}
		tail, end = append(chunk, tail...), from
		for {
			// The last octet ends the last line; what comes before it begins behind
			// the end of the one before.
			i := bytes.LastIndexByte(bytes.TrimSuffix(tail, []byte("\n")), '\n')
			if i < 0 && end > begin {
				break
			}
			line := tail[i+1:]
			at := end + int64(i+1)
			if bytes.HasSuffix(line, []byte("\n")) { // else it is still being written
				if more, err := f(at, bytes.TrimSuffix(line, []byte("\n"))); err != nil || !more {
					return err
				}
			}
			if tail = tail[:i+1]; i < 0 {
				return nil
			}
		}
		if len(tail) > 4*lineChunk {
			return nil // no line of ours is that long
		}
	}
	return nil
}
