package report

import (
	"fmt"
	"math"
	"strconv"
)

// Size is a number of bytes in words, as file managers and the hub's pages have
// them: in thousands, with three digits at most.
func Size(bytes int64) string {
	v, unit := float64(bytes), ""
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if v < 999.5 {
			break
		}
		v, unit = v/1000, u
	}
	if unit == "" {
		return Count(int(bytes), "byte")
	}
	scale := 1.0
	for s := v; s < 99.95; s *= 10 {
		scale *= 10
	}
	scale = min(scale, 100)
	return fmt.Sprintf("%s %s", strconv.FormatFloat(math.Round(v*scale)/scale, 'f', -1, 64), unit)
}
