// chromedp starts processes and does not compile for js.
//go:build !js

package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// A Page is one tab. Its methods must not be called from several goroutines at
// once, except Console and Errors.
type Page struct {
	ctx     context.Context
	cancel  context.CancelFunc
	console console
}

// Open opens a tab, starts to record its console, and waits until url has loaded.
func (b *Browser) Open(ctx context.Context, url string) (*Page, error) {
	p := new(Page)
	p.ctx, p.cancel = chromedp.NewContext(b.ctx)
	p.console.record(p.ctx)
	if err := p.Do(ctx, chromedp.Navigate(url)); err != nil {
		p.Close()
		return nil, fmt.Errorf("browser: opening %s: %w", url, err)
	}
	return p, nil
}

// Close closes the tab.
func (p *Page) Close() { p.cancel() }

// Do runs actions of chromedp, for example chromedp.Click, in order.
func (p *Page) Do(ctx context.Context, actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := p.within(ctx)
	defer cancel()
	return p.explain(ctx, chromedp.Do(ctx, actions...))
}

// Eval evaluates a JavaScript expression, which may use await, and decodes its
// JSON into result; a nil result ignores it. JSON has no undefined, NaN and
// Infinity: they come as null. An exception or a rejected promise is an error.
func (p *Page) Eval(ctx context.Context, expression string, result any) error {
	ctx, cancel := p.within(ctx)
	defer cancel()
	return p.explain(ctx, eval(ctx, expression, result))
}

// eval is Eval in a context of the page.
func eval(ctx context.Context, expression string, result any) error {
	wrapped := "(async () => JSON.stringify((" + expression + "\n)) ?? 'null')()"
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](wrapped, chromedp.EvalAwaitPromise))
	if err != nil {
		return fmt.Errorf("browser: evaluating %s: %w", short(expression), err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(text), result); err != nil {
		return fmt.Errorf("browser: result of %s: %w", short(expression), err)
	}
	return nil
}

// Wait returns when the expression, evaluated every 50 ms, becomes truthy.
func (p *Page) Wait(ctx context.Context, condition string) error {
	ctx, cancel := p.within(ctx)
	defer cancel()
	for {
		var done bool
		err := eval(ctx, "Boolean(await ("+condition+"\n))", &done)
		// A page that was being loaded anew has another document now.
		if anew := err != nil && strings.Contains(err.Error(), "target navigated"); !anew && (err != nil || done) {
			return p.explain(ctx, err)
		}
		select {
		case <-ctx.Done():
			return p.explain(ctx, fmt.Errorf("browser: waiting for %s: %w", short(condition), ctx.Err()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Drop drags files or folders of the disk onto the middle of the first element
// that selector matches and drops them there, by trusted events as a person's.
func (p *Page) Drop(ctx context.Context, selector string, paths ...string) error {
	var at *[2]float64
	quoted, err := json.Marshal(selector)
	if err != nil {
		return err
	}
	err = p.Eval(ctx, `(() => {
		const e = document.querySelector(`+string(quoted)+`);
		e?.scrollIntoView({block: 'center', behavior: 'instant'});
		const r = e?.getBoundingClientRect();
		return r && [r.x + r.width / 2, r.y + r.height / 2];
	})()`, &at)
	if err != nil {
		return err
	}
	if at == nil {
		return fmt.Errorf("browser: dropping onto %s: no such element", selector)
	}
	data := input.DragData{Items: []*input.DragDataItem{}, DragOperationsMask: 1} // copy
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("browser: dropping %s: %w", path, err)
		}
		data.Files = append(data.Files, absolute)
	}
	return p.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, kind := range []input.DispatchDragEventType{
			input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop,
		} {
			event := input.DispatchDragEventParams{Type: kind, X: at[0], Y: at[1], Data: &data}
			if _, err := cdp.Call(ctx, t, input.DispatchDragEvent, event); err != nil {
				return fmt.Errorf("browser: dropping onto %s: %w", selector, err)
			}
		}
		return nil
	}))
}

// Screenshot returns what the tab shows, as PNG.
func (p *Page) Screenshot(ctx context.Context) ([]byte, error) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return nil, p.explain(ctx, fmt.Errorf("browser: screenshot: %w", err))
	}
	return png, nil
}

// Console returns what the page and its dedicated workers wrote to the console
// so far, uncaught exceptions included, one "type: text" each.
func (p *Page) Console() []string { return p.console.lines(false) }

// Errors returns the part of [Page.Console] that tells of errors.
func (p *Page) Errors() []string { return p.console.lines(true) }

// within returns the page's context, ended also by ctx and, where ctx has no
// deadline, after Timeout; the cause is then the error of ctx.
func (p *Page) within(ctx context.Context) (context.Context, context.CancelFunc) {
	release := func() {}
	if _, ok := ctx.Deadline(); !ok {
		ctx, release = context.WithTimeout(ctx, Timeout)
	}
	inner, cancel := context.WithCancelCause(p.ctx)
	stop := context.AfterFunc(ctx, func() { cancel(ctx.Err()) })
	return inner, func() { stop(); cancel(nil); release() }
}

// explain adds to an error why ctx ended, where it did, and the end of the
// console, since the error alone rarely tells the cause.
func (p *Page) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	lines := p.Console()
	if len(lines) == 0 {
		return err
	}
	const shown = 20
	lines = lines[max(0, len(lines)-shown):]
	return fmt.Errorf("%w; the console's end:\n\t%s", err, strings.Join(lines, "\n\t"))
}

// short is the beginning of an expression, for messages.
func short(expression string) string {
	const limit = 120
	if len(expression) > limit {
		return expression[:limit] + "..."
	}
	return expression
}
