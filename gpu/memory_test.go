//go:build !js

package gpu

import "testing"

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"6GB": 6e9, "1.5 GiB": 3 << 29, " 800mb ": 800e6, "2MiB": 2 << 20, "6": 0, "-1GB": 0, "GB": 0, "1e30GB": 0, "": 0} {
		if n, err := parseSize(text); n != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v; want %d", text, n, err, want)
		}
	}
}

func TestAvailable(t *testing.T) {
	if n := available("MemTotal:       24606640 kB\nMemAvailable:    1024 kB\nBuffers: 1 kB\n"); n != 1<<20 {
		t.Errorf("%d bytes, want 1 MiB", n)
	}
	if n := available("garbage"); n != 0 {
		t.Errorf("%d bytes of garbage", n)
	}
}

func TestMemoryVariable(t *testing.T) {
	t.Setenv(MemoryVariable, "3GB")
	if n, err := askedMemory(); n != 3e9 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	t.Setenv(MemoryVariable, "lots")
	if _, err := askedMemory(); err == nil {
		t.Error("a size that is none was taken")
	}
}
