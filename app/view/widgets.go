package view

import (
	"image"
	"image/color"
	"math"
	"strings"

	"duet/app/ui"

	"gioui.org/font"
	"gioui.org/gesture"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/text"
	"gioui.org/unit"
	"gioui.org/widget"
)

// C and D are what every widget takes and gives.
type (
	C = layout.Context
	D = layout.Dimensions
)

// A View draws the app. It holds what widgets need between frames, by a name
// that tells where they are.
type View struct {
	Theme  *Theme
	Texts  *Texts
	Choose func(what Choice, title string) // opens the platform's dialog; nil: there is none

	deliver    func(ui.Message)
	languages  []*Texts // that can be drawn
	ownChinese bool     // the shaper has the app's own fonts for Chinese
	later      later
	clicks     map[string]*widget.Clickable
	editors    map[string]*editor
	lists      map[string]*widget.List
	thumbs     *Thumbs
	tips       tips
	worn       dress                   // what the page around the view was told of
	seen       func(l label, cut bool) // for tests: what is drawn, and whether it is cut
}

// A Choice is what a dialog lets the user choose.
type Choice uint8

// The choices.
const (
	ChoosePictures Choice = iota
	ChooseFolder
	ChooseModel
	ChooseCamera // a picture of what is before it
)

// New returns a view that sends what the user does to send.
func New(theme *Theme, texts *Texts, thumbs *Thumbs, send func(ui.Message)) *View {
	return &View{Theme: theme, Texts: texts, deliver: send, languages: drawable(theme.Shaper), thumbs: thumbs,
		clicks: map[string]*widget.Clickable{}, editors: map[string]*editor{}, lists: map[string]*widget.List{},
		tips: tips{hovers: map[string]*gesture.Hover{}}}
}

// Send sends what the user did; what was typed before comes first.
func (v *View) Send(m ui.Message) {
	v.Commit()
	v.deliver(m)
}

// Commit sends what was typed and not yet sent. A click does not take the
// keyboard out of a field, so this is when it counts as left.
func (v *View) Commit() {
	for _, e := range v.editors {
		e.send(v.deliver)
	}
}

func (v *View) click(name string) *widget.Clickable {
	c := v.clicks[name]
	if c == nil {
		c = new(widget.Clickable)
		v.clicks[name] = c
	}
	return c
}

func (v *View) list(name string, axis layout.Axis) *widget.List {
	l := v.lists[name]
	if l == nil {
		l = new(widget.List)
		v.lists[name] = l
	}
	l.Axis = axis
	return l
}

// label is text in a size and a colour.
func (v *View) label(size unit.Sp, ink color.NRGBA, s string) label {
	l := label{shaper: v.Theme.Shaper, bold: bold, size: size, ink: ink, text: s, seen: v.seen}
	if hasHan(s) {
		l.bold = boldChinese(v.ownChinese)
		if v.later.expected() {
			v.later.missed = true
			l.ink = color.NRGBA{} // not boxes while the fonts come
		}
	}
	return l
}

func (v *View) body(s string) label  { return v.label(sizeBody, v.Theme.Ink, s) }
func (v *View) muted(s string) label { return v.label(sizeSmall, v.Theme.Muted, s) }
func (v *View) title(s string) label {
	l := v.label(sizeTitle, v.Theme.Ink, s)
	l.font, l.head = l.bold, true
	return l
}
func (v *View) heading(s string) label {
	l := v.label(sizeLarge, v.Theme.Ink, s)
	l.font, l.head = l.bold, true
	return l
}

// A label is text.
type label struct {
	shaper *text.Shaper
	font   font.Font
	bold   font.Font // what font is where the text is strong
	size   unit.Sp
	ink    color.NRGBA
	align  text.Alignment
	lines  int
	text   string
	head   bool                    // of a screen or a part of it
	seen   func(l label, cut bool) // see View.seen
}

// line keeps the label on one line, cut with an ellipsis.
func (l label) line() label {
	l.lines = 1
	return l
}

