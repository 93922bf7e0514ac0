package view

import (
	"image"
	"time"

	"gioui.org/f32"
	"gioui.org/gesture"
	"gioui.org/io/event"
	"gioui.org/io/pointer"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/unit"
)

// tips explain what is pointed at for a moment, beside the pointer, or what the
// keyboard rests on, at the lower edge of the window: Gio does not tell where in
// the window a thing is.
type tips struct {
	hovers  map[string]*gesture.Hover
	pointer f32.Point // in the window
	of      tip       // what is explained, or will be
	since   time.Time
	found   tip             // in this frame
	pressed bool            // since then: it is known
	area    image.Rectangle // where the tip was drawn; empty: it was not
}

// A tip is an explanation of what has a name.
type tip struct {
	name, text string
	pointed    bool // else the keyboard rests there
}

const tipAfter = 600 * time.Millisecond

// begin takes in where the pointer is. What it returns draws the tip, when
// everything else is drawn.
func (t *tips) begin(gtx C, v *View) (end func()) {
	area := clip.Rect{Max: gtx.Constraints.Max}.Push(gtx.Ops)
	event.Op(gtx.Ops, t)
	for {
		e, ok := gtx.Event(pointer.Filter{Target: t, Kinds: pointer.Move | pointer.Press | pointer.Drag | pointer.Enter})
		if !ok {
			break
		}
		if p, ok := e.(pointer.Event); ok {
			t.pointer = p.Position
			t.pressed = t.pressed || p.Kind == pointer.Press
		}
	}
	t.found = tip{}
	return func() {
		t.draw(gtx, v)
		area.Pop()
	}
}

// offer proposes a tip; what is pointed at comes before what has the keyboard,
// and what lies within another thing before that.
func (t *tips) offer(x tip) {
	if x.text != "" && (x.pointed || !t.found.pointed) {
		t.found = x
	}
}

func (t *tips) draw(gtx C, v *View) {
	if t.found != t.of {
		t.of, t.since, t.pressed = t.found, gtx.Now, false
	}
	t.area = image.Rectangle{}
	if t.of.text == "" || t.pressed {
		return
	}
	if at := t.since.Add(tipAfter); gtx.Now.Before(at) {
		gtx.Execute(op.InvalidateCmd{At: at})
		return
	}
	room := gtx.Constraints.Max
	m := op.Record(gtx.Ops)
	inner := gtx.Disabled()
	inner.Constraints = layout.Constraints{Max: image.Pt(min(room.X-2*gtx.Dp(gapSmall), gtx.Dp(320)), room.Y)}
	d := behind(inner, func(gtx C) D {
		return layout.Inset{Left: 10, Right: 10, Top: 7, Bottom: 7}.Layout(gtx, v.label(sizeSmall, v.Theme.Ground, t.of.text).Layout)
	}, func(size image.Point) { fill(gtx, v.Theme.Ink, size, corner/2) })
	call := m.Stop()
	at := t.place(d.Size, room, gtx.Metric)
	t.area = image.Rectangle{Min: at, Max: at.Add(d.Size)}
	defer op.Offset(at).Push(gtx.Ops).Pop()
	call.Add(gtx.Ops)
}

// place is where a tip of a size lies in the window: below the pointer, or above
// it where there is no room, always whole.
func (t *tips) place(size, room image.Point, m unit.Metric) image.Point {
	edge, below := m.Dp(gapSmall), m.Dp(20)
	at := image.Pt((room.X-size.X)/2, room.Y-size.Y-m.Dp(64)) // above the tabs of a narrow window
	if t.of.pointed {
		at = t.pointer.Round().Add(image.Pt(edge, below))
		if at.Y+size.Y > room.Y-edge {
			at.Y = t.pointer.Round().Y - size.Y - edge
		}
	}
	return image.Pt(max(edge, min(at.X, room.X-size.X-edge)), max(edge, at.Y))
}

// explain gives what can be clicked, which is laid out, an explanation.
func (v *View) explain(gtx C, name, text string) {
	c := v.click(name)
	if c.Hovered() {
		v.tips.offer(tip{name, text, true})
	} else if gtx.Focused(c) {
		v.tips.offer(tip{name, text, false})
	}
}

// tip lays out what can be clicked, under its name, with an explanation.
func (v *View) tip(name, text string, w layout.Widget) layout.Widget {
	return func(gtx C) D {
		d := w(gtx)
		v.explain(gtx, name, text)
		return d
	}
}

// about lays out something with an explanation for the pointer.
func (v *View) about(name, text string, w layout.Widget) layout.Widget {
	return func(gtx C) D {
		h := v.tips.hovers[name]
		if h == nil {
			h = new(gesture.Hover)
			v.tips.hovers[name] = h
		}
		d := w(gtx)
		defer clip.Rect{Max: d.Size}.Push(gtx.Ops).Pop()
		h.Add(gtx.Ops)
		if h.Update(gtx.Source) {
			v.tips.offer(tip{name, text, true})
		}
		return d
	}
}

// whole lays out a label which, where it is cut, shows all of its text as a tip.
func (v *View) whole(name string, l label) layout.Widget {
	return func(gtx C) D {
		seen, text := l.seen, ""
		l.seen = func(l label, isCut bool) {
			if isCut {
				text = l.text
			}
			if seen != nil {
				seen(l, isCut)
			}
		}
		m := op.Record(gtx.Ops)
		d := l.Layout(gtx)
		call := m.Stop()
		return v.about(name, text, func(gtx C) D {
			call.Add(gtx.Ops)
			return d
		})(gtx)
	}
}
