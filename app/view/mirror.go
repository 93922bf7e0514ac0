package view

import (
	"fmt"
	"image"
	"strings"
	"time"

	"duet/app/ui"

	"gioui.org/io/input"
	"gioui.org/io/pointer"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/op/clip"
	"gioui.org/unit"
	"gioui.org/widget"
)

// A Mirror is what the screen shows, for those who do not see it.
type Mirror struct {
	Language string // code of the words
	Nodes    []Node // in reading order
	Status   string // what is told without being asked for, when it changes
	Alert    bool   // Status is a problem
}

// A Node is a thing on the screen.
type Node struct {
	Role     Role
	Name     string
	Value    string // of a field
	Bounds   Bounds
	Selected bool
	Disabled bool
	Focused  bool // has the keyboard
}

// Bounds is a rectangle of the window, in dp.
type Bounds struct{ X, Y, Width, Height float32 }

// A Role is a role of WAI-ARIA.
type Role string

// The roles.
const (
	Text    Role = "text"
	Heading Role = "heading"
	Button  Role = "button"
	Radio   Role = "radio"
	Field   Role = "textbox"
	Picture Role = "img"

	group Role = "group" // shows a part of what is in it; no node of its own
)

// Gio knows fewer classes than there are roles, and neither focus nor more than
// one text of a thing. They stand in its description, in this order.
const (
	separator = "\x1f"
	focusMark = "focus"
)

// A meaning is what a thing is to those who do not see it.
type meaning struct {
	role     Role
	name     string // besides the labels in it
	value    string
	selected bool
	focused  bool
}

// means lays out a widget in a clip of its own size, which has a meaning. The
// clip of a handler would not do: to a router that does not handle input, as a
// reader's, it has none.
func means(gtx C, m meaning, w layout.Widget) D {
	macro := op.Record(gtx.Ops)
	d := w(gtx)
	call := macro.Stop()
	defer clip.Rect{Max: d.Size}.Push(gtx.Ops).Pop()
	mark := ""
	if m.focused {
		mark = focusMark
	}
	semantic.DescriptionOp(strings.Join([]string{string(m.role), mark, m.name}, separator)).Add(gtx.Ops)
	if m.value != "" {
		semantic.LabelOp(m.value).Add(gtx.Ops)
	}
	switch m.role {
	case Button:
		semantic.Button.Add(gtx.Ops)
	case Radio:
		semantic.RadioButton.Add(gtx.Ops)
	}
	semantic.SelectedOp(m.selected).Add(gtx.Ops)
	semantic.EnabledOp(gtx.Enabled()).Add(gtx.Ops)
	call.Add(gtx.Ops)
	return d
}

// press lays out what can be clicked.
func press(gtx C, c *widget.Clickable, m meaning, w layout.Widget) D {
	m.focused = gtx.Focused(c)
	return c.Layout(gtx, func(gtx C) D {
		if gtx.Enabled() {
			pointer.CursorPointer.Add(gtx.Ops)
		}
		return means(gtx, m, w)
	})
}

// A reader makes mirrors of frames.
type reader struct {
	router input.Router
	nodes  []input.SemanticNode
	made   time.Time
}

// mirrorEvery is the shortest time between two mirrors.
const mirrorEvery = 100 * time.Millisecond

// due tells whether a mirror is to be made now, and asks for a frame when it will be.
func (r *reader) due(gtx C) bool {
	if wait := mirrorEvery - gtx.Now.Sub(r.made); wait > 0 {
		gtx.Execute(op.InvalidateCmd{At: gtx.Now.Add(wait)})
		return false
	}
	r.made = gtx.Now
	return true
}

// read returns what operations show in a window of a size.
func (r *reader) read(ops *op.Ops, size image.Point, metric unit.Metric) (nodes []Node) {
	r.router.Frame(ops)
	r.nodes = r.router.AppendSemantics(r.nodes[:0])
	if len(r.nodes) > 0 {
		r.walk(&nodes, &r.nodes[0], image.Rectangle{Max: size}, metric)
	}
	return nodes
}