// upTo keeps the label on n lines, the last one cut with an ellipsis.
func (l label) upTo(n int) label {
	l.lines = n
	return l
}

func (l label) strong() label {
	l.font = l.bold
	return l
}

func (l label) end() label {
	l.align = text.End
	return l
}

func (l label) centred() label {
	l.align = text.Middle
	return l
}

// Height of the Go fonts above and below the baseline, and from line to line,
// in units of their size.
const (
	above, below = 0.945, 0.211
	lineHeight   = 1.35
)

// Layout draws the label. It takes the height that the Go fonts have, whatever
// its characters are drawn with: fonts for Chinese are higher, and a row of both
// would not stand on one line.
func (l label) Layout(gtx C) D {
	if l.head {
		l.head = false
		return means(gtx, meaning{role: Heading}, l.Layout)
	}
	c := gtx.Constraints
	gtx.Constraints.Min.Y = 0
	m := op.Record(gtx.Ops)
	d, info := widget.Label{Alignment: l.align, MaxLines: l.lines, LineHeightScale: lineHeight}.LayoutDetailed(gtx, l.shaper, l.font, l.size, l.text, colour(gtx, l.ink))
	call := m.Stop()
	size := float64(gtx.Sp(l.size))
	up, down := int(math.Ceil(above*size)), int(math.Ceil(below*size))
	first := d.Size.Y - d.Baseline // the baseline of the first line, from the top
	further := int(float64(d.Size.Y-first)/(lineHeight*size)) * int(math.Round(lineHeight*size))
	if l.seen != nil {
		l.seen(l, info.Truncated > 0 || up+further+down > c.Max.Y)
	}
	t := op.Offset(image.Pt(0, up-first)).Push(gtx.Ops)
	call.Add(gtx.Ops)
	t.Pop()
	d.Size = c.Constrain(image.Pt(d.Size.X, up+further+down))
	d.Baseline = d.Size.Y - up
	return d
}

// colour records a colour as a material for text.
func colour(gtx C, c color.NRGBA) op.CallOp {
	m := op.Record(gtx.Ops)
	paint.ColorOp{Color: c}.Add(gtx.Ops)
	return m.Stop()
}

// fill paints a rounded rectangle of a size.
func fill(gtx C, c color.NRGBA, size image.Point, radius unit.Dp) {
	r := gtx.Dp(radius)
	paint.FillShape(gtx.Ops, c, clip.UniformRRect(image.Rectangle{Max: size}, r).Op(gtx.Ops))
}

// outline strokes a rounded rectangle of a size.
func outline(gtx C, c color.NRGBA, size image.Point, radius, width unit.Dp) {
	w := float32(gtx.Dp(width))
	rect := image.Rectangle{Max: size}.Inset(int(w / 2))
	paint.FillShape(gtx.Ops, c, clip.Stroke{Path: clip.UniformRRect(rect, gtx.Dp(radius)).Path(gtx.Ops), Width: w}.Op())
}

// behind draws a background of the size of w.
func behind(gtx C, w layout.Widget, draw func(size image.Point)) D {
	m := op.Record(gtx.Ops)
	d := w(gtx)
	call := m.Stop()
	draw(d.Size)
	call.Add(gtx.Ops)
	return d
}

// card puts a widget on a surface, as wide as there is room.
func (v *View) card(gtx C, w layout.Widget) D {
	return behind(gtx, func(gtx C) D {
		return layout.UniformInset(gap+4).Layout(gtx, func(gtx C) D {
			gtx.Constraints.Min = image.Point{}
			d := w(gtx)
			d.Size.X = gtx.Constraints.Max.X
			return d
		})
	}, func(size image.Point) {
		fill(gtx, v.Theme.Surface, size, corner)
		outline(gtx, v.Theme.Line, size, corner, 1)
	})
}

// kind of a button.
type kind uint8

const (
	primary kind = iota
	plain
	quiet  // text alone
	danger // what loses something
)

