// chromedp starts processes and does not compile for js.
//go:build !js

package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Click presses and releases the pointer's first button at a place of the page,
// in CSS pixels, by trusted events as a person's.
func (p *Page) Click(ctx context.Context, x, y float64) error {
	return p.Do(ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y), chromedp.MouseClickXY(x, y))
}

// Wheel turns the pointer's wheel at a place, by CSS pixels.
func (p *Page) Wheel(ctx context.Context, x, y, by float64) error {
	return p.Do(ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseWheel, x, y, func(e *input.DispatchMouseEventParams) {
		e.DeltaX, e.DeltaY = 1e-9, by // a zero would be left out, and both are asked for
	}))
}

// Type presses the keys of a text one after the other, where the keyboard is. Of
// chromedp's kb package, "\r" is Return and "\t" the tabulator.
func (p *Page) Type(ctx context.Context, text string) error {
	return p.Do(ctx, chromedp.KeyEvent(text))
}

// Shortcut presses a key together with Ctrl. The browser does its own command
// (such as "copy", "paste" or "selectAll") as it would for a person.
func (p *Page) Shortcut(ctx context.Context, key, command string) error {
	commands := func(e *input.DispatchKeyEventParams) {
		if command != "" && e.Type != input.DispatchKeyEventTypeKeyUp {
			e.Commands = []string{command}
		}
	}
	return p.Do(ctx, chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl), commands))
}

// Choose gives files of the disk to the first file input that selector matches.
func (p *Page) Choose(ctx context.Context, selector string, paths ...string) error {
	return p.Do(ctx, chromedp.SetUploadFiles(selector, paths))
}

// Downloads has what the page saves written into a folder, under its name.
func (p *Page) Downloads(ctx context.Context, folder string) error {
	ctx, cancel := p.within(ctx)
	defer cancel()
	_, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder})
	if err != nil {
		return fmt.Errorf("browser: downloads to %s: %w", folder, err)
	}
	return nil
}
