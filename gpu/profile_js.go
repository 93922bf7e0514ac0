package gpu

import (
	"context"
	"time"
)

// timeDispatches times each dispatch by a submit of its own: browsers round
// timestamps to a tenth of a millisecond.
func (d *Device) timeDispatches(ctx context.Context, s *sequence) ([]time.Duration, string, error) {
	return d.timeOneByOne(ctx, s)
}
