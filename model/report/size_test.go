package report

import "testing"

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1 kB", 1050: "1.05 kB", 9_999: "10 kB", 12_340: "12.3 kB", 99_960: "100 kB",
		999_499: "999 kB", 999_500: "1 MB", 1 << 20: "1.05 MB", 46_830_571: "46.8 MB", 1 << 30: "1.07 GB", 128 << 20: "134 MB",
		2_330_000_000: "2.33 GB", 24_159_191_040: "24.2 GB", 5e15: "5000 TB",
	} {
		if got := Size(bytes); got != want {
			t.Errorf("%d is %q, want %q", bytes, got, want)
		}
	}
}
