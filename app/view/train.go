package view

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"duet/app/ui"
	"duet/model/report"

	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/unit"
	"gioui.org/widget"
)

// train is the screen of a training, from its data to its result.
func (v *View) train(gtx C, s *ui.State) D {
	t := &s.Training
	switch t.Step {
	case ui.TrainReading:
		return v.page(gtx, v.title(v.Texts.Train).Layout, v.body(fmt.Sprintf(v.Texts.Understanding, t.Source.Name)).Layout,
			v.do("another", v.Texts.Another, plain, true, ui.Back{}))
	case ui.TrainConfirm:
		return v.confirm(gtx, s)
	case ui.TrainRunning, ui.TrainStopping:
		return v.running(gtx, s)
	case ui.TrainDone:
		return v.result(gtx, s)
	}
	return v.source(gtx, s)
}

// page is a screen that scrolls, not wider than one likes to read.
func (v *View) page(gtx C, parts ...layout.Widget) D {
	return v.scroll(gtx, "page", len(parts), func(gtx C, i int) D {
		gtx.Constraints.Max.X = min(gtx.Constraints.Max.X, gtx.Dp(880))
		gtx.Constraints.Min.X = 0
		d := parts[i](gtx)
		if d.Size.Y > 0 {
			d.Size.Y += gtx.Dp(gap + 4)
		}
		return d
	})
}

// source asks which data to train on.
func (v *View) source(gtx C, s *ui.State) D {
	unfinished := func(gtx C) D {
		var cards []layout.Widget
		for _, j := range s.Training.Unfinished {
			cards = append(cards, func(gtx C) D {
				return v.card(gtx, func(gtx C) D {
					return rows(gtx, gap, v.body(v.Texts.Unfinished.of(j.Step, j.Setup.Name, j.Step)).Layout, func(gtx C) D {
						return v.wrap(gtx, gapSmall,
							v.tip("go on "+j.ID, v.Texts.TipGoOn, v.do("go on "+j.ID, v.Texts.GoOn, primary, s.Engine.Ready, ui.Continue{ID: j.ID})),
							v.tip("give up "+j.ID, v.Texts.TipGiveUp, v.do("give up "+j.ID, v.Texts.GiveUp, danger, true, ui.Discard{ID: j.ID})))
					})
				})
			})
		}
		return rows(gtx, gap, cards...)
	}
	return v.page(gtx,
		v.title(v.Texts.Train).Layout,
		v.body(v.Texts.TrainLead).Layout,
		unfinished,
		func(gtx C) D {
			gtx.Constraints.Max.Y = gtx.Dp(220)
			return v.dropZone(gtx, v.Texts.DropFolder, v.Texts.FolderHint, v.chooser("choose folder", v.Texts.ChooseFolder, primary, ChooseFolder))
		},
		func(gtx C) D {
			if !hasPaths {
				return D{}
			}
			return v.pathField(gtx, "source path", v.Texts.PathHint, v.choosePath)
		},
		func(gtx C) D {
			return v.card(gtx, func(gtx C) D {
				return rows(gtx, gap, v.body(v.Texts.SampleLead).Layout,
					v.do("sample", v.Texts.UseSample, plain, true, ui.Choose{Source: ui.Source{Name: "shapes", Sample: true}}))
			})
		})
}

// choosePath takes what was typed as the place of a collection.
func (v *View) choosePath(path string) {
	if path != "" {
		v.Send(ui.Choose{Source: ui.Source{Name: lastPart(path), Path: path}})
	}
}

