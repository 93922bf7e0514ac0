package view

import (
	"fmt"
	"image"
	"math"
	"strings"
	"time"

	"duet/app/ui"

	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
)

// classify is the screen of pictures and answers.
func (v *View) classify(gtx C, s *ui.State) D {
	p := &s.Pictures
	if len(p.Items) == 0 {
		return v.invite(gtx, s)
	}
	x := p.Item(p.Selected)
	if x == nil {
		x = &p.Items[0]
	}
	several := len(p.Items) > 1
	if gtx.Constraints.Max.X < gtx.Dp(620) {
		return v.scroll(gtx, "classify", 1, func(gtx C, _ int) D {
			return rows(gtx, gap,
				func(gtx C) D { return v.picture(gtx, x, gtx.Dp(240)) },
				func(gtx C) D { return v.answer(gtx, x) },
				func(gtx C) D { return v.table(gtx, s, several, gtx.Dp(260)) })
		})
	}
	return layout.Flex{Axis: layout.Vertical}.Layout(gtx,
		layout.Flexed(1, func(gtx C) D {
			return layout.Flex{}.Layout(gtx,
				layout.Flexed(0.56, func(gtx C) D { return v.picture(gtx, x, gtx.Constraints.Max.Y) }),
				layout.Rigid(layout.Spacer{Width: gapLarge}.Layout),
				layout.Flexed(0.44, func(gtx C) D {
					return v.scroll(gtx, "answer", 1, func(gtx C, _ int) D { return v.answer(gtx, x) })
				}))
		}),
		layout.Rigid(layout.Spacer{Height: gap}.Layout),
		layout.Rigid(func(gtx C) D { return v.table(gtx, s, several, gtx.Constraints.Max.Y*2/5) }))
}

// invite asks for pictures.
func (v *View) invite(gtx C, s *ui.State) D {
	what := v.Texts.DropHere
	if s.Pictures.Reading {
		what = v.Texts.Reading
	}
	if !s.Engine.Ready && s.Problem == nil {
		what = v.Texts.Starting
	}
	return v.dropZone(gtx, what, v.Texts.DropHint, func(gtx C) D {
		if v.Choose == nil {
			return rows(gtx, gapSmall, func(gtx C) D { return v.pathField(gtx, "picture path", v.Texts.PathHint, v.dropPath) }, v.undo(s))
		}
		return v.wrap(gtx, gapSmall, v.chooser("choose pictures", v.Texts.ChoosePictures, primary, ChoosePictures), v.camera(), v.undo(s))
	})
}

// pathField asks for a place on disk, for where there are no dialogs.
func (v *View) pathField(gtx C, name, hint string, take func(path string)) D {
	enter := func() {
		e := v.editors[name]
		take(strings.TrimSpace(e.Text()))
		e.SetCaret(e.Len(), 0) // so that the next place takes its place
	}
	return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
		layout.Flexed(1, func(gtx C) D {
			d, entered := v.field(gtx, name, "", hint, nil)
			if entered {
				enter()
			}
			return d
		}),
		layout.Rigid(layout.Spacer{Width: gapSmall}.Layout),
		layout.Rigid(func(gtx C) D {
			e := v.editors[name]
			d, clicked := v.button(gtx, name+" open", v.Texts.Open, plain, e != nil && e.Text() != "")
			if clicked {
				enter()
			}
			return d
		}))
}

// dropPath takes what was typed as the place of a picture or folder.
func (v *View) dropPath(path string) {
	if path != "" {
		v.Send(ui.Drop{Files: []ui.File{{Name: lastPart(path), Path: path}}})
	}
}

// lastPart is the last part of a path.
func lastPart(path string) string {
	path = strings.TrimRight(path, "/\\")
	return path[strings.LastIndexAny(path, "/\\")+1:]
}

// undo brings back what was removed last.
func (v *View) undo(s *ui.State) layout.Widget {
	if len(s.Pictures.Removed) == 0 {
		return func(C) D { return D{} }
	}
	return v.do("undo", v.Texts.Undo, plain, true, ui.UndoRemove{})
}

// chooser is a button that opens the platform's dialog, where there is one.
func (v *View) chooser(name, text string, k kind, what Choice) layout.Widget {
	return func(gtx C) D {
		if v.Choose == nil {
			return D{}
		}
		d, clicked := v.button(gtx, name, text, k, true)
		if clicked {
			v.Choose(what, text)
		}
		return d
	}
}

// camera takes a picture, where the platform has a dialog for it.
func (v *View) camera() layout.Widget {
	if !hasCamera() {
		return func(C) D { return D{} }
	}
	return v.chooser("camera", v.Texts.Camera, plain, ChooseCamera)
}