// button is a button; it tells whether it was clicked. A button that is off is
// drawn faintly and takes no clicks.
func (v *View) button(gtx C, name, text string, k kind, on bool) (D, bool) {
	return v.buttonOn(gtx, name, text, "", k, on)
}

// buttonOn is a button among others with the same text; those who do not see what
// it stands beside are told what it acts on.
func (v *View) buttonOn(gtx C, name, text, object string, k kind, on bool) (D, bool) {
	c := v.click(name)
	if !on {
		gtx = gtx.Disabled()
		*c = widget.Clickable{} // it is not told that the pointer leaves it
	}
	clicked := c.Clicked(gtx)
	ground, ink := v.Theme.Accent, v.Theme.OnFill
	switch k {
	case plain:
		ground, ink = v.Theme.Surface, v.Theme.Ink
	case quiet:
		ground, ink = color.NRGBA{}, v.Theme.Accent
	case danger:
		ground, ink = v.Theme.Surface, v.Theme.Bad
	}
	if !on {
		ink = v.Theme.Muted
		if k == primary {
			ground = v.Theme.Raised
		}
	} else if c.Hovered() || c.Pressed() {
		ground = blend(ground, v.Theme.Ink, 24)
		if k == quiet {
			ground = v.Theme.Raised
		}
	}
	focused := gtx.Focused(c)
	d := press(gtx, c, meaning{role: Button, name: object}, func(gtx C) D {
		return behind(gtx, func(gtx C) D {
			gtx.Constraints.Min.Y = gtx.Dp(touch)
			return layout.Center.Layout(gtx, func(gtx C) D {
				return layout.Inset{Left: 14, Right: 14, Top: 6, Bottom: 6}.Layout(gtx, v.label(sizeBody, ink, text).strong().line().Layout)
			})
		}, func(size image.Point) {
			fill(gtx, ground, size, corner)
			if k == plain || k == danger {
				outline(gtx, v.Theme.Line, size, corner, 1)
			}
			if focused {
				v.ring(gtx, size)
			}
		})
	})
	return d, clicked
}

// do returns a button that sends a message.
func (v *View) do(name, text string, k kind, on bool, m ui.Message) layout.Widget {
	return func(gtx C) D {
		d, clicked := v.button(gtx, name, text, k, on)
		if clicked {
			v.Send(m)
		}
		return d
	}
}

// ring shows where the keyboard is.
func (v *View) ring(gtx C, size image.Point) {
	outline(gtx, v.Theme.Ink, size, corner, 2)
}

// blend mixes a little of b into a.
func blend(a, b color.NRGBA, share uint8) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8((int(x)*(255-int(share)) + int(y)*int(share)) / 255) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: max(a.A, share)}
}

// choices is a row of buttons of which one is chosen.
func (v *View) choices(gtx C, name string, texts []string, chosen int, on bool) (D, int) {
	picked := -1
	var row []layout.Widget
	for i, s := range texts {
		row = append(row, func(gtx C) D {
			id := name + "/" + s
			c := v.click(id)
			if !on {
				gtx = gtx.Disabled()
			}
			if c.Clicked(gtx) {
				picked = i
			}
			focused := gtx.Focused(c)
			return press(gtx, c, meaning{role: Radio, selected: i == chosen}, func(gtx C) D {
				ink := v.Theme.Ink
				return behind(gtx, func(gtx C) D {
					gtx.Constraints.Min.Y = gtx.Dp(touch)
					return layout.Center.Layout(gtx, func(gtx C) D {
						l := v.label(sizeBody, ink, s).line()
						if i == chosen {
							l = l.strong()
						}
						return layout.Inset{Left: 12, Right: 12}.Layout(gtx, l.Layout)
					})
				}, func(size image.Point) {
					if i == chosen || c.Hovered() {
						fill(gtx, v.Theme.Raised, size, corner)
					}
					if i == chosen {
						outline(gtx, v.Theme.Accent, size, corner, 2)
					} else {
						outline(gtx, v.Theme.Line, size, corner, 1)
					}
					if focused {
						v.ring(gtx, size)
					}
				})
			})
		})
	}
	return v.wrap(gtx, gapSmall, row...), picked
}

