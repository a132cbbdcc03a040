package translate

import (
	"testing"

	"smsc/message"
)

func TestEveryCauseIsInEveryColumn(t *testing.T) {
	if len(reasons) != len(message.Causes())+1 {
		t.Fatalf("%d rows for %d causes", len(reasons)-1, len(message.Causes()))
	}
	for _, c := range message.Causes() {
		t.Run(c.String(), func(t *testing.T) {
			if got := SIPStatus(c); got < 400 || got == 408 || got == 429 || got > 503 {
				t.Errorf("SIPStatus = %d", got)
			}
			if got := SIPEndStatus(c); got < 400 || got == 408 || got == 429 || got > 503 {
				t.Errorf("SIPEndStatus = %d", got)
			}
			if got := HTTPStatus(c); got < 400 || got > 504 {
				t.Errorf("HTTPStatus = %d", got)
			}
			if SMPPStatus(c) == 0 || SMPPReceiverStatus(c) == 0 {
				t.Errorf("SMPP %#x, %#x", SMPPStatus(c), SMPPReceiverStatus(c))
			}
			if got := FailureReason(c); got > 3 {
				t.Errorf("FailureReason = %d", got)
			}
			if _, ok := CauseOfRP(RPCause(c)); !ok {
				t.Errorf("RPCause = %d, which nobody reads", RPCause(c))
			}
			if !threeDigits(ReceiptErr(c)) {
				t.Errorf("ReceiptErr = %q", ReceiptErr(c))
			}
			switch ReceiptStat(c) {
			case StatUndeliv, StatRejected, StatExpired:
			default:
				t.Errorf("ReceiptStat = %q", ReceiptStat(c))
			}
		})
	}
}

func TestAnErrorWithoutACauseIsInternal(t *testing.T) {
	for _, c := range []message.Cause{message.CauseNone, 200} {
		if SIPStatus(c) != 500 || HTTPStatus(c) != 500 || SMPPStatus(c) != 8 || ReceiptErr(c) != "041" {
			t.Errorf("cause %d: %d, %d, %#x, %s", c, SIPStatus(c), HTTPStatus(c), SMPPStatus(c), ReceiptErr(c))
		}
	}
}

// same are causes that one number says for several: what it is read as.
var same = map[string]map[message.Cause]message.Cause{
	"smpp": {
		message.Unauthorised: message.Barred, message.NoCredit: message.Barred, message.BadContent: message.Barred,
		message.Timeout: message.Internal, message.TimeExpired: message.Absent,
	},
	"sip": {
		message.Unauthorised: message.Barred, message.NoCredit: message.Barred,
		message.MemoryFull: message.Absent, message.Throttled: message.Congested,
		message.Timeout: message.Internal, message.TimeExpired: message.Internal,
	},
	"rp": {
		message.NoCredit: message.Barred, message.TooLarge: message.Barred,
		message.Absent: message.Internal, message.MemoryFull: message.Internal, message.TimeExpired: message.Internal,
	},
	"err": {
		message.TooLarge: message.BadContent, message.TimeExpired: message.Timeout, message.Internal: message.Timeout,
	},
}

func TestOurOwnNumbersComeBackAsTheirCause(t *testing.T) {
	for _, c := range message.Causes() {
		want := func(column string) message.Cause {
			if other, ok := same[column][c]; ok {
				return other
			}
			return c
		}
		if _, got := CauseOfSMPP(SMPPStatus(c)); got != want("smpp") {
			t.Errorf("SMPP %#x of %v reads %v", SMPPStatus(c), c, got)
		}
		// 500 is ours for Timeout and Internal; read, it is theirs.
		if _, got := CauseOfSIP(SIPStatus(c)); got != want("sip") {
			t.Errorf("SIP %d of %v reads %v", SIPStatus(c), c, got)
		}
		if got, _ := CauseOfRP(RPCause(c)); got != want("rp") {
			t.Errorf("RP %d of %v reads %v", RPCause(c), c, got)
		}
		if got, ok := CauseOfErr(ReceiptErr(c)); !ok || got != want("err") {
			t.Errorf("err %s of %v reads %v, %v", ReceiptErr(c), c, got, ok)
		}
	}
}

// sound holds what every reading must keep: what is Refused has a permanent
// cause, a good answer has none, anything else has one.
func sound(r message.Result, c message.Cause) bool {
	switch r {
	case message.Delivered, message.Relayed:
		return c == message.CauseNone
	case message.Refused:
		return c.Permanent()
	}
	return c != message.CauseNone
}

