package restapi

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signStandard adds the headers of Standard Webhooks: the event's id, the
// time of this attempt, and one signature for each secret, so that a secret
// can be changed while both are known (spec rest §7).
func signStandard(h http.Header, secrets, id string, now time.Time, body []byte) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", stamp)
	var signatures []string
	for secret := range strings.FieldsSeq(secrets) {
		mac := hmac.New(sha256.New, webhookKey(secret))
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if signatures != nil {
		h.Set("webhook-signature", strings.Join(signatures, " "))
	}
}

// webhookKey is the key that a secret stands for: its octets, or what base64
// says behind "whsec_".
func webhookKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(key) > 0 {
			return key
		}
	}
	return []byte(secret)
}

// signForm (RFC 2104 §2 with SHA-1) is the signature of X-Twilio-Signature, so that validators that
// people have go on working: SHA-1 is what they know.
func signForm(token, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	for _, key := range slices.Sorted(maps.Keys(form)) {
		for _, v := range form[key] {
			mac.Write([]byte(key + v))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
