//go:build !js

package gpu

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// systemMemory is the memory that is free where the adapter shares the
// system's, and that of the card where there is one only and its driver tells.
// Elsewhere than on Linux it is not known.
func systemMemory(class Class) int64 {
	switch class {
	case Software, Integrated:
		text, err := os.ReadFile("/proc/meminfo")
		if err != nil {
			return 0
		}
		return available(string(text))
	case Discrete:
		cards, _ := filepath.Glob("/sys/class/drm/card*/device/mem_info_vram_total")
		if len(cards) != 1 {
			return 0
		}
		text, err := os.ReadFile(cards[0])
		if err != nil {
			return 0
		}
		n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n
	}
	return 0
}

// available reads MemAvailable of /proc/meminfo, or 0.
func available(meminfo string) int64 {
	for line := range strings.Lines(meminfo) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "MemAvailable:" && f[2] == "kB" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
