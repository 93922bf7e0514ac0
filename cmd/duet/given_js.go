package main

import (
	"context"
	"errors"
	"sync"
	"syscall/js"

	"duet/app"
	"duet/model/data"
)

// given are files that the page gave and what is known about them. The page
// sends {given: number, list: [{path, blob}]} and, while it goes on asking about
// the same files, {given: number} alone.
type given struct {
	number int
	list   js.Value

	mu      sync.Mutex // of what follows
	options dataOptions
	opened  *data.Collection // with these options; nil: not yet

	measuring sync.Mutex // of what follows
	measured  string     // of which model
	speed     app.Speed
}

// take returns the files among a request's arguments, or nil. It must be called
// in the order of the messages.
func (e *engine) take(args js.Value) *given {
	if args.Type() != js.TypeObject || args.Get("length").Type() != js.TypeNumber || args.Length() == 0 {
		return nil
	}
	first := args.Index(0)
	if first.Type() != js.TypeObject || first.Get("given").Type() != js.TypeNumber {
		return nil
	}
	if list := first.Get("list"); list.Truthy() {
		e.given = &given{number: first.Get("given").Int(), list: list}
	}
	if e.given == nil || e.given.number != first.Get("given").Int() {
		return nil
	}
	return e.given
}

// open opens the files as a collection, once for the same options, and returns
// one of its own for each caller.
func (g *given) open(ctx context.Context, o dataOptions) (*data.Collection, error) {
	o.Name = ""
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil || g.options != o {
		files, name, err := dropped(g.list)
		if err != nil {
			return nil, err
		}
		c, err := data.Open(ctx, files, name, data.Options{ClassLevel: o.ClassLevel, LabelColumn: o.LabelColumn, TextColumn: o.TextColumn, MaxPixels: o.MaxPixels})
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		if err != nil {
			return nil, fail("files", err)
		}
		g.options, g.opened = o, c
	}
	return g.opened.Clone(), nil
}
