package view

import (
	"fmt"
	"image"

	"duet/app/ui"
	"duet/gpu/adapter"

	"gioui.org/layout"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
)

// Layout draws the app over the whole window.
func (v *View) Layout(gtx C, s *ui.State) D {
	paint.FillShape(gtx.Ops, v.Theme.Ground, clip.Rect{Max: gtx.Constraints.Max}.Op())
	if s.NoDialog {
		v.Choose = nil
	}
	gtx.Constraints.Min = gtx.Constraints.Max
	defer v.tips.begin(gtx, v)()
	content := func(gtx C) D {
		return layout.UniformInset(gapLarge).Layout(gtx, func(gtx C) D {
			gtx.Constraints.Min = gtx.Constraints.Max
			return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
				layout.Rigid(func(gtx C) D { return v.notices(gtx, s) }),
				layout.Rigid(func(gtx C) D { return v.problem(gtx, s) }),
				layout.Flexed(1, func(gtx C) D {
					gtx.Constraints.Min = gtx.Constraints.Max
					switch s.Screen {
					case ui.ScreenTrain:
						return v.train(gtx, s)
					case ui.ScreenModels:
						return v.models(gtx, s)
					case ui.ScreenSettings:
						return v.settings(gtx, s)
					}
					return v.classify(gtx, s)
				}))
		})
	}
	if gtx.Constraints.Max.X < gtx.Dp(narrow) {
		return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
			layout.Flexed(1, content),
			layout.Rigid(func(gtx C) D { return v.tabs(gtx, s, layout.Horizontal) }))
	}
	return layout.Flex{}.Layout(gtx,
		layout.Rigid(func(gtx C) D {
			gtx.Constraints.Min.X = gtx.Dp(208)
			gtx.Constraints.Max.X = gtx.Constraints.Min.X
			return v.side(gtx, s)
		}),
		layout.Flexed(1, content))
}

// side is the name, the tabs and what computes.
func (v *View) side(gtx C, s *ui.State) D {
	paint.FillShape(gtx.Ops, v.Theme.Surface, clip.Rect{Max: gtx.Constraints.Max}.Op())
	paint.FillShape(gtx.Ops, v.Theme.Line, clip.Rect{Min: image.Pt(gtx.Constraints.Max.X-1, 0), Max: gtx.Constraints.Max}.Op())
	return layout.UniformInset(gap).Layout(gtx, func(gtx C) D {
		return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
			layout.Rigid(func(gtx C) D {
				return layout.Inset{Left: gap, Top: gap, Bottom: gapLarge}.Layout(gtx, v.title("Duet").Layout)
			}),
			layout.Rigid(func(gtx C) D { return v.tabs(gtx, s, layout.Vertical) }),
			layout.Flexed(1, func(gtx C) D { return D{Size: gtx.Constraints.Max} }),
			layout.Rigid(func(gtx C) D {
				return layout.UniformInset(gap).Layout(gtx, func(gtx C) D {
					return rows(gtx, gapSmall, v.muted(v.adapter(s)).Layout, v.sent(s))
				})
			}))
	})
}

// adapter says what computes.
func (v *View) adapter(s *ui.State) string {
	switch {
	case s.Engine.Failed:
		return v.Texts.NotRunning
	case !s.Engine.Ready:
		return v.Texts.Starting
	}
	format := v.Texts.OnUnknown
	switch s.Engine.Info.Class {
	case adapter.Discrete:
		format = v.Texts.OnDiscrete
	case adapter.Integrated:
		format = v.Texts.OnIntegrated
	case adapter.Software:
		format = v.Texts.OnSoftware
	}
	return fmt.Sprintf(format, s.Engine.Info.Adapter)
}

