package restapi

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"smsc/message"
)

// sidCipher turns ids into sids and back: "SM" and the 32 hexadecimal digits
// of the id enciphered as one AES block, so a sid needs no look-up and cannot
// be guessed from its neighbours.
type sidCipher struct{ block cipher.Block }

// openSIDs reads the key from the shelf and makes it where there is none: a
// sid means the same message for as long as the data folder lives.
func openSIDs(ctx context.Context, shelf Shelf) (*sidCipher, error) {
	key, ok, err := shelf.Get(ctx, "rest", "sid")
	if err != nil {
		return nil, fmt.Errorf("reading the key of the sids: %w", err)
	}
	if !ok {
		key = make([]byte, 16)
		if _, err = rand.Read(key); err != nil {
			return nil, err
		}
		if err = shelf.Set(ctx, "rest", "sid", key, time.Time{}); err != nil {
			return nil, fmt.Errorf("keeping the key of the sids: %w", err)
		}
	}
	block, err := aes.NewCipher(key)
	return &sidCipher{block}, err
}

// append writes the sid of id, without quotation marks.
func (c *sidCipher) append(dst []byte, id message.ID) []byte {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[8:], uint64(id))
	c.block.Encrypt(b[:], b[:])
	dst = append(dst, "SM"...)
	return hex.AppendEncode(dst, b[:])
}

// parse reads what {id} may be: the number or the sid.
func (c *sidCipher) parse(s string) (message.ID, bool) {
	if len(s) != 34 || s[:2] != "SM" {
		return message.ParseID(s)
	}
	b, err := hex.DecodeString(s[2:])
	if err != nil {
		return 0, false
	}
	c.block.Decrypt(b, b)
	id := message.ID(binary.BigEndian.Uint64(b[8:]))
	if binary.BigEndian.Uint64(b[:8]) != 0 || id == 0 || id > message.MaxID {
		return 0, false
	}
	return id, true
}
