package view

import (
	"context"
	"image"

	"duet/app/ui"

	"gioui.org/app"
	"gioui.org/io/system"
	"gioui.org/op"
	"gioui.org/text"
	"gioui.org/unit"
)

// A Face is what a platform brings to the app's window.
type Face struct {
	Engine ui.Engine
	Host   ui.Host
	Decode func(f ui.File, side int) (image.Image, error) // a picture not larger than side
	Given  []ui.File                                      // as if dropped at once
	Listen func(send func(ui.Message))                    // nil, or begins to pass on what the platform is given
	Mirror func(Mirror)                                   // nil, or shows it to those who do not see the window

	// Chinese fetches fonts for Chinese where the system's cannot be used; nil:
	// they can.
	Chinese func() (Chinese, error)
}

// Window opens the app's window, and returns when it is closed. It must be
// called from a goroutine while the main one is in Gio's app.Main; the end of the
// context closes it.
func Window(ctx context.Context, f Face) error {
	w := new(app.Window)
	prefs := f.Host.Prefs()
	width, height := unit.Dp(1120), unit.Dp(760)
	if prefs.Width >= 400 && prefs.Height >= 300 {
		width, height = unit.Dp(prefs.Width), unit.Dp(prefs.Height)
	}
	w.Option(app.Title("Duet"), app.Size(width, height), app.MinSize(400, 480))
	defer context.AfterFunc(ctx, w.Invalidate)() // the frame then closes it
	shaper := text.NewShaper(text.WithCollection(goFaces()))
	loop := ui.NewLoop(f.Engine, f.Host, w.Invalidate)
	defer loop.Close()
	if len(f.Given) > 0 {
		loop.Send(ui.Drop{Files: f.Given})
	}
	if f.Listen != nil {
		f.Listen(loop.Send)
	}
	v := New(NewTheme(shaper, false), &english, NewThumbs(f.Decode, w.Invalidate), loop.Send)
	v.Choose = chooser(loop.Send)
	v.later.fetch = f.Chinese
	systemDark() // asks the desktop, which may take a moment
	drops := newDrops(loop.Send)
	defer drops.close()
	var ops op.Ops
	var mirror reader
	var size image.Point
	first, closing := true, false
	defer func() {
		if size.X > 0 {
			prefs := ui.Prefs{}
			loop.Draw(func(s *ui.State) { prefs = s.Prefs })
			prefs.Width, prefs.Height = size.X, size.Y
			loop.Send(ui.SetPrefs{Prefs: prefs})
		}
		v.Commit()
	}()
	for {
		switch e := w.Event().(type) {
		case app.DestroyEvent:
			return e.Err
		case app.FrameEvent:
			gtx := app.NewContext(&ops, e)
			size = image.Pt(int(gtx.Metric.PxToDp(e.Size.X)), int(gtx.Metric.PxToDp(e.Size.Y)))
			v.takeFonts()
			loop.Draw(func(s *ui.State) {
				v.Dress(s.Prefs)
				v.Layout(gtx, s)
				if f.Mirror != nil && mirror.due(gtx) {
					status, alert := v.status(s)
					f.Mirror(Mirror{v.Texts.Code, mirror.read(gtx.Ops, e.Size, gtx.Metric), status, alert})
				}
			})
			v.later.ask(w.Invalidate)
			e.Frame(gtx.Ops)
			if first {
				first = false
				firstFrame()
			}
			if ctx.Err() != nil {
				w.Perform(system.ActionClose)
			}
		case *app.ClosingEvent:
			closing = true
			drops.close() // what they stand on goes before the window's end is told
		case app.ViewEvent:
			if closing && !e.Valid() {
				return nil // asked for one more event, Gio 0.10.3 opens another window
			}
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
	v.Texts = TextsFor(code, v.languages)
	v.later.missed = v.later.missed || TextsFor(code, Languages) != v.Texts
	if worn := (dress{v.Texts.Code, isDark}); v.worn != worn {
		v.worn = worn
		dressPage(worn)
	}
}

// A dress is the language and the theme that a view has on.
type dress struct {
	language string
	dark     bool
}
