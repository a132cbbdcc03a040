package restapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"smsc/message"
)

const (
	idempotencyLife = 24 * time.Hour
	idempotencyKind = "rest.idempotency"
	idempotencyWait = 5 * time.Second

	// extraAnswer holds what a repeat needs of the first answer: the digest of
	// the body, a mark of the one request that created the message, and the
	// dest_smsc that was shown.
	extraAnswer = "rest.answer"
)

// repeat is the Idempotency-Key of one request (spec rest §1.5).
//
// The promise that a message is created once is the store's: Origin.Ref is
// written in the batch of the message. The answer is kept on the shelf just
// after, for the repeats that come; a crash between the two leaves the Ref,
// and the answer is made again from the message.
type repeat struct {
	ref    string // Origin.Ref
	digest string // of the body
	mark   string // of this request
}

// newRepeat reads the key of c's request; nil where it has none.
func (c *call) newRepeat(body []byte) (*repeat, error) {
	key := c.r.Header.Get("Idempotency-Key")
	if key == "" {
		return nil, nil
	}
	if len(key) > 255 || strings.IndexFunc(key, func(r rune) bool { return r < 0x20 || r > 0x7e }) >= 0 {
		return nil, invalid("header.Idempotency-Key", "must be 1 to 255 printable ASCII characters")
	}
	ref := sha256.Sum256([]byte(c.id.Account + "\x00" + c.r.Method + "\x00" + c.r.URL.Path + "\x00" + key))
	digest := sha256.Sum256(body)
	var mark [8]byte
	_, _ = rand.Read(mark[:]) // never fails (crypto/rand)
	return &repeat{
		ref:    "idem:" + hex.EncodeToString(ref[:16]),
		digest: hex.EncodeToString(digest[:]),
		mark:   hex.EncodeToString(mark[:]),
	}, nil
}

// replay gives the first answer again, or refuses a key that was used for
// another body. The caller holds the lock of the key.
func (c *call) replay(r *repeat) (done bool, err error) {
	kept, ok, err := c.s.deps.Shelf.Get(c.r.Context(), idempotencyKind, r.ref)
	if err != nil || !ok {
		return false, err
	}
	digest, rest, _ := strings.Cut(string(kept), " ")
	text, body, _ := strings.Cut(rest, " ")
	id, readable := message.ParseID(text)
	if digest != r.digest || !readable {
		return false, errMismatch()
	}
	c.w.Header().Set("Idempotent-Replayed", "true")
	return true, c.created(id, []byte(body))
}

// remember keeps the answer for repeats. Refusals are not remembered.
func (c *call) remember(r *repeat, id message.ID, body []byte) {
	kept := append([]byte(r.digest+" "+id.String()+" "), body...)
	ctx := context.WithoutCancel(c.r.Context())
	if err := c.s.deps.Shelf.Set(ctx, idempotencyKind, r.ref, kept, time.Now().Add(idempotencyLife)); err != nil {
		// The message is stored and its Ref with it: the answer stands.
		c.s.log.Error().Err(err).Str("request", c.requestID).Msg("an answer cannot be kept for its repeat")
	}
}

// answer is what Message.Extra keeps for a repeat.
func (r *repeat) answer(dest string) string { return r.digest + " " + r.mark + " " + dest }

// first compares the message that was found under the key with this request:
// whether this request is the one that created it, and the dest_smsc that was
// answered then.
func (r *repeat) first(m *message.Message) (mine bool, dest string, err error) {
	digest, rest, _ := strings.Cut(m.Extra[extraAnswer], " ")
	mark, dest, _ := strings.Cut(rest, " ")
	if digest != r.digest {
		return false, "", errMismatch()
	}
	return mark == r.mark, dest, nil
}

func errMismatch() error {
	return refuse("idempotency_mismatch", "this Idempotency-Key was used with another body")
}

// keyLocks lets one request at a time run under an Idempotency-Key.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the holder is done
}

func newKeyLocks() *keyLocks { return &keyLocks{held: map[string]chan struct{}{}} }

// lock waits for its turn at most idempotencyWait.
func (k *keyLocks) lock(ctx context.Context, ref string) (unlock func(), err error) {
	timer := time.NewTimer(idempotencyWait)
	defer timer.Stop()
	for {
		k.mu.Lock()
		busy := k.held[ref]
		if busy == nil {
			done := make(chan struct{})
			k.held[ref] = done
			k.mu.Unlock()
			return func() {
				k.mu.Lock()
				delete(k.held, ref)
				k.mu.Unlock()
				close(done)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-busy:
		case <-timer.C:
			return nil, &problem{code: "idempotency_busy", detail: "the first request with this key is still running", after: time.Second}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