func (r *reader) walk(nodes *[]Node, n *input.SemanticNode, room image.Rectangle, metric unit.Metric) {
	marks := strings.SplitN(n.Desc.Description+separator+separator, separator, 4)
	role, focused, name := Role(marks[0]), marks[1] == focusMark, marks[2]
	within := n.Desc.Bounds.Intersect(room)
	value := ""
	switch role {
	case group:
		room, name = within, ""
	case Field, Picture:
		value = n.Desc.Label
	case Button, Radio, Heading:
		name = strings.TrimSpace(labels(n) + " " + name)
	default:
		role, name = Text, n.Desc.Label
	}
	if name != "" && !within.Empty() {
		dp := func(px int) float32 { return float32(metric.PxToDp(px)) }
		*nodes = append(*nodes, Node{Role: role, Name: name, Value: value, Selected: n.Desc.Selected, Disabled: n.Desc.Disabled, Focused: focused,
			Bounds: Bounds{dp(within.Min.X), dp(within.Min.Y), dp(within.Dx()), dp(within.Dy())}})
	}
	if role != Text && role != group {
		return // what is in it is its name
	}
	for i := range n.Children {
		r.walk(nodes, &n.Children[i], room, metric)
	}
}

// labels joins the labels of a node and all below it.
func labels(n *input.SemanticNode) string {
	all := n.Desc.Label
	for i := range n.Children {
		if s := labels(&n.Children[i]); s != "" {
			all = strings.TrimSpace(all + " " + s)
		}
	}
	return all
}

// status is what is told without being asked for. It changes when something
// has come to its end, not at every step.
func (v *View) status(s *ui.State) (text string, alert bool) {
	if p := s.Problem; p != nil {
		words, _ := v.Texts.advice(p, browser())
		return v.Texts.Problems[p.Doing] + v.Texts.Colon + words, true
	}
	if s.Notice != "" {
		return fmt.Sprintf(v.Texts.SavedAt, s.Notice), false
	}
	if !s.Engine.Ready {
		return v.Texts.Starting, false
	}
	if s.Screen == ui.ScreenTrain {
		return v.trainStatus(&s.Training), false
	}
	if s.Screen == ui.ScreenModels {
		return v.towerStatus(&s.Models), false
	}
	p := &s.Pictures
	if p.Reading {
		return v.Texts.Reading, false
	}
	x := p.Item(p.Selected)
	if x == nil {
		return "", false
	}
	switch {
	case x.Status == ui.Failed:
		return x.File.Name + ": " + v.Texts.NoAnswer, false
	case x.Status == ui.Done && len(x.Answer.Top) > 0:
		text = fmt.Sprintf("%s: %s, %s", x.File.Name, x.Answer.Top[0].Label, percent(x.Answer.Top[0].P))
		if !x.Answer.Sure {
			text += ", " + v.Texts.NotSure
		}
		return text, false
	}
	return v.Texts.Looking, false
}

func (v *View) trainStatus(t *ui.Training) string {
	switch t.Step {
	case ui.TrainReading:
		return fmt.Sprintf(v.Texts.Understanding, t.Source.Name)
	case ui.TrainConfirm:
		return v.Texts.Understood + ". " + v.estimate(t.Estimate)
	case ui.TrainStopping:
		return v.Texts.Stopping
	case ui.TrainRunning:
		n := len(t.Progress.Validations)
		if n == 0 {
			return v.Texts.Preparing
		}
		return fmt.Sprintf(v.Texts.EpochOf, t.Progress.Epoch, t.Progress.Epochs) + ". " + v.Texts.Accuracy + ": " + percent(float32(t.Progress.Validations[n-1].Top1))
	case ui.TrainDone:
		e := t.Result.Evaluation
		return v.Texts.ResultTitle.of(e.N, t.Setup.Name, 100*e.Top1, e.N)
	}
	return ""
}
