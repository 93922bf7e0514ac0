package view

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"duet/app/ui"

	"gioui.org/f32"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/op/paint"
	"gioui.org/unit"
)

// A curve is what a training's values are shown as: points of the unit square, y
// upwards, between two axes.
type curve struct {
	title, last, more string
	points            []f32.Point
	dots              bool // each point is seen, where there is room; else means of what is close
	best              int  // the point that is marked; -1: none
	values, epochs    []mark
}

// A mark is a place on an axis, of 1.
type mark struct {
	at   float32
	text string // empty: a line alone
}

// curves draws the loss and the accuracy.
func (v *View) curves(gtx C, p *ui.Progress) D {
	loss, right := v.lossCurve(p), v.accuracyCurve(p)
	if gtx.Constraints.Max.X < gtx.Dp(560) {
		return rows(gtx, gap, v.panel(loss), v.panel(right))
	}
	return layout.Flex{}.Layout(gtx,
		layout.Flexed(0.5, v.panel(loss)),
		layout.Rigid(layout.Spacer{Width: gap}.Layout),
		layout.Flexed(0.5, v.panel(right)))
}

func (v *View) lossCurve(p *ui.Progress) curve {
	c := curve{title: v.Texts.Loss, best: -1, epochs: v.epochs(p.Epochs), values: []mark{{}, {at: 0.25}, {at: 0.5}, {at: 0.75}, {at: 1}}}
	highest := 0.0
	for _, l := range p.Losses {
		highest = max(highest, float64(l.Value))
	}
	if len(p.Losses) > 0 {
		c.values, highest = ticks(highest)
		c.last = fmt.Sprintf(v.Texts.LastValue, fmt.Sprintf("%.3f", p.Losses[len(p.Losses)-1].Value))
	}
	for _, l := range p.Losses {
		c.points = append(c.points, f32.Pt(p.At(l.Step), l.Value/float32(highest)))
	}
	if n := len(p.Validations); n > 0 {
		c.more = fmt.Sprintf(v.Texts.LossHeld, p.Validations[n-1].Loss)
	}
	return c
}

func (v *View) accuracyCurve(p *ui.Progress) curve {
	c := curve{title: v.Texts.Accuracy, dots: true, best: p.Best(), epochs: v.epochs(p.Epochs),
		values: []mark{{0, "0\u00a0%"}, {at: 0.25}, {0.5, "50\u00a0%"}, {at: 0.75}, {1, "100\u00a0%"}}}
	for _, a := range p.Validations {
		c.points = append(c.points, f32.Pt(p.At(a.Step), float32(a.Top1)))
		c.last = fmt.Sprintf(v.Texts.LastValue, fmt.Sprintf("%.1f\u00a0%%", 100*a.Top1))
	}
	if c.best >= 0 {
		best := p.Validations[c.best]
		c.more = fmt.Sprintf(v.Texts.BestEpoch, 100*best.Top1, best.Epoch)
	}
	return c
}

// ticks are marks at round values from 0, at most five, and the highest of them,
// which is at least high.
func ticks(high float64) ([]mark, float64) {
	if !(high > 0) || math.IsInf(high, 0) {
		high = 1
	}
	step := roundStep(high / 4)
	n := int(math.Ceil(high/step - 1e-9))
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var list []mark
	for i := range n + 1 {
		list = append(list, mark{float32(i) / float32(n), strconv.FormatFloat(float64(i)*step, 'f', decimals, 64)})
	}
	return list, float64(n) * step
}

// roundStep is the least of 1, 2 and 5 and their multiples by powers of ten that
// is at least x.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= x*(1-1e-9) {
			return f * power
		}
	}
	return 10 * power
}

// epochs are marks at the ends of n epochs, so many as one can read.
func (v *View) epochs(n int) []mark {
	if n < 1 {
		return nil
	}
	step := max(1, int(roundStep(float64(n)/6)))
	var list []mark
	for e := 0; e < n; e += step {
		list = append(list, mark{float32(e) / float32(n), strconv.Itoa(e)})
	}
	return append(list, mark{1, fmt.Sprintf(v.Texts.EpochMark, n)})
}

// panel is a curve with what it shows.
func (v *View) panel(c curve) layout.Widget {
	return func(gtx C) D {
		return v.card(gtx, func(gtx C) D {
			return rows(gtx, gapSmall,
				func(gtx C) D {
					return layout.Flex{}.Layout(gtx, layout.Flexed(1, v.body(c.title).Layout), layout.Rigid(v.body(c.last).strong().Layout))
				},
				func(gtx C) D {
					if c.best < 0 {
						return v.muted(c.more).Layout(gtx)
					}
					return layout.Flex{Alignment: layout.Middle}.Layout(gtx,
						layout.Rigid(func(gtx C) D {
							v.ringed(gtx, image.Pt(gtx.Dp(ringRadius), gtx.Dp(ringRadius)))
							return D{Size: image.Pt(2*gtx.Dp(ringRadius), 2*gtx.Dp(ringRadius))}
						}),
						layout.Rigid(layout.Spacer{Width: gapSmall}.Layout),
						layout.Rigid(v.muted(c.more).Layout))
				},
				func(gtx C) D {
					return means(gtx, meaning{role: Picture, name: c.title}, func(gtx C) D { return v.plot(gtx, c) })
				})
		})
	}
}

const (
	plotHeight unit.Dp = 150
	dotRadius  unit.Dp = 4
	ringRadius unit.Dp = 7 // of the best dot
)

// ringed draws a dot with a ring about it.
func (v *View) ringed(gtx C, at image.Point) {
	v.disc(gtx, at, ringRadius, v.Theme.Ink)
	v.disc(gtx, at, ringRadius-2, v.Theme.Surface)
	v.dot(gtx, at)
}

