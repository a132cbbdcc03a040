package translate

// PackGSM7 appends septets packed eight in seven octets (TS 23.038
// §6.1.2.1.1), after fill bits (0 to 6) that align them to the end of a user
// data header. Spare bits at the end are zero.
func PackGSM7(dst, septets []byte, fill int) []byte {
	acc, bits := uint32(0), uint(fill)
	for _, s := range septets {
		acc |= uint32(s&0x7F) << bits
		for bits += 7; bits >= 8; bits -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	if bits > 0 && len(septets) > 0 {
		dst = append(dst, byte(acc))
	}
	return dst
}

// UnpackGSM7 appends n septets, one an octet, from packed octets whose first
// fill bits are skipped; false, and dst unchanged, when there are not so
// many.
func UnpackGSM7(dst, packed []byte, fill, n int) ([]byte, bool) {
	if n == 0 {
		return dst, true
	}
	if n < 0 || fill < 0 || n > len(packed)*8/7 || fill+7*n > len(packed)*8 {
		return dst, false
	}
	acc, bits, at := uint32(0), 0, 0
	for skip := fill; n > 0; n-- {
		for bits < 7+skip {
			acc |= uint32(packed[at]) << bits
			bits, at = bits+8, at+1
		}
		acc >>= skip
		dst = append(dst, byte(acc&0x7F))
		acc >>= 7
		bits, skip = bits-7-skip, 0
	}
	return dst, true
}

// FillBits returns how many bits stand between a user data header of udh
// octets, length octet included, and the first septet (TS 23.040
// §9.2.3.24).
func FillBits(udh int) int { return (7 - udh*8%7) % 7 }