// confirm shows what was understood and asks how to train.
func (v *View) confirm(gtx C, s *ui.State) D {
	t, r := &s.Training, s.Training.Report
	facts := []layout.Widget{
		v.heading(t.Source.Name).Layout,
		v.muted(v.Texts.Understood + v.Texts.Colon + v.convention(r.Convention)).Layout,
		v.body(fmt.Sprintf(v.Texts.ExamplesOf, v.Texts.Examples.of(r.Examples, r.Examples), v.Texts.Pictures.of(r.Pictures, r.Pictures))).Layout,
		v.body(v.Texts.Classes.of(len(r.Classes), len(r.Classes), v.some(r.Classes, 12))).Layout,
	}
	if r.CaptionsFrom == "" || r.Captions == 0 {
		facts = append(facts, v.body(v.Texts.NoCaptions).Layout)
	} else {
		facts = append(facts, v.body(fmt.Sprintf(v.Texts.Captions, v.column(r.CaptionsFrom))).Layout)
	}
	splits := []report.Split{report.Unsplit, report.Train, report.Validation, report.Test}
	for _, split := range r.Splits {
		facts = append(facts, v.body(fmt.Sprintf(v.Texts.SplitOf, v.Texts.Splits[slices.Index(splits, split.Split)], split.Examples)).Layout)
	}
	if r.SkippedRows > 0 {
		facts = append(facts, v.label(sizeBody, v.Theme.Warn, v.Texts.LeftOut.of(r.SkippedRows, r.SkippedRows)).Layout)
		for _, skip := range r.Skipped[:min(4, len(r.Skipped))] {
			facts = append(facts, v.muted(skip.String()).Layout)
		}
	}
	return v.page(gtx,
		v.title(v.Texts.Train).Layout,
		func(gtx C) D {
			return v.card(gtx, func(gtx C) D { return rows(gtx, gapSmall, facts...) })
		},
		func(gtx C) D {
			bases := s.Models.Bases()
			if len(bases) < 2 {
				return D{}
			}
			return rows(gtx, gapSmall, v.heading(v.Texts.StartsFrom).Layout,
				func(gtx C) D {
					names := make([]string, len(bases))
					for i, x := range bases {
						names[i] = v.base(x)
					}
					d, picked := v.choices(gtx, "base", names, slices.Index(bases, t.Setup.Base), true)
					if picked >= 0 {
						v.Send(ui.SetBase{Base: bases[picked]})
					}
					return d
				})
		},
		func(gtx C) D {
			return rows(gtx, gapSmall, v.heading(v.Texts.HowMuch).Layout,
				func(gtx C) D {
					d, picked := v.choices(gtx, "preset", v.Texts.Presets[:], int(t.Setup.Preset), true)
					if picked >= 0 {
						v.Send(ui.SetPreset{Preset: ui.Preset(picked)})
					}
					for i, name := range v.Texts.Presets {
						v.explain(gtx, "preset/"+name, v.Texts.PresetLeads[i])
					}
					return d
				},
				v.body(v.Texts.PresetLeads[t.Setup.Preset]).Layout,
				func(gtx C) D {
					if e := t.Estimate; e.TooLarge() {
						return v.label(sizeBody, v.Theme.Warn, fmt.Sprintf(v.Texts.TooLarge, memory(e.Bytes), memory(e.Memory))).Layout(gtx)
					}
					return v.muted(v.estimate(t.Estimate)).Layout(gtx)
				})
		},
		func(gtx C) D {
			if b := t.Setup.Base; (b.Vision == "") != (b.Text == "") {
				return D{} // a tower sees its own side
			}
			inputs := []string{"both", "image", "text"}
			return rows(gtx, gapSmall, v.heading(v.Texts.InputsTitle).Layout,
				func(gtx C) D {
					d, picked := v.choices(gtx, "inputs", v.Texts.Inputs[:], slices.Index(inputs, t.Setup.Inputs), true)
					if picked >= 0 {
						v.Send(ui.SetInputs{Inputs: inputs[picked]})
					}
					return d
				})
		},
		func(gtx C) D {
			gtx.Constraints.Max.X = min(gtx.Constraints.Max.X, gtx.Dp(420))
			return rows(gtx, gapSmall, v.heading(v.Texts.NameTitle).Layout,
				func(gtx C) D {
					d, _ := v.field(gtx, "model name", t.Setup.Name, v.Texts.NameTitle, func(typed string) ui.Message { return ui.SetName{Name: typed} })
					return d
				})
		},
		func(gtx C) D {
			return v.wrap(gtx, gapSmall,
				v.do("start", v.Texts.Start, primary, s.Engine.Ready && len(r.Classes) > 1 && !t.Estimate.TooLarge(), ui.Start{}),
				v.do("another", v.Texts.Another, plain, true, ui.Back{}))
		})
}

