//go:build !js

package local

import (
	"context"

	"duet/app/ui"
	"duet/assets/known"
	"duet/model/hub"
)

// Towers lists the published models that are known, and which of them are in the
// caches of Hugging Face's programs and of torch.hub.
func (e *Engine) Towers(context.Context) ([]ui.Tower, error) {
	h := hub.FromEnv()
	var list []ui.Tower
	for _, m := range known.Models() {
		t := ui.Tower{Name: m.Name, Kind: string(m.Kind), Bytes: m.Bytes, Licence: m.Licence, Lacks: string(m.Lacks)}
		if _, t.Here = h.Find(m.Name); !t.Here {
			t.Partial = h.Partial(m.Name)
		}
		list = append(list, t)
	}
	return list, nil
}

// Pull fetches one.
func (e *Engine) Pull(ctx context.Context, name string, tell func(done, total int64)) error {
	_, err := hub.FromEnv().Pull(ctx, name, func(p hub.Progress) { tell(p.Done, p.Total) })
	return err
}

// RemoveTower takes one out of its cache.
func (e *Engine) RemoveTower(_ context.Context, name string) error { return hub.FromEnv().Remove(name) }

var _ ui.Towers = (*Engine)(nil)
