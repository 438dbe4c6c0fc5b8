package macro

const upperHex = "0123456789ABCDEF"

// Escape URL-encodes a value for a path, a query or a form: all but unreserved characters (RFC 3986 §2.3).
func Escape(s string) string { return encode(s, isUnreserved) }

// Raw writes a value that {_name} asks for: like [Wire], and what would begin another parameter is encoded too, since
// who sends a request can set the value.
func Raw(s string) string {
	return encode(s, func(s string, i int) bool {
		switch s[i] {
		case '&', '=', '?':
			return false
		}
		return isWire(s, i)
	})
}

// Wire leaves a text as it is, but for what would break the request apart: spaces, controls, bytes beyond ASCII, a few
// delimiters of text, the fragment, and a % that begins no %XX.
func Wire(s string) string { return encode(s, isWire) }

func isWire(s string, i int) bool {
	switch b := s[i]; b {
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}', '#':
		return false
	case '%':
		return i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
	default:
		return b > ' ' && b < 0x7f
	}
}

func isUnreserved(s string, i int) bool {
	b := s[i]
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_' || b == '.' ||
		b == '~'
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}

// encode writes %XX for every byte that does not stay.
func encode(s string, stays func(s string, i int) bool) string {
	first := 0
	for first < len(s) && stays(s, first) {
		first++
	}
	if first == len(s) {
		return s
	}
	encoded := append(make([]byte, 0, len(s)+16), s[:first]...)
	for i := first; i < len(s); i++ {
		if stays(s, i) {
			encoded = append(encoded, s[i])
		} else {
			encoded = append(encoded, '%', upperHex[s[i]>>4], upperHex[s[i]&15])
		}
	}
	return string(encoded)
}