func TestEveryNumberReadHasOneCause(t *testing.T) {
	for status := range uint32(0x600) {
		if r, c := CauseOfSMPP(status); !sound(r, c) {
			t.Errorf("SMPP %#x reads %v, %v", status, r, c)
		}
	}
	for status := range 800 {
		if r, c := CauseOfSIP(status); !sound(r, c) {
			t.Errorf("SIP %d reads %v, %v", status, r, c)
		}
	}
	for n := range 256 {
		if r, c := CauseOfFailureReason(uint8(n)); !sound(r, c) {
			t.Errorf("delivery_failure_reason %d reads %v, %v", n, r, c)
		}
		if c, _ := CauseOfRP(uint8(n)); c == message.CauseNone {
			t.Errorf("RP cause %d has no cause", n)
		}
	}
}

func TestNumbersOfPeersAreRead(t *testing.T) {
	type reading struct {
		numbers []int
		result  message.Result
		cause   message.Cause
	}
	check := func(name string, read func(int) (message.Result, message.Cause), rows []reading) {
		for _, row := range rows {
			for _, n := range row.numbers {
				if r, c := read(n); r != row.result || c != row.cause {
					t.Errorf("%s %d (%#x) reads %v, %v, want %v, %v", name, n, n, r, c, row.result, row.cause)
				}
			}
		}
	}
	check("SMPP", func(n int) (message.Result, message.Cause) { return CauseOfSMPP(uint32(n)) }, []reading{
		{[]int{0}, message.Relayed, message.CauseNone},
		{[]int{1}, message.Refused, message.TooLarge},
		{[]int{2, 3, 6, 7, 0x42, 0x54, 0x55, 0x0C, 0x11, 0x13, 0x67, 0x15, 0x43, 0x61, 0x62, 0x63, 0xC0, 0xC4, 0x104, 0x112}, message.Refused, message.BadContent},
		{[]int{4, 5, 0x0D, 0x0E, 0x0F, 0x53, 0x14, 0x102}, message.Deferred, message.Congested},
		{[]int{0x0A, 0x48, 0x49, 0x45, 0x65, 0x66, 0x100, 0x101, 0x103, 0x400, 0x4FF}, message.Refused, message.Barred},
		{[]int{0x0B, 0x50, 0x51, 0x33, 0x34, 0x40, 0x44}, message.Refused, message.UnknownNumber},
		{[]int{0x58}, message.Deferred, message.Throttled},
		{[]int{0x64}, message.Deferred, message.MemoryFull},
		{[]int{0xFE}, message.Deferred, message.Absent},
		{[]int{0x08, 0xFF, 0x09, 0x113, 0x500, 0xFFFFFFF}, message.Deferred, message.Internal},
	})
	check("reason", func(n int) (message.Result, message.Cause) { return CauseOfFailureReason(uint8(n)) }, []reading{
		{[]int{0, 9}, message.Deferred, message.Absent},
		{[]int{1}, message.Refused, message.UnknownNumber},
		{[]int{2}, message.Refused, message.Barred},
		{[]int{3}, message.Deferred, message.Timeout},
	})
	check("SIP", CauseOfSIP, []reading{
		{[]int{200, 204, 299}, message.Delivered, message.CauseNone},
		{[]int{202}, message.Relayed, message.CauseNone},
		{[]int{301, 404, 410, 484, 485, 604}, message.Refused, message.UnknownNumber},
		{[]int{300, 302, 305, 430, 480, 486, 600}, message.Deferred, message.Absent},
		{[]int{401, 407}, message.Deferred, message.Unauthorised},
		{[]int{402}, message.Deferred, message.NoCredit},
		{[]int{403, 603, 607}, message.Refused, message.Barred},
		{[]int{406, 415, 488, 493, 606, 416, 400, 414, 420, 422}, message.Refused, message.BadContent},
		{[]int{413, 513}, message.Refused, message.TooLarge},
		{[]int{408, 504, 100, 180, 0, 700}, message.Unsure, message.Timeout},
		{[]int{405, 501, 421, 423, 476, 478, 481, 482, 483, 487, 491, 494, 500, 502, 505, 555}, message.Deferred, message.Internal},
		{[]int{429}, message.Deferred, message.Throttled},
		{[]int{503}, message.Deferred, message.Congested},
	})
	for _, code := range []string{"", "1", "0001", "x01", "000", "999"} {
		if c, ok := CauseOfErr(code); ok {
			t.Errorf("err %q reads %v", code, c)
		}
	}
}