// base names what a training starts from.
func (v *View) base(b ui.Base) string {
	var names []string
	for _, name := range []string{b.Vision, b.Text} {
		if name != "" {
			names = append(names, lastPart(name))
		}
	}
	if names == nil {
		return v.Texts.InUseModel
	}
	return strings.Join(names, " + ")
}

// estimate says what a training takes.
func (v *View) estimate(e *report.Estimate) string {
	if e == nil {
		return v.Texts.EstimateBusy
	}
	if e.Bytes == 0 {
		return "" // it could not be made, and the reason is shown
	}
	s := fmt.Sprintf(v.Texts.EstimateTrained, count(e.Trained), count(e.Parameters)) + " " + fmt.Sprintf(v.Texts.EstimateMemory, memory(e.Bytes))
	if e.Time > 0 {
		s += " " + fmt.Sprintf(v.Texts.EstimateTime, about(e.Time))
	}
	return s
}

// about prints a time that is only guessed, in whole seconds.
func about(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second).Seconds())))
	}
	return took(d)
}

// count prints a number of parameters.
func count(n int) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.0f k", float64(n)/1e3)
	}
	return strconv.Itoa(n)
}

// memory prints a size, in the units of the hub and of the command line.
func memory(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1000)
}

// some lists the first n.
func (v *View) some(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, v.Texts.Listed)
	}
	return strings.Join(list[:n], v.Texts.Listed) + v.Texts.Listed + "…"
}

// conventions are those that a collection's report names.
var conventions = [...]string{
	"a folder per class", "an ImageFolder with a folder per class", "an ImageFolder with metadata", "a table in the folder", "a table",
	"tar shards of the WebDataset convention", "several collections together", "pictures without labels or words",
}

func (v *View) convention(s string) string {
	if i := slices.Index(conventions[:], s); i >= 0 {
		return v.Texts.Conventions[i]
	}
	return s
}

// column tells of a column of a table, as reports name one, in the words of the
// language.
func (v *View) column(from string) string {
	rest, ok := strings.CutPrefix(from, "column ")
	if name, file, of := strings.Cut(rest, " of "); ok && of {
		return fmt.Sprintf(v.Texts.Column, name, file)
	}
	return from
}

// running shows how a training goes.
func (v *View) running(gtx C, s *ui.State) D {
	t, p := &s.Training, &s.Training.Progress
	share, status := float32(0), v.Texts.Preparing
	switch {
	case p.Steps > 0:
		share = float32(p.Step) / float32(p.Steps)
		status = fmt.Sprintf(v.Texts.StepOf, p.Step, p.Steps) + v.Texts.Comma + fmt.Sprintf(v.Texts.EpochOf, p.Epoch, p.Epochs)
		if p.PerSecond > 0 {
			status += v.Texts.Semicolon + v.Texts.Speed.of(int(math.Round(p.PerSecond)), p.PerSecond)
		}
		if left := p.Left(gtx.Now); left > 0 {
			status += v.Texts.Comma + fmt.Sprintf(v.Texts.Left, about(left))
		}
	case p.AllFeatures > 0:
		share = float32(p.Features) / float32(p.AllFeatures)
		status = v.Texts.FeaturesOf.of(p.AllFeatures, p.Features, p.AllFeatures)
	}
	if p.Skipped > 0 {
		status += v.Texts.Semicolon + v.Texts.Unreadable.of(p.Skipped, p.Skipped)
	}
	if p.Unkept {
		status += ". " + v.Texts.Unkept
	}
	stop := v.Texts.Stop
	if t.Step == ui.TrainStopping {
		stop = v.Texts.Stopping
	}
	return v.page(gtx,
		v.title(t.Setup.Name).Layout,
		func(gtx C) D {
			return rows(gtx, gapSmall, func(gtx C) D { return v.bar(gtx, share, v.Theme.Accent, 10) }, v.body(status).Layout)
		},
		func(gtx C) D { return v.curves(gtx, p) },
		v.tip("stop", v.Texts.TipStop, v.do("stop", stop, plain, t.Step == ui.TrainRunning, ui.Stop{})))
}