// tabs lead to the screens.
func (v *View) tabs(gtx C, s *ui.State, axis layout.Axis) D {
	names := [ui.Screens]string{v.Texts.Classify, v.Texts.Train, v.Texts.Models, v.Texts.Settings}
	var children []layout.FlexChild
	for screen := range ui.Screens {
		tab := func(gtx C) D {
			c := v.click(fmt.Sprint("tab", screen))
			if c.Clicked(gtx) {
				v.Send(ui.Go{Screen: screen})
			}
			chosen, focused := s.Screen == screen, gtx.Focused(c)
			return press(gtx, c, meaning{role: Radio, selected: chosen}, func(gtx C) D {
				return behind(gtx, func(gtx C) D {
					gtx.Constraints.Min.Y = gtx.Dp(touch + 4)
					place := layout.Center.Layout
					if axis == layout.Vertical {
						place = left
						gtx.Constraints.Min.X = gtx.Constraints.Max.X
					}
					return place(gtx, func(gtx C) D {
						l := v.label(sizeBody+1, v.Theme.Ink, names[screen]).line()
						if chosen {
							l.ink = v.Theme.Accent
							l = l.strong()
						}
						return layout.Inset{Left: gap, Right: gap}.Layout(gtx, l.Layout)
					})
				}, func(size image.Point) {
					if chosen || c.Hovered() {
						fill(gtx, v.Theme.Raised, size, corner)
					}
					if focused {
						v.ring(gtx, size)
					}
				})
			})
		}
		if axis == layout.Horizontal {
			children = append(children, layout.Flexed(1, func(gtx C) D {
				gtx.Constraints.Min.X = gtx.Constraints.Max.X
				return tab(gtx)
			}))
		} else {
			children = append(children, layout.Rigid(tab), layout.Rigid(layout.Spacer{Height: 4}.Layout))
		}
	}
	if axis == layout.Vertical {
		return layout.Flex{Axis: axis}.Layout(gtx, children...)
	}
	return behind(gtx, func(gtx C) D {
		return layout.UniformInset(4).Layout(gtx, func(gtx C) D { return layout.Flex{Axis: axis}.Layout(gtx, children...) })
	}, func(size image.Point) {
		paint.FillShape(gtx.Ops, v.Theme.Surface, clip.Rect{Max: size}.Op())
		paint.FillShape(gtx.Ops, v.Theme.Line, clip.Rect{Max: image.Pt(size.X, 1)}.Op())
	})
}

// details are what words in the user's language leave out, in English; or none.
func (v *View) details(text string) []layout.Widget {
	if text == "" {
		return nil
	}
	return []layout.Widget{v.muted(text).Layout}
}

// problem shows what went wrong last, or else where something was saved.
func (v *View) problem(gtx C, s *ui.State) D {
	title, text, details, frame := "", s.Notice, "", v.Theme.Accent
	again := func(C) D { return D{} }
	if p := s.Problem; p != nil {
		title, frame = v.Texts.Problems[p.Doing], v.Theme.Bad
		text, details = v.Texts.advice(p, browser())
		if p.Doing == ui.DoingStart {
			again = v.do("retry", v.Texts.TryAgain, quiet, true, ui.Retry{})
		}
	} else if text == "" {
		return D{}
	} else {
		text = fmt.Sprintf(v.Texts.SavedAt, text)
	}
	return layout.Inset{Bottom: gap + 4}.Layout(gtx, func(gtx C) D {
		gtx.Constraints.Min.X = gtx.Constraints.Max.X
		return behind(gtx, func(gtx C) D {
			return layout.UniformInset(gap).Layout(gtx, func(gtx C) D {
				dismiss := v.do("dismiss", v.Texts.Dismiss, quiet, true, ui.Dismiss{})
				words := func(gtx C) D {
					if title == "" {
						return v.body(text).Layout(gtx)
					}
					return rows(gtx, 2, append([]layout.Widget{v.label(sizeBody, v.Theme.Bad, title).strong().Layout, v.body(text).Layout}, v.details(details)...)...)
				}
				if gtx.Constraints.Max.X < gtx.Dp(narrow) {
					return rows(gtx, 2, words, func(gtx C) D { return v.wrap(gtx, gapSmall, again, dismiss) })
				}
				return layout.Flex{Alignment: layout.Middle}.Layout(gtx, layout.Flexed(1, words), layout.Rigid(again), layout.Rigid(dismiss))
			})
		}, func(size image.Point) {
			fill(gtx, v.Theme.Surface, size, corner)
			outline(gtx, frame, size, corner, 1)
		})
	})
}
