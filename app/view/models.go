package view

import (
	"fmt"
	"strings"

	"duet/app/ui"

	"gioui.org/layout"
)

// models is the screen of the models that there are.
func (v *View) models(gtx C, s *ui.State) D {
	m := &s.Models
	parts := []layout.Widget{
		v.title(v.Texts.Models).Layout,
		v.body(v.Texts.ModelsLead).Layout,
		func(gtx C) D {
			undo := func(C) D { return D{} }
			removed := undo
			if n := len(m.Removed); n > 0 {
				undo = v.do("undo model", v.Texts.Undo, plain, true, ui.UndoRemoveModel{})
				removed = v.beside(fmt.Sprintf(v.Texts.Removed, m.Removed[n-1].Name))
			}
			return v.wrap(gtx, gapSmall, v.chooser("import", v.Texts.Import, plain, ChooseModel), undo, removed)
		},
	}
	if v.Choose == nil && hasPaths {
		parts = append(parts, func(gtx C) D { return v.pathField(gtx, "model path", v.Texts.PathHint, v.dropPath) })
	}
	parts = append(parts, func(gtx C) D { return v.storage(gtx, s) })
	if len(m.List) == 0 && s.Problem == nil {
		parts = append(parts, v.muted(v.Texts.Starting).Layout)
	}
	for i := range m.List {
		x := &m.List[i]
		parts = append(parts, func(gtx C) D { return v.card(gtx, func(gtx C) D { return v.model(gtx, m, x) }) })
	}
	return v.page(gtx, append(parts, v.towers(m)...)...)
}

// model is one model.
func (v *View) model(gtx C, m *ui.Models, x *ui.Model) D {
	name := x.Name
	if x.Embedded {
		name = v.Texts.DefaultModel
	}
	state := v.Texts.Use
	switch x.ID {
	case m.Using:
		state = v.Texts.InUse
	case m.Loading:
		state = v.Texts.Loading
	}
	var facts []string
	if x.Bytes > 0 {
		facts = append(facts, memory(x.Bytes))
	}
	if !x.Made.IsZero() {
		facts = append(facts, x.Made.Format("2006-01-02 15:04"))
	}
	if x.Embedded {
		facts = append(facts, v.Texts.StaysDefault)
	}
	head := v.heading(name).Layout
	if !x.Embedded {
		head = func(gtx C) D {
			gtx.Constraints.Max.X = min(gtx.Constraints.Max.X, gtx.Dp(420))
			id := x.ID
			d, _ := v.field(gtx, "name of "+id, x.Name, v.Texts.NameTitle, func(typed string) ui.Message { return ui.Rename{ID: id, Name: typed} })
			return d
		}
	}
	return rows(gtx, gapSmall, head,
		v.body(v.Texts.Classes.of(len(x.Classes), len(x.Classes), v.some(x.Classes, 10))).Layout,
		func(gtx C) D {
			if facts == nil {
				return D{}
			}
			return v.muted(strings.Join(facts, v.Texts.Comma)).Layout(gtx)
		},
		func(gtx C) D {
			remove, stays := func(C) D { return D{} }, ""
			if !x.Embedded {
				if x.ID == m.Using || x.ID == m.Loading {
					stays = v.Texts.StaysInUse
				}
				remove = v.tip("remove "+x.ID, v.Texts.TipRemoveModel, v.do("remove "+x.ID, v.Texts.Remove, danger, stays == "", ui.RemoveModel{ID: x.ID}))
			}
			return v.wrap(gtx, gapSmall,
				v.tip("use "+x.ID, v.Texts.TipUse, v.do("use "+x.ID, state, primary, x.ID != m.Using && m.Loading == "", ui.Use{ID: x.ID})),
				func(gtx C) D {
					if x.Card == "" {
						return D{}
					}
					return v.do("card "+x.ID, v.Texts.Card, plain, true, ui.ShowCard{ID: x.ID})(gtx)
				},
				v.tip("export "+x.ID, v.Texts.TipExport, v.do("export "+x.ID, v.Texts.Export, plain, true, ui.ExportModel{ID: x.ID})),
				v.tip("onnx "+x.ID, v.Texts.TipONNX, v.do("onnx "+x.ID, v.Texts.ONNX, plain, true, ui.ExportModel{ID: x.ID, Format: ui.FormatONNX})),
				remove, v.beside(stays))
		},
		func(gtx C) D {
			if m.Card != x.ID {
				return D{}
			}
			return v.document(gtx, x.Card)
		})
}