// result shows what a training came to.
func (v *View) result(gtx C, s *ui.State) D {
	t, r := &s.Training, s.Training.Result
	e := r.Evaluation
	title := v.Texts.ResultTitle.of(e.N, t.Setup.Name, 100*e.Top1, e.N)
	if r.Stopped {
		title = v.Texts.StoppedTitle + title
	}
	using := s.Models.Using == r.Model
	use := v.Texts.Use
	if using {
		use = v.Texts.InUse
	}
	if s.Models.Loading == r.Model {
		use = v.Texts.Loading
	}
	gone := ""
	if slices.ContainsFunc(s.Models.Removed, func(m ui.Model) bool { return m.ID == r.Model }) {
		gone = fmt.Sprintf(v.Texts.Removed, t.Setup.Name)
	}
	parts := []layout.Widget{
		v.heading(title).Layout,
		func(gtx C) D {
			return v.wrap(gtx, gapSmall,
				v.tip("use result", v.Texts.TipUse, v.do("use result", use, primary, !using && s.Models.Loading == "" && gone == "", ui.Use{ID: r.Model})),
				v.tip("export result", v.Texts.TipExport, v.do("export result", v.Texts.Export, plain, gone == "", ui.ExportModel{ID: r.Model})),
				v.do("train another", v.Texts.AgainAnother, plain, true, ui.Back{}),
				v.beside(gone))
		},
		func(gtx C) D { return v.curves(gtx, &t.Progress) },
		func(gtx C) D {
			return v.card(gtx, func(gtx C) D {
				return rows(gtx, gapSmall, v.heading(v.Texts.Confusion).Layout, v.muted(v.Texts.ConfusionLead).Layout,
					func(gtx C) D { return v.confusion(gtx, r) }, func(gtx C) D { return v.cell(gtx, r) })
			})
		},
		func(gtx C) D {
			return v.card(gtx, func(gtx C) D {
				table := []layout.Widget{v.heading(v.Texts.PerClass).Layout, func(gtx C) D {
					return v.classRow(gtx, v.muted, []string{"", v.Texts.TipPrecision, v.Texts.TipRecall, v.Texts.TipF1}, "", v.Texts.Precision, v.Texts.Recall, "F1")
				}}
				for _, c := range e.Classes {
					if c.N > 0 {
						table = append(table, func(gtx C) D {
							return v.classRow(gtx, v.body, nil, fmt.Sprintf("%s (%d)", c.Label, c.N), percent(float32(c.Precision)), percent(float32(c.Recall)), fmt.Sprintf("%.2f", c.F1))
						})
					}
				}
				return rows(gtx, 4, table...)
			})
		},
	}
	return v.page(gtx, parts...)
}

// classRow is a row of the table by class; its cells may have tips.
func (v *View) classRow(gtx C, style func(string) label, tips []string, texts ...string) D {
	var children []layout.FlexChild
	for i, s := range texts {
		l := style(s).line()
		if i > 0 {
			l = l.end()
		}
		children = append(children, layout.Flexed(map[bool]float32{true: 0.4, false: 0.2}[i == 0], func(gtx C) D {
			gtx.Constraints.Min.X = gtx.Constraints.Max.X
			switch {
			case tips != nil:
				return v.about("column "+s, tips[i], l.Layout)(gtx)
			case i == 0:
				return v.whole("class "+s, l)(gtx)
			}
			return l.Layout(gtx)
		}))
	}
	return layout.Flex{}.Layout(gtx, children...)
}

const cellSize unit.Dp = 50

