package routing

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"smsc/message"
)

// Subject is a message as rules see it. On arrival the message is rewritten in
// place; later it is only read.
type Subject struct {
	Message *message.Message
	Facts   Facts
	Parts   int // as it would be charged now
	// TextBody writes a new text in the alphabet that fits it; nil where
	// nothing can be rewritten.
	TextBody func(text string) message.Body
	Stored   bool // it is somebody's already: no rule gives it to another

	// What an attempt came to.
	Link   string // tried last
	Cause  message.Cause
	Rounds int

	broken bool // an expression failed in the rule now asked
}

// share places the message between 0 and 100 for a seed: always the same for
// one message, evenly over all.
func (s *Subject) share(seed string) float64 {
	b := append(strconv.AppendUint(make([]byte, 0, 64), uint64(s.Message.ID), 10), '/')
	sum := sha256.Sum256(append(b, seed...))
	return float64(binary.BigEndian.Uint64(sum[:8])) / (1 << 64) * 100
}

func (s *Subject) characters() int {
	if b := &s.Message.Body; !b.IsText() {
		return len(b.Data)
	}
	return utf8.RuneCountInString(s.Message.Body.Text)
}

// text is empty for what is no text.
func (s *Subject) text() string {
	if !s.Message.Body.IsText() {
		return ""
	}
	return s.Message.Body.Text
}

// Keys of message.Extra that rules see under a name of their own. The edges
// write them; nothing else of Extra is read here.
const (
	extraService  = "smpp.service_type"
	extraProtocol = "smpp.protocol_id"
	extraTLVs     = "smpp.tlvs" // tag 2, length 2, value; all of them in hex
	extraIMSI     = "rest.dest_imsi"
)

// header is a header of a SIP or HTTP request, "" if there was none.
func (s *Subject) header(name string) string {
	name = strings.ToLower(name)
	if v := s.Message.Extra["sip."+name]; v != "" {
		return v
	}
	return s.Message.Extra["http."+name]
}

// tlv is an optional parameter, nil if there is none.
func (s *Subject) tlv(tag int) []byte {
	raw, _ := hex.DecodeString(s.Message.Extra[extraTLVs])
	for len(raw) >= 4 {
		n := int(binary.BigEndian.Uint16(raw[2:]))
		if n > len(raw)-4 {
			return nil
		}
		if int(binary.BigEndian.Uint16(raw)) == tag {
			return raw[4 : 4+n : 4+n]
		}
		raw = raw[4+n:]
	}
	return nil
}

// port is the destination port of an application, -1 if there is none
// (TS 23.040 §9.2.3.24.3, §9.2.3.24.4).
func (s *Subject) port() int {
	udh := s.Message.Body.UDH
	for i := 1; i+2 <= len(udh); {
		id, n := udh[i], int(udh[i+1])
		v := udh[i+2:]
		if n > len(v) {
			return -1
		}
		switch {
		case id == 0x05 && n == 4:
			return int(binary.BigEndian.Uint16(v))
		case id == 0x04 && n == 2:
			return int(v[0])
		}
		i += 2 + n
	}
	return -1
}

// class is -1 where there is none.
func (s *Subject) class() int { return int(s.Message.Body.Class) - 1 }

// content are the conditions on what is said.
func (k *maker) content(w *When) {
	if len(w.Text) > 0 {
		k.patterns("text", w.Text, false, (*Subject).text)
		last := &k.all[len(k.all)-1]
		found := last.holds
		last.holds = func(s *Subject) bool { return s.Message.Body.IsText() && found(s) }
	}
	k.words("coding", w.Coding, func(s *Subject) string { return s.Message.Body.Coding.String() }, "gsm7", "8bit", "ucs2", "opaque")
	k.numbers("class", w.Class, (*Subject).class)
	k.truth("udh", w.UDH, func(s *Subject) bool { return len(s.Message.Body.UDH) > 0 })
	k.numbers("port", w.Port, (*Subject).port)
	k.span("parts", w.Parts, func(s *Subject) int { return s.Parts })
	k.span("characters", w.Characters, (*Subject).characters)
	k.span("priority", w.Priority, func(s *Subject) int { return int(s.Message.Priority) })
}

// envelope are the conditions on what only some protocols have.
func (k *maker) envelope(w *When) {
	k.patterns("service_type", w.ServiceType, true, func(s *Subject) string { return s.Message.Extra[extraService] })
	k.patterns("serving_node", w.ServingNode, true, func(s *Subject) string {
		if s.Facts.Node == nil {
			return ""
		}
		return s.Facts.Node(s.Message.To.Value)
	})
	k.patterns("imsi", w.IMSI, true, func(s *Subject) string { return s.Message.Extra[extraIMSI] })
	k.numbers("protocol_id", w.ProtocolID, func(s *Subject) int {
		n, _ := strconv.Atoi(s.Message.Extra[extraProtocol])
		return n
	})
	names := make([]string, 0, len(w.Header))
	for name := range w.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		re, err := regexp.Compile(w.Header[name])
		if err != nil {
			k.fault("header."+name, "%q is no RE2 pattern", w.Header[name])
			continue
		}
		k.add("header "+name, w.Header[name], func(s *Subject) bool { return re.MatchString(s.header(name)) })
	}
	if w.TLV != nil {
		k.parameter(w.TLV)
	}
}

// parameter looks at one optional parameter, in one of three readings.
func (k *maker) parameter(t *TLVMatch) {
	if t.Tag < 1 || t.Tag > 0xffff {
		k.fault("tlv.tag", "is 1 to 0xFFFF")
	}
	key := fmt.Sprintf("tlv 0x%04X", t.Tag)
	switch t.As {
	case "int":
		least, most := 0, int(^uint(0)>>1)
		if t.Match != "" {
			var err error
			if least, most, err = parseSpan(t.Match); err != nil {
				k.fault("tlv.match", "%s", err)
				return
			}
		}
		k.add(key, t.Match, func(s *Subject) bool {
			v := s.tlv(t.Tag)
			if v == nil || len(v) > 7 {
				return false
			}
			n := 0
			for _, b := range v {
				n = n<<8 | int(b)
			}
			return least <= n && n <= most
		})
		return
	case "string", "hex", "":
	default:
		k.fault("tlv.as", "%q is not one of int, string, hex", t.As)
		return
	}
	re, err := whole(t.Match)
	if err != nil {
		k.fault("tlv.match", "%s", err)
		return
	}
	k.add(key, t.Match, func(s *Subject) bool {
		v := s.tlv(t.Tag)
		value := hex.EncodeToString(v)
		if t.As == "string" {
			value = strings.TrimSuffix(string(v), "\x00")
		}
		return v != nil && (t.Match == "" || re.MatchString(value))
	})
}
