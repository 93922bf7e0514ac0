//go:build !js

package view

import (
	"context"
	"image"
	"os"

	"duet/app/ui"

	"gioui.org/app"
	"gioui.org/font/gofont"
	"gioui.org/io/system"
	"gioui.org/op"
	"gioui.org/text"
	"gioui.org/unit"
)

// Window opens the app's window, and returns when it is closed. It must be
// called from a goroutine while the main one is in Gio's app.Main; the end of the
// context closes it. decode gives a picture not larger than side; given is as if
// dropped at once.
func Window(ctx context.Context, engine ui.Engine, host ui.Host, decode func(f ui.File, side int) (image.Image, error), given []ui.File) error {
	w := new(app.Window)
	prefs := host.Prefs()
	width, height := unit.Dp(1120), unit.Dp(760)
	if prefs.Width >= 400 && prefs.Height >= 300 {
		width, height = unit.Dp(prefs.Width), unit.Dp(prefs.Height)
	}
	w.Option(app.Title("Duet"), app.Size(width, height), app.MinSize(400, 480))
	defer context.AfterFunc(ctx, w.Invalidate)() // the frame then closes it
	shaper := text.NewShaper(text.WithCollection(gofont.Collection()))
	loop := ui.NewLoop(engine, host, w.Invalidate)
	defer loop.Close()
	if len(given) > 0 {
		loop.Send(ui.Drop{Files: given})
	}
	v := New(NewTheme(shaper, false), TextsFor(systemLanguage()), NewThumbs(decode, w.Invalidate), loop.Send)
	v.Choose = chooser(loop.Send)
	systemDark() // asks the desktop, which may take a moment
	drops := newDrops(loop.Send)
	defer drops.close()
	var ops op.Ops
	var size image.Point
	for {
		switch e := w.Event().(type) {
		case app.DestroyEvent:
			if size.X > 0 {
				prefs := ui.Prefs{}
				loop.Draw(func(s *ui.State) { prefs = s.Prefs })
				prefs.Width, prefs.Height = size.X, size.Y
				loop.Send(ui.SetPrefs{Prefs: prefs})
			}
			v.Commit()
			return e.Err
		case app.FrameEvent:
			gtx := app.NewContext(&ops, e)
			size = image.Pt(int(gtx.Metric.PxToDp(e.Size.X)), int(gtx.Metric.PxToDp(e.Size.Y)))
			loop.Draw(func(s *ui.State) {
				v.Dress(s.Prefs)
				v.Layout(gtx, s)
			})
			e.Frame(gtx.Ops)
			if ctx.Err() != nil {
				w.Perform(system.ActionClose)
			}
		case app.ViewEvent:
			drops.attach(e)
		}
	}
}

// Dress takes on the theme and the language of the settings.
func (v *View) Dress(p ui.Prefs) {
	isDark := p.Theme == "dark" || p.Theme == "" && systemDark()
	if v.Theme.Dark != isDark {
		v.Theme = NewTheme(v.Theme.Shaper, isDark)
	}
	code := p.Language
	if code == "" {
		code = systemLanguage()
	}
	v.Texts = TextsFor(code)
}

// systemLanguage is the language of the user's session.
func systemLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return "en"
}