// dropZone invites to drop something.
func (v *View) dropZone(gtx C, what, hint string, more layout.Widget) D {
	gtx.Constraints.Min = gtx.Constraints.Max
	return behind(gtx, func(gtx C) D {
		return layout.Center.Layout(gtx, func(gtx C) D {
			gtx.Constraints.Max.X = min(gtx.Constraints.Max.X-2*gtx.Dp(gap), gtx.Dp(440))
			gtx.Constraints.Min = image.Pt(gtx.Constraints.Max.X, 0)
			centred := func(w layout.Widget) layout.Widget {
				return func(gtx C) D {
					gtx.Constraints.Min.X = gtx.Constraints.Max.X
					return layout.Center.Layout(gtx, w)
				}
			}
			return rows(gtx, gap, v.title(what).centred().Layout, v.muted(hint).centred().Layout, centred(more))
		})
	}, func(size image.Point) { v.dashes(gtx, size) })
}

// dashes is a dashed frame.
func (v *View) dashes(gtx C, size image.Point) {
	fill(gtx, v.Theme.Surface, size, corner)
	dash, space, w := gtx.Dp(8), gtx.Dp(6), gtx.Dp(2)
	line := func(from, length int, at func(i int) image.Rectangle) {
		for i := from; i < length-from; i += dash + space {
			paint.FillShape(gtx.Ops, v.Theme.Line, clip.Rect(at(i)).Op())
		}
	}
	r := gtx.Dp(corner)
	line(r, size.X, func(i int) image.Rectangle { return image.Rect(i, 0, min(i+dash, size.X-r), w) })
	line(r, size.X, func(i int) image.Rectangle { return image.Rect(i, size.Y-w, min(i+dash, size.X-r), size.Y) })
	line(r, size.Y, func(i int) image.Rectangle { return image.Rect(0, i, w, min(i+dash, size.Y-r)) })
	line(r, size.Y, func(i int) image.Rectangle { return image.Rect(size.X-w, i, size.X, min(i+dash, size.Y-r)) })
}

// picture shows an item's picture as large as there is room, at most so high.
func (v *View) picture(gtx C, x *ui.Item, high int) D {
	size := image.Pt(gtx.Constraints.Max.X, min(high, gtx.Constraints.Max.Y))
	gtx.Constraints = layout.Exact(size)
	fill(gtx, v.Theme.Surface, size, corner)
	outline(gtx, v.Theme.Line, size, corner, 1)
	inner := layout.UniformInset(gapSmall)
	return inner.Layout(gtx, func(gtx C) D {
		return means(gtx, meaning{role: Picture, name: x.File.Name}, func(gtx C) D { return v.thumb(gtx, x.File, Large) })
	})
}

// thumb draws a file's picture into the room there is, in proportion.
func (v *View) thumb(gtx C, f ui.File, size ThumbSize) D {
	room := gtx.Constraints.Max
	d := D{Size: room}
	picture, err := v.thumbs.Get(f, size)
	if picture == nil {
		if err != nil && size == Large {
			return layout.Center.Layout(gtx, v.muted(v.Texts.NoAnswer).Layout)
		}
		fill(gtx, v.Theme.Raised, room, corner/2)
		return d
	}
	have := picture.Size()
	scale := float32(math.Min(float64(room.X)/float64(have.X), float64(room.Y)/float64(have.Y)))
	if size == Large {
		scale = min(scale, 4)
	}
	shown := image.Pt(int(float32(have.X)*scale), int(float32(have.Y)*scale))
	defer op.Offset(room.Sub(shown).Div(2)).Push(gtx.Ops).Pop()
	defer clip.UniformRRect(image.Rectangle{Max: shown}, gtx.Dp(4)).Push(gtx.Ops).Pop()
	v.paint(gtx, picture, scale)
	return d
}

// answer is the words and the classes of an item.
func (v *View) answer(gtx C, x *ui.Item) D {
	parts := []layout.Widget{
		v.whole("name", v.label(sizeBody, v.Theme.Muted, x.File.Name).line()),
		func(gtx C) D {
			source := map[ui.CaptionSource]string{ui.Sidecar: v.Texts.WordsFile, ui.Embedded: v.Texts.WordsInside}[x.From]
			return rows(gtx, 4,
				func(gtx C) D {
					name := v.Texts.Words
					if source != "" {
						name += v.Texts.Comma + source
					}
					return v.muted(name).Layout(gtx)
				},
				func(gtx C) D {
					id := x.ID
					d, _ := v.field(gtx, fmt.Sprint("caption", id), x.Caption, v.Texts.WordsHint, func(typed string) ui.Message {
						return ui.SetCaption{ID: id, Text: typed}
					})
					return d
				})
		},
	}
	switch x.Status {
	case ui.Waiting:
		parts = append(parts, v.body(v.Texts.Waiting).Layout)
	case ui.Failed:
		words, details := v.Texts.because(x.Failure)
		parts = append(parts, func(gtx C) D {
			return rows(gtx, 2, append([]layout.Widget{v.label(sizeBody, v.Theme.Bad, v.Texts.NoAnswer+v.Texts.Colon+words).Layout}, v.details(details)...)...)
		})
	case ui.Asked:
		if len(x.Answer.Top) == 0 {
			parts = append(parts, v.body(v.Texts.Looking).Layout)
		}
	}
	if len(x.Answer.Top) > 0 && x.Status != ui.Failed {
		parts = append(parts, func(gtx C) D { return v.verdict(gtx, x) })
	}
	return rows(gtx, gap, parts...)
}