func (v *View) dot(gtx C, at image.Point) { v.disc(gtx, at, dotRadius, v.Theme.Accent) }

func (v *View) disc(gtx C, at image.Point, radius unit.Dp, ink color.NRGBA) {
	r := gtx.Dp(radius)
	paint.FillShape(gtx.Ops, ink, clip.Ellipse(image.Rect(at.X-r, at.Y-r, at.X+r, at.Y+r)).Op(gtx.Ops))
}

// plot draws a curve between its axes.
func (v *View) plot(gtx C, c curve) D {
	whole := image.Pt(gtx.Constraints.Max.X, gtx.Dp(plotHeight))
	gtx.Constraints = layout.Constraints{Max: whole}
	area := v.area(gtx, c)
	v.valueAxis(gtx, area, c.values)
	v.epochAxis(gtx, area, c.epochs)
	defer op.Offset(area.Min).Push(gtx.Ops).Pop()
	v.line(gtx, area.Size(), c)
	return D{Size: whole}
}

// area is what a plot leaves to the curve: beside it are its marks, and room for
// the dots at its ends.
func (v *View) area(gtx C, c curve) image.Rectangle {
	line, gutter, end := v.drawn(gtx, "0").size.Y, 0, 0
	for _, m := range c.values {
		gutter = max(gutter, v.drawn(gtx, m.text).size.X)
	}
	if gutter > 0 {
		gutter += gtx.Dp(gapSmall)
	}
	if c.dots {
		end = gtx.Dp(ringRadius)
	}
	return image.Rectangle{
		Min: image.Pt(gutter, line/2), // half a line for the highest mark
		Max: gtx.Constraints.Max.Sub(image.Pt(end, line+gtx.Dp(gapSmall))),
	}
}

// A drawing is text of a mark that is drawn later.
type drawing struct {
	size image.Point
	call op.CallOp
}

func (d drawing) at(gtx C, p image.Point) {
	defer op.Offset(p).Push(gtx.Ops).Pop()
	d.call.Add(gtx.Ops)
}

func (v *View) drawn(gtx C, s string) drawing {
	if s == "" {
		return drawing{}
	}
	gtx.Constraints.Min = image.Point{}
	m := op.Record(gtx.Ops)
	d := v.muted(s).line().Layout(gtx)
	return drawing{d.Size, m.Stop()}
}

// valueAxis draws lines across, with their values at the left.
func (v *View) valueAxis(gtx C, area image.Rectangle, marks []mark) {
	for _, m := range marks {
		y := area.Max.Y - 1 - int(m.at*float32(area.Dy()-1))
		paint.FillShape(gtx.Ops, v.Theme.Line, clip.Rect(image.Rect(area.Min.X, y, area.Max.X, y+1)).Op())
		d := v.drawn(gtx, m.text)
		d.at(gtx, image.Pt(area.Min.X-gtx.Dp(gapSmall)-d.size.X, y-d.size.Y/2))
	}
}

// epochAxis writes numbers below.
func (v *View) epochAxis(gtx C, area image.Rectangle, marks []mark) {
	for _, n := range v.numbers(gtx, area, marks) {
		n.at(gtx, n.place.Min)
	}
}

// A number is what is written at a mark, and where.
type number struct {
	drawing
	place image.Rectangle
}

// numbers are those below an area. The last one, which says what they are, comes
// before those that would touch it.
func (v *View) numbers(gtx C, area image.Rectangle, marks []mark) (list []number) {
	end := area.Max.X + gtx.Dp(gap)
	for _, m := range slices.Backward(marks) {
		d := v.drawn(gtx, m.text)
		x := area.Min.X + int(m.at*float32(area.Dx())) - d.size.X/2
		x = max(area.Min.X, min(x, area.Max.X-d.size.X))
		if x+d.size.X+gtx.Dp(gap) > end {
			continue
		}
		at := image.Pt(x, area.Max.Y+gtx.Dp(gapSmall))
		list = append(list, number{d, image.Rectangle{Min: at, Max: at.Add(d.size)}})
		end = x
	}
	return list
}

// line draws a curve into a size.
func (v *View) line(gtx C, size image.Point, c curve) {
	at := func(p f32.Point) f32.Point { return f32.Pt(p.X*float32(size.X), (1-p.Y)*float32(size.Y-1)) }
	points := c.points
	if !c.dots {
		points = thin(points, 3/float32(max(1, gtx.Metric.PxToDp(size.X))))
	}
	if len(points) > 1 {
		var path clip.Path
		path.Begin(gtx.Ops)
		path.MoveTo(at(points[0]))
		for _, p := range points[1:] {
			path.LineTo(at(p))
		}
		paint.FillShape(gtx.Ops, v.Theme.Accent, clip.Stroke{Path: path.End(), Width: float32(gtx.Dp(2))}.Op())
	}
	if !c.dots {
		return
	}
	isCrowded := len(points)*gtx.Dp(2*dotRadius+2) > size.X // the dots would touch
	for i, p := range points {
		if !isCrowded && i != c.best {
			v.dot(gtx, at(p).Round())
		}
	}
	if c.best >= 0 { // above the others
		v.ringed(gtx, at(points[c.best]).Round())
	}
}

// thin takes the mean of the points within each width: more than can be told
// apart would only blur the line.
func thin(points []f32.Point, width float32) []f32.Point {
	var thinned []f32.Point
	for i := 0; i < len(points); {
		var sum f32.Point
		from := i
		for ; i < len(points) && int(points[i].X/width) == int(points[from].X/width); i++ {
			sum = sum.Add(points[i])
		}
		thinned = append(thinned, sum.Mul(1/float32(i-from)))
	}
	return thinned
}
