package tenant

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
)

// packAbove is the size above which a saved document is compressed: ten
// megabytes, fifty revisions of them, become a tenth.
const packAbove = 64 << 10

// maxUnpacked is more than the largest document and its stamps take.
const maxUnpacked = 16 * maxDocument

// gzipMagic begins what is compressed (RFC 1952 §2.3.1); no JSON does.
const gzipMagic = "\x1f\x8b"

// pack writes the record of a revision.
func pack(s saved) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil || len(plain) <= packAbove {
		return plain, err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plain)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// unpack reads what pack wrote.
func unpack(data []byte, s *saved) error {
	if bytes.HasPrefix(data, []byte(gzipMagic)) {
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if data, err = io.ReadAll(io.LimitReader(r, maxUnpacked)); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, s)
}