// confusion is the matrix: rows are what pictures show, columns what the model
// says. It scrolls sideways where there are many classes.
func (v *View) confusion(gtx C, r *ui.Result) D {
	e := r.Evaluation
	var shown []int // classes that occur
	for c := range e.Confusion {
		n := 0
		for o := range e.Confusion {
			n += e.Confusion[c][o] + e.Confusion[o][c]
		}
		if n > 0 {
			shown = append(shown, c)
		}
	}
	size := gtx.Dp(cellSize)
	names := min(max(gtx.Constraints.Max.X*3/10, gtx.Dp(100)), gtx.Dp(220))
	height := size * (len(shown) + 1)
	gtx.Constraints.Max.Y = height
	return layout.Flex{}.Layout(gtx,
		layout.Rigid(func(gtx C) D {
			for i, c := range shown {
				t := op.Offset(image.Pt(0, size*(i+1))).Push(gtx.Ops)
				inner := gtx
				inner.Constraints = layout.Exact(image.Pt(names, size))
				left(inner, func(gtx C) D {
					return layout.Inset{Right: gapSmall}.Layout(gtx, v.whole(fmt.Sprint("truth ", c), v.body(e.Classes[c].Label).line()))
				})
				t.Pop()
			}
			return D{Size: image.Pt(names, height)}
		}),
		layout.Flexed(1, func(gtx C) D {
			return v.across(gtx, "confusion", len(shown), func(gtx C, i int) D {
				answer := shown[i]
				inner := gtx
				inner.Constraints = layout.Exact(image.Pt(size, size))
				layout.Center.Layout(inner, func(gtx C) D {
					return layout.UniformInset(2).Layout(gtx, v.whole(fmt.Sprint("answer ", answer), v.muted(e.Classes[answer].Label).line().centred()))
				})
				for row, truth := range shown {
					t := op.Offset(image.Pt(0, size*(row+1))).Push(gtx.Ops)
					v.count(inner, r, truth, answer)
					t.Pop()
				}
				return D{Size: image.Pt(size, height)}
			})
		}))
}

// count is a cell of the matrix.
func (v *View) count(gtx C, r *ui.Result, truth, answer int) D {
	e := r.Evaluation
	n := e.Confusion[truth][answer]
	size := gtx.Constraints.Max
	var c *widget.Clickable // of a cell that has pictures
	open := r.Open && r.Cell == [2]int{truth, answer}
	draw := func(gtx C) D {
		all := max(1, e.Classes[truth].N)
		inner := image.Pt(size.X-2, size.Y-2)
		ground, ink := v.Theme.Ground, v.Theme.Muted
		if n > 0 {
			base := v.Theme.Bad
			if truth == answer {
				base = v.Theme.Accent
			}
			ground, ink = blend(v.Theme.Surface, base, uint8(30+40*n/all)), v.Theme.Ink
		}
		fill(gtx, ground, inner, 4)
		if n > 0 {
			if open || gtx.Focused(c) {
				outline(gtx, v.Theme.Ink, inner, 4, 2)
			}
			layout.Center.Layout(gtx, v.label(sizeBody, ink, fmt.Sprint(n)).Layout)
		}
		return D{Size: size}
	}
	if n == 0 {
		return draw(gtx)
	}
	name, title := fmt.Sprintf("cell %d %d", truth, answer), fmt.Sprintf("%s → %s", e.Classes[truth].Label, e.Classes[answer].Label)
	c = v.click(name)
	if c.Clicked(gtx) {
		v.Send(ui.OpenCell{Truth: truth, Answer: answer})
	}
	d := press(gtx, c, meaning{role: Button, name: title, selected: open}, draw)
	v.explain(gtx, name, title)
	return d
}

// cell shows the pictures of the open cell.
func (v *View) cell(gtx C, r *ui.Result) D {
	if !r.Open {
		return D{}
	}
	e := r.Evaluation
	held := r.Cells[r.Cell[0]][r.Cell[1]]
	title := v.label(sizeBody, v.Theme.Ink, fmt.Sprintf("%s → %s%s%d", e.Classes[r.Cell[0]].Label, e.Classes[r.Cell[1]].Label, v.Texts.Colon, len(held))).strong()
	return rows(gtx, gapSmall, title.Layout, func(gtx C) D {
		gtx.Constraints.Max.Y = gtx.Dp(150)
		return v.across(gtx, "held", len(held), func(gtx C, i int) D {
			return layout.Inset{Right: gap}.Layout(gtx, func(gtx C) D {
				gtx.Constraints.Max.X = gtx.Dp(140)
				gtx.Constraints.Min.X = gtx.Constraints.Max.X
				return rows(gtx, 2, func(gtx C) D {
					gtx.Constraints = layout.Exact(image.Pt(gtx.Dp(140), gtx.Dp(104)))
					return v.thumb(gtx, held[i].File, Small)
				}, v.whole(fmt.Sprint("held ", i), v.muted(held[i].Caption).upTo(2).centred()))
			})
		})
	})
}