// wrap lays widgets out in rows, as many in each as there is room for.
func (v *View) wrap(gtx C, space unit.Dp, widgets ...layout.Widget) D {
	wide, s := gtx.Constraints.Max.X, gtx.Dp(space)
	x, y, row, most := 0, 0, 0, 0
	for _, w := range widgets {
		m := op.Record(gtx.Ops)
		inner := gtx
		inner.Constraints.Min = image.Point{}
		d := w(inner)
		call := m.Stop()
		if d.Size.X == 0 {
			continue // there is nothing to show now
		}
		if x > 0 && x+d.Size.X > wide {
			x, y, row = 0, y+row+s, 0
		}
		t := op.Offset(image.Pt(x, y)).Push(gtx.Ops)
		call.Add(gtx.Ops)
		t.Pop()
		x += d.Size.X + s
		row, most = max(row, d.Size.Y), max(most, x-s)
	}
	return D{Size: gtx.Constraints.Constrain(image.Pt(most, y+row))}
}

// An editor is a field with what was last sent from it, so that a change from
// outside shows.
type editor struct {
	widget.Editor
	shown  string
	commit func(typed string) ui.Message // nil: nothing is sent until Enter
}

// send sends what was typed since the last time.
func (e *editor) send(deliver func(ui.Message)) {
	if typed := e.Text(); e.commit != nil && typed != e.shown {
		e.shown = typed
		deliver(e.commit(strings.TrimSpace(typed)))
	}
}

// field is a line to type in. What is typed is sent as a message when Enter is
// pressed, the field is left, or something else is done. With a nil commit only
// Enter counts, which is returned.
func (v *View) field(gtx C, name, value, hint string, commit func(typed string) ui.Message) (D, bool) {
	e := v.editors[name]
	if e == nil {
		e = &editor{commit: commit}
		e.SingleLine, e.Submit = true, true
		e.SetText(value)
		e.shown = value
		v.editors[name] = e
	}
	e.commit = commit
	if commit != nil && value != e.shown {
		e.SetText(value)
		e.shown = value
	}
	entered := false
	for {
		ev, ok := e.Update(gtx)
		if !ok {
			break
		}
		if _, ok := ev.(widget.SubmitEvent); ok {
			entered = true
		}
	}
	v.later.missed = v.later.missed || hasHan(e.Text())
	focused := gtx.Focused(&e.Editor)
	if entered || !focused {
		e.send(v.deliver)
	}
	gtx.Constraints.Min.X = gtx.Constraints.Max.X
	inside := func(gtx C) D {
		gtx.Constraints.Min.Y = gtx.Dp(touch)
		return left(gtx, func(gtx C) D {
			return layout.Inset{Left: 12, Right: 12, Top: 8, Bottom: 8}.Layout(gtx, func(gtx C) D {
				gtx.Constraints.Min.X = gtx.Constraints.Max.X // all of it takes clicks
				m := op.Record(gtx.Ops)
				hintSize := D{}
				if e.Len() == 0 {
					hintSize = v.label(sizeBody, v.Theme.Muted, hint).line().Layout(gtx)
				}
				call := m.Stop()
				gtx.Constraints.Min.Y = max(gtx.Constraints.Min.Y, hintSize.Size.Y)
				d := e.Layout(gtx, v.Theme.Shaper, font.Font{}, sizeBody, colour(gtx, v.Theme.Ink), colour(gtx, blend(v.Theme.Surface, v.Theme.Accent, 80)))
				if e.Len() == 0 {
					call.Add(gtx.Ops)
				}
				return d
			})
		})
	}
	d := behind(gtx, func(gtx C) D {
		return means(gtx, meaning{role: Field, name: hint, value: e.Text(), focused: focused}, inside)
	}, func(size image.Point) {
		fill(gtx, v.Theme.Surface, size, corner)
		outline(gtx, v.Theme.Line, size, corner, 1)
		if focused {
			v.ring(gtx, size)
		}
	})
	return d, entered
}