// document shows Markdown as far as model cards have it: headings, lists, tables
// and paragraphs. Its front matter is for programs.
func (v *View) document(gtx C, markdown string) D {
	if rest, ok := strings.CutPrefix(markdown, "---\n"); ok {
		if _, body, ok := strings.Cut(rest, "\n---\n"); ok {
			markdown = body
		}
	}
	var parts []layout.Widget
	paragraph := ""
	end := func() {
		if paragraph != "" {
			parts = append(parts, v.body(paragraph).Layout)
		}
		paragraph = ""
	}
	for line := range strings.Lines(markdown) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "`", "")
		switch heading := strings.TrimLeft(line, "#"); {
		case line == "":
			end()
		case heading != line:
			end()
			parts = append(parts, v.label(sizeBody, v.Theme.Ink, strings.TrimSpace(heading)).strong().Layout)
		case strings.Trim(line, "|-: ") == "": // below a table's head
		case strings.HasPrefix(line, "|"):
			end()
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			parts = append(parts, v.columns(cells))
		case strings.HasPrefix(line, "- "):
			end()
			paragraph = "• " + line[2:]
		default:
			paragraph = strings.TrimSpace(paragraph + " " + line)
		}
	}
	end()
	return rows(gtx, gapSmall, parts...)
}

// columns is a row of a table, its first column the widest.
func (v *View) columns(cells []string) layout.Widget {
	return func(gtx C) D {
		var children []layout.FlexChild
		for i, cell := range cells {
			share := float32(0.6)
			if i > 0 {
				share = 0.4 / float32(len(cells)-1)
			}
			children = append(children, layout.Flexed(share, func(gtx C) D {
				gtx.Constraints.Min.X = gtx.Constraints.Max.X
				return layout.Inset{Right: gap}.Layout(gtx, v.label(sizeSmall, v.Theme.Ink, cell).Layout)
			}))
		}
		return layout.Flex{}.Layout(gtx, children...)
	}
}

// settings is the screen of the settings.
func (v *View) settings(gtx C, s *ui.State) D {
	set := func(change func(*ui.Prefs)) {
		prefs := s.Prefs
		change(&prefs)
		v.Send(ui.SetPrefs{Prefs: prefs})
	}
	choice := func(title, name string, texts, values []string, chosen string, apply func(*ui.Prefs, string)) layout.Widget {
		at := 0
		for i, value := range values {
			if value == chosen {
				at = i
			}
		}
		return func(gtx C) D {
			return rows(gtx, gapSmall, v.heading(title).Layout, func(gtx C) D {
				d, picked := v.choices(gtx, name, texts, at, true)
				if picked >= 0 {
					set(func(p *ui.Prefs) { apply(p, values[picked]) })
				}
				return d
			})
		}
	}
	languages, codes := []string{v.Texts.AsSystem}, []string{""}
	for _, t := range v.offered() {
		languages, codes = append(languages, t.Language), append(codes, t.Code)
	}
	return v.page(gtx,
		v.title(v.Texts.Settings).Layout,
		choice(v.Texts.LanguageTitle, "language", languages, codes, s.Prefs.Language, func(p *ui.Prefs, c string) { p.Language = c }),
		choice(v.Texts.ThemeTitle, "theme", []string{v.Texts.AsSystem, v.Texts.Light, v.Texts.Dark}, []string{"", "light", "dark"}, s.Prefs.Theme,
			func(p *ui.Prefs, t string) { p.Theme = t }),
		func(gtx C) D { return v.aboutDuet(gtx, s) },
		func(gtx C) D { return v.traffic(gtx, s) })
}

// aboutDuet says what the program is, which one, and what computes.
func (v *View) aboutDuet(gtx C, s *ui.State) D {
	version, device := v.Texts.NoVersion, v.adapter(s)
	if s.Version != "" {
		version = fmt.Sprintf(v.Texts.Version, s.Version)
	}
	if s.Engine.Ready {
		device = v.Texts.ComputesOn + v.Texts.Colon + device
	}
	return rows(gtx, gapSmall, v.heading(v.Texts.About).Layout, v.body(v.Texts.AboutText).Layout,
		v.muted(version).Layout, v.muted(device).Layout, v.muted(v.Texts.Licence).Layout)
}