// verdict is the best class, then bars of all that were told.
func (v *View) verdict(gtx C, x *ui.Item) D {
	best := x.Answer.Top[0]
	parts := []layout.Widget{func(gtx C) D {
		head := v.label(sizeTitle, v.Theme.Ink, best.Label).strong()
		return v.wrap(gtx, gapSmall, head.Layout, func(gtx C) D {
			if x.Answer.Sure {
				return D{}
			}
			return layout.Inset{Top: 8}.Layout(gtx, v.label(sizeBody, v.Theme.Warn, v.Texts.NotSure).strong().Layout)
		})
	}}
	for i, t := range x.Answer.Top {
		parts = append(parts, func(gtx C) D {
			ink := v.Theme.Muted
			if i == 0 {
				ink = v.Theme.Accent
				if !x.Answer.Sure {
					ink = v.Theme.Warn
				}
			}
			return rows(gtx, 3,
				func(gtx C) D {
					return layout.Flex{}.Layout(gtx,
						layout.Flexed(1, v.whole(fmt.Sprint("class", i), v.body(t.Label).line())),
						layout.Rigid(layout.Spacer{Width: gap}.Layout),
						layout.Rigid(v.body(percent(t.P)).Layout))
				},
				func(gtx C) D { return v.bar(gtx, t.P, ink, 8) })
		})
	}
	parts = append(parts, v.muted(fmt.Sprintf(v.Texts.Took, x.Answer.Adapter, took(x.Took))).Layout)
	return rows(gtx, gapSmall+2, parts...)
}

// percent prints a probability.
func percent(p float32) string {
	if p >= 0.1 {
		return fmt.Sprintf("%.0f\u00a0%%", 100*p)
	}
	return fmt.Sprintf("%.1f\u00a0%%", 100*p)
}

// took prints a short time.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// columns are the widths of the table's columns, as shares.
func columns(gtx C) [3]float32 {
	if gtx.Constraints.Max.X < gtx.Dp(600) {
		return [3]float32{0.41, 0.31, 0.28}
	}
	return [3]float32{0.5, 0.32, 0.18}
}

// table lists the items, where there are several, and what can be done with them.
func (v *View) table(gtx C, s *ui.State, several bool, high int) D {
	p := &s.Pictures
	done, all := p.Counts()
	count := v.Texts.Counts.of(all, done, all)
	if p.Reading {
		count += v.Texts.Semicolon + v.Texts.Reading
	}
	if p.Skipped > 0 {
		count += v.Texts.Semicolon + v.Texts.Skipped.of(p.Skipped, p.Skipped)
	}
	bar := v.actions(s, several, count)
	if v.Choose == nil && hasPaths {
		bar = func(gtx C) D {
			return rows(gtx, gapSmall, v.actions(s, several, count), func(gtx C) D { return v.pathField(gtx, "picture path", v.Texts.PathMore, v.dropPath) })
		}
	}
	if !several {
		return bar(gtx)
	}
	items := p.Sorted()
	return rows(gtx, gapSmall, bar,
		func(gtx C) D { return v.heads(gtx, p.Order) },
		func(gtx C) D {
			gtx.Constraints.Max.Y = min(high, gtx.Constraints.Max.Y)
			gtx.Constraints.Min = image.Pt(gtx.Constraints.Max.X, 0)
			return v.scroll(gtx, "items", len(items), func(gtx C, i int) D { return v.row(gtx, &items[i], items[i].ID == p.Selected) })
		})
}

