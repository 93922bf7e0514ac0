package text

// GPT-2's byte alphabet (Radford et al. 2019, encoder.py): bytes that print as
// Latin-1 characters stand for themselves; the other 68, in order, are
// U+0100 to U+0143. So the blank is Ġ (U+0120) and the newline Ċ (U+010A).

// byteRune gives the character that spells the byte b in a vocabulary.
func byteRune(b byte) rune {
	switch {
	case b <= ' ':
		return 0x100 + rune(b)
	case 0x7f <= b && b <= 0xa0:
		return 0x121 + rune(b) - 0x7f
	case b == 0xad:
		return 0x143
	}
	return rune(b)
}

// runeByte is the inverse of byteRune; ok is false for other characters.
func runeByte(r rune) (b byte, ok bool) {
	switch {
	case 0x100 <= r && r <= 0x120:
		return byte(r - 0x100), true
	case 0x121 <= r && r <= 0x142:
		return byte(r - 0x121 + 0x7f), true
	case r == 0x143:
		return 0xad, true
	case ' ' < r && r < 0x7f, 0xa0 < r && r <= 0xff && r != 0xad:
		return byte(r), true
	}
	return 0, false
}

// appendRaw appends the bytes that a spelt token stands for. Where a character
// is not of the byte alphabet it is returned with ok false.
func appendRaw(dst []byte, token string) (out []byte, bad rune, ok bool) {
	for _, r := range token {
		b, ok := runeByte(r)
		if !ok {
			return dst, r, false
		}
		dst = append(dst, b)
	}
	return dst, 0, true
}
