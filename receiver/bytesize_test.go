package main

import "testing"

func TestByteSizesAreReadAndWritten(t *testing.T) {
	for _, test := range []struct {
		text string
		want byteSize
		back string
	}{
		{"1GiB", 1 << 30, "1GiB"},
		{"1536MiB", 1536 << 20, "1536MiB"},
		{"2048KiB", 2 << 20, "2MiB"},
		{"1000", 1000, "1000"},
		{"0", 0, "0"},
		{"8589934591GiB", 8589934591 << 30, "8589934591GiB"},
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(test.text)); err != nil || got != test.want {
			t.Errorf("%q is read as %d, %v; want %d", test.text, got, err, test.want)
		}
		if back, err := got.MarshalText(); err != nil || string(back) != test.back {
			t.Errorf("%d is written as %q, %v; want %q", got, back, err, test.back)
		}
	}
	for _, text := range []string{"", "GiB", "1GB", "1 GiB", "-1", "1.5GiB", "8589934592GiB", "9223372036854775808"} {
		if err := new(byteSize).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as a size", text)
		}
	}
}

func FuzzByteSize(f *testing.F) {
	f.Add("64MiB")
	f.Fuzz(func(t *testing.T, text string) {
		var size, again byteSize
		if size.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, err := size.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalText(written); err != nil || again != size {
			t.Errorf("%q is %d, which is written as %q and read as %d, %v", text, size, written, again, err)
		}
	})
}
