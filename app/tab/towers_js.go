package tab

import (
	"context"
	"syscall/js"

	"duet/app/ui"
	"duet/assets/known"
	"duet/gpu/promise"
)

// fetcher is wasm/hub.js.
func fetcher() js.Value { return js.Global().Get("duetHub") }

// noTower is why a tower could not be fetched, with its code.
type noTower struct {
	error
	code string
}

// Code is for the views, which have words for it.
func (e noTower) Code() string  { return e.code }
func (e noTower) Unwrap() error { return e.error }

// Towers lists the published models that are known, and which of them are in
// this origin's private files.
func (e *Engine) Towers(ctx context.Context) ([]ui.Tower, error) {
	var list []ui.Tower
	for _, m := range known.Models() {
		t := ui.Tower{Name: m.Name, Kind: string(m.Kind), Bytes: m.Bytes, Licence: m.Licence, Lacks: string(m.Lacks)}
		if t.Lacks == "" {
			v, err := promise.Await(ctx, fetcher().Call("state", m.Name))
			if err != nil {
				return nil, err
			}
			t.Here, t.Partial = v.Get("here").Bool(), int64(v.Get("partial").Float())
		}
		list = append(list, t)
	}
	return list, nil
}

// Pull fetches one.
func (e *Engine) Pull(ctx context.Context, name string, tell func(done, total int64)) error {
	m, _ := known.Find(name)
	progress := js.FuncOf(func(_ js.Value, args []js.Value) any {
		p := promise.First(args)
		tell(int64(p.Get("done").Float()), int64(p.Get("total").Float()))
		return nil
	})
	defer progress.Release()
	abort := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { abort.Call("abort") })()
	model := map[string]any{"name": name, "url": m.URL, "sha256": m.SHA256}
	// It ends soon after its signal, and tells of its progress until then.
	_, err := promise.Await(context.WithoutCancel(ctx), fetcher().Call("pull", model, progress, abort.Get("signal")))
	if err != nil {
		return noTower{err, codeOf(err)}
	}
	return nil
}

// RemoveTower takes one away.
func (e *Engine) RemoveTower(ctx context.Context, name string) error {
	_, err := promise.Await(ctx, fetcher().Call("remove", name))
	return err
}

var _ ui.Towers = (*Engine)(nil)
