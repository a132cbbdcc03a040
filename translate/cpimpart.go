package translate

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"

	"smsc/message"
)

// part reads the inner part. Its header names are those of MIME, which have
// no case.
func (c *CPIM) part(headers []cpimHeader, content []byte) error {
	encoding := ""
	for _, h := range headers {
		switch strings.ToLower(h.name) {
		case "content-type":
			if hasControl(h.value) {
				return message.Errorf(message.BadContent, "Content-Type of the inner part is malformed")
			}
			c.ContentType = h.value
		case "content-disposition":
			kind, _, _ := strings.Cut(h.value, ";")
			c.Disposition = strings.ToLower(strings.TrimSpace(kind))
		case "content-transfer-encoding":
			encoding = strings.ToLower(h.value)
		}
	}
	if c.ContentType != "" {
		if _, _, err := mime.ParseMediaType(c.ContentType); err != nil {
			return message.Errorf(message.BadContent, "Content-Type of the inner part is malformed")
		}
	}
	var err error
	c.Content, err = Untransfer(encoding, content)
	return err
}

// Untransfer undoes a Content-Transfer-Encoding (RFC 2045 §6), "" for none.
// What needs no change is returned as it is. The error is BadContent.
func Untransfer(encoding string, content []byte) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "", "7bit", "8bit", "binary":
		return content, nil
	case "base64":
		plain, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(content)))
		if err != nil {
			return nil, message.Errorf(message.BadContent, "content is not base64")
		}
		return plain, nil
	case "quoted-printable":
		plain, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(content)))
		if err != nil {
			return nil, message.Errorf(message.BadContent, "content is not quoted-printable")
		}
		return plain, nil
	}
	return nil, message.Errorf(message.BadContent, "Content-Transfer-Encoding is not known")
}