// actions are what can be done with the pictures, and how many there are.
func (v *View) actions(s *ui.State, several bool, count string) layout.Widget {
	return func(gtx C) D {
		done, _ := s.Pictures.Counts()
		return v.wrap(gtx, gapSmall,
			v.chooser("choose pictures", v.Texts.ChoosePictures, plain, ChoosePictures),
			v.camera(),
			v.tip("remove", v.Texts.TipRemove, v.do("remove", v.Texts.RemoveThis, plain, true, ui.Remove{ID: s.Pictures.Selected})),
			v.tip("clear", v.Texts.TipClear, v.do("clear", v.Texts.ClearAll, plain, several, ui.Clear{})),
			v.tip("csv", v.Texts.TipCSV, v.do("csv", v.Texts.SaveCSV, plain, done > 0, ui.ExportAnswers{Format: "csv"})),
			v.tip("json", v.Texts.TipJSON, v.do("json", v.Texts.SaveJSON, plain, done > 0, ui.ExportAnswers{Format: "json"})),
			v.undo(s), // last, so that nothing takes its place under the pointer
			v.beside(count))
	}
}

// heads are the table's column heads, which sort it.
func (v *View) heads(gtx C, o ui.Order) D {
	names := []string{v.Texts.Picture, v.Texts.Answer, v.Texts.Probability}
	by := []ui.Column{ui.ByName, ui.ByAnswer, ui.ByProbability}
	var children []layout.FlexChild
	for i, name := range names {
		if o.By == by[i] {
			name += map[bool]string{false: " ▲", true: " ▼"}[o.Descending]
		}
		children = append(children, layout.Flexed(columns(gtx)[i], func(gtx C) D {
			c := v.click(fmt.Sprint("head", i))
			if c.Clicked(gtx) {
				v.Send(ui.SortBy{Column: by[i]})
			}
			gtx.Constraints.Min.X = gtx.Constraints.Max.X
			focused := gtx.Focused(c)
			return press(gtx, c, meaning{role: Button}, func(gtx C) D {
				return behind(gtx, func(gtx C) D {
					return layout.UniformInset(gapSmall).Layout(gtx, v.muted(name).strong().line().Layout)
				}, func(size image.Point) {
					if focused {
						v.ring(gtx, size)
					}
				})
			})
		}))
	}
	return layout.Flex{}.Layout(gtx, children...)
}

const rowHeight unit.Dp = 44

// row is an item in the table.
func (v *View) row(gtx C, x *ui.Item, selected bool) D {
	c := v.click(fmt.Sprint("item", x.ID))
	if c.Clicked(gtx) {
		v.Send(ui.Select{ID: x.ID})
	}
	focused := gtx.Focused(c)
	gtx.Constraints = layout.Exact(image.Pt(gtx.Constraints.Max.X, gtx.Dp(rowHeight)))
	return press(gtx, c, meaning{role: Button, selected: selected}, func(gtx C) D {
		size := gtx.Constraints.Max
		if selected || c.Hovered() {
			fill(gtx, v.Theme.Raised, size, corner)
		}
		if focused {
			v.ring(gtx, size)
		}
		answer, p, ink := "", "", v.Theme.Ink
		switch {
		case x.Status == ui.Failed:
			answer, ink = v.Texts.NoAnswer, v.Theme.Bad
		case len(x.Answer.Top) > 0:
			answer, p = x.Answer.Top[0].Label, percent(x.Answer.Top[0].P)
			if !x.Answer.Sure {
				answer, ink = answer+" ("+v.Texts.NotSure+")", v.Theme.Warn
			}
			if x.Status != ui.Done { // of other words or another model
				ink = v.Theme.Muted
			}
		case x.Status == ui.Asked:
			answer, ink = v.Texts.Looking, v.Theme.Muted
		default:
			answer, ink = v.Texts.Waiting, v.Theme.Muted
		}
		cell := func(w layout.Widget) layout.Widget {
			return func(gtx C) D {
				gtx.Constraints.Min = gtx.Constraints.Max
				return left(gtx, func(gtx C) D { return layout.Inset{Left: gapSmall}.Layout(gtx, w) })
			}
		}
		columns := columns(gtx)
		layout.Flex{}.Layout(gtx,
			layout.Flexed(columns[0], cell(func(gtx C) D {
				side, space := unit.Dp(48), gap
				if gtx.Constraints.Max.X < gtx.Dp(200) {
					side, space = 36, gapSmall
				}
				return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
					layout.Rigid(func(gtx C) D {
						gtx.Constraints = layout.Exact(image.Pt(gtx.Dp(side), gtx.Dp(36)))
						return v.thumb(gtx, x.File, Small)
					}),
					layout.Rigid(layout.Spacer{Width: space}.Layout),
					layout.Flexed(1, v.whole(fmt.Sprint("name", x.ID), v.body(x.File.Name).line())))
			})),
			layout.Flexed(columns[1], cell(v.whole(fmt.Sprint("answer", x.ID), v.label(sizeBody, ink, answer).line()))),
			layout.Flexed(columns[2], cell(v.body(p).line().Layout)))
		return D{Size: size}
	})
}