// bar is a share of 1 as a bar of a height.
func (v *View) bar(gtx C, share float32, ink color.NRGBA, height unit.Dp) D {
	size := image.Pt(gtx.Constraints.Max.X, gtx.Dp(height))
	fill(gtx, v.Theme.Raised, size, height/2)
	done := size
	done.X = min(size.X, max(int(float32(size.X)*share), size.Y))
	if share > 0 {
		fill(gtx, ink, done, height/2)
	}
	return D{Size: size}
}

// left puts a widget at the left, in the middle of the height.
func left(gtx C, w layout.Widget) D {
	return layout.W.Layout(gtx, func(gtx C) D {
		gtx.Constraints.Min = image.Point{}
		return w(gtx)
	})
}

// beside is a text in a row of buttons, or nothing.
func (v *View) beside(text string) layout.Widget {
	return func(gtx C) D {
		if text == "" {
			return D{}
		}
		gtx.Constraints.Min.Y = gtx.Dp(touch)
		return left(gtx, v.muted(text).Layout)
	}
}

// rows puts widgets below each other with space between.
func rows(gtx C, space unit.Dp, widgets ...layout.Widget) D {
	var children []layout.FlexChild
	for i, w := range widgets {
		if i > 0 {
			children = append(children, layout.Rigid(layout.Spacer{Height: space}.Layout))
		}
		children = append(children, layout.Rigid(w))
	}
	return layout.Flex{Axis: layout.Vertical}.Layout(gtx, children...)
}

// scroll lays out widgets that may be higher than there is room, with a bar
// that shows where one is, in the margin at the right of what it is in.
func (v *View) scroll(gtx C, name string, n int, w layout.ListElement) D {
	l := v.list(name, layout.Vertical)
	d := means(gtx, meaning{role: group}, func(gtx C) D { return l.List.Layout(gtx, n, w) })
	d.Size.X = gtx.Constraints.Max.X
	begin, length := visible(l, n, d.Size.Y)
	if length > 0 {
		height := max(length, gtx.Dp(24))
		defer op.Offset(image.Pt(d.Size.X+gtx.Dp(gapSmall), min(begin, d.Size.Y-height))).Push(gtx.Ops).Pop()
		fill(gtx, v.Theme.Line, image.Pt(gtx.Dp(4), height), 2)
	}
	return d
}

// across lays out widgets beside each other that may be wider than there is
// room, with a bar below them.
func (v *View) across(gtx C, name string, n int, w layout.ListElement) D {
	l := v.list(name, layout.Horizontal)
	d := means(gtx, meaning{role: group}, func(gtx C) D { return l.List.Layout(gtx, n, w) })
	begin, length := visible(l, n, d.Size.X)
	if length > 0 {
		width := max(length, gtx.Dp(24))
		d.Size.Y += gtx.Dp(10)
		defer op.Offset(image.Pt(min(begin, d.Size.X-width), d.Size.Y-gtx.Dp(4))).Push(gtx.Ops).Pop()
		fill(gtx, v.Theme.Line, image.Pt(width, gtx.Dp(4)), 2)
	}
	return d
}

// visible is the part of a list of n things that is seen, as a part of a track;
// its length is 0 where all is.
func visible(l *widget.List, n, track int) (begin, length int) {
	p := l.Position
	if n == 0 || p.Length <= 0 || p.Count >= n && p.Offset == 0 && p.OffsetLast >= 0 {
		return 0, 0
	}
	each := float32(p.Length) / float32(n)
	scale := float32(track) / float32(p.Length)
	return int((float32(p.First)*each + float32(p.Offset)) * scale), int(float32(track) * scale)
}
