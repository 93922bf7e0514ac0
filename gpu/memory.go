package gpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// MemoryVariable is the environment variable that says how much of the adapter's
// memory programs may take, such as 6GB or 1500MB, where what the system tells is
// wrong. WebGPU itself tells nothing of an adapter's memory.
const MemoryVariable = "DUET_MEMORY"

// askedMemory returns what the variable says, or 0.
func askedMemory() (int64, error) {
	text := os.Getenv(MemoryVariable)
	if text == "" {
		return 0, nil
	}
	n, err := parseSize(text)
	if err != nil {
		return 0, fmt.Errorf("%s is %q: %w", MemoryVariable, text, err)
	}
	return n, nil
}

// parseSize reads a size such as 6GB, 1.5 GiB or 800 MB.
func parseSize(text string) (int64, error) {
	units := []struct {
		name  string
		bytes float64
	}{{"GIB", 1 << 30}, {"MIB", 1 << 20}, {"GB", 1e9}, {"MB", 1e6}}
	text = strings.ToUpper(strings.TrimSpace(text))
	for _, u := range units {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			if n, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && n > 0 && n*u.bytes < 1<<60 {
				return int64(n * u.bytes), nil
			}
		}
	}
	return 0, fmt.Errorf("want a size such as 6GB or 800MB")
}
