package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes that is written like "64MiB".
type byteSize int64

// units from the largest.
var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// MarshalText implements [encoding.TextMarshaler] with the largest unit that divides the size.
func (b byteSize) MarshalText() ([]byte, error) {
	for _, unit := range units {
		if b != 0 && int64(b)%unit.bytes == 0 {
			return fmt.Appendf(nil, "%d%s", int64(b)/unit.bytes, unit.name), nil
		}
	}
	return []byte("0"), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (b *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit.bytes {
			break
		}
		*b = byteSize(n * unit.bytes)
		return nil
	}
	return errors.New("a size is a number with KiB, MiB, GiB or nothing behind it")
}
