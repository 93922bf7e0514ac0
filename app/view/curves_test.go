//go:build !js

package view

import (
	"image"
	"math"
	"strings"
	"testing"

	"duet/app/ui"

	"gioui.org/layout"
	"gioui.org/unit"
)

// texts are what is written at marks.
func texts(marks []mark) string {
	var list []string
	for _, m := range marks {
		list = append(list, m.text)
	}
	return strings.Join(list, " ")
}

func TestTicks(t *testing.T) {
	for high, want := range map[float64]string{
		1.4: "0.0 0.5 1.0 1.5", 2: "0.0 0.5 1.0 1.5 2.0", 0.0123: "0.000 0.005 0.010 0.015", 4.2: "0 2 4 6", 37: "0 10 20 30 40",
		1: "0.0 0.5 1.0", 0: "0.0 0.5 1.0", math.Inf(1): "0.0 0.5 1.0", math.NaN(): "0.0 0.5 1.0",
	} {
		marks, top := ticks(high)
		if got := texts(marks); got != want || top < high && !math.IsInf(high, 1) || marks[0].at != 0 || marks[len(marks)-1].at != 1 {
			t.Errorf("%v has %q up to %v, want %q", high, got, top, want)
		}
	}
}

func TestEpochMarks(t *testing.T) {
	x := newStage(wide, states(&english)["train-running"])
	for n, want := range map[int]string{0: "", 1: "0 epoch 1", 6: "0 1 2 3 4 5 epoch 6", 10: "0 2 4 6 8 epoch 10", 100: "0 20 40 60 80 epoch 100"} {
		if got := texts(x.view.epochs(n)); got != want {
			t.Errorf("%d epochs have %q, want %q", n, got, want)
		}
	}
}

// TestCurves checks that last and best are told apart, that the mark is at the
// best epoch, and that values and marks have one scale.
func TestCurves(t *testing.T) {
	x := newStage(wide, states(&english)["train-running"])
	p := ui.Progress{Step: 30, Steps: 40, Epochs: 4, Losses: []ui.Point{{Step: 1, Value: 1.5}, {Step: 30, Value: 0.75}}, Validations: []ui.Validation{
		{Top1: 0.9, Loss: 0.1}, {Step: 10, Epoch: 1, Top1: 0.75, Loss: 0.9}, {Step: 20, Epoch: 2, Top1: 0.75, Loss: 0.8}, {Step: 30, Epoch: 3, Top1: 0.5, Loss: 0.7}}}
	right := x.view.accuracyCurve(&p)
	if right.last != "last: 50.0\u00a0%" || right.more != "best: 75.0\u00a0% after epoch 2" || right.best != 2 || right.points[right.best].X != 0.5 || right.points[3].Y != 0.5 {
		t.Errorf("%+v", right)
	}
	loss := x.view.lossCurve(&p)
	if loss.last != "last: 0.750" || loss.more != "of the pictures held back: 0.700" || loss.best != -1 || loss.points[1].Y != 0.5 || loss.points[1].X != 0.75 {
		t.Errorf("%+v", loss)
	}
	none := x.view.accuracyCurve(&ui.Progress{})
	if none.best != -1 || none.last != "" || none.more != "" || none.epochs != nil {
		t.Errorf("before anything is known: %+v", none)
	}
}

// TestCurvesAreMirrored tells values and the best epoch to those who do not see
// the curves, and spares them the numbers at the axes.
func TestCurvesAreMirrored(t *testing.T) {
	x := newStage(image.Pt(1280, 800), states(&english)["train-done"])
	x.frame()
	told := map[string]Role{}
	for _, n := range x.mirror() {
		told[n.Name] = n.Role
	}
	for name, role := range map[string]Role{english.Loss: Picture, "last: 77.5\u00a0%": Text, "best: 80.0\u00a0% after epoch 5": Text} {
		if told[name] != role {
			t.Errorf("%q is %q", name, told[name])
		}
	}
	for _, name := range []string{"0.5", "50\u00a0%", "epoch 10"} {
		if _, ok := told[name]; ok {
			t.Errorf("%q is told", name)
		}
	}
}

// TestEpochMarksDoNotTouch writes many epochs below a narrow and a wide curve.
func TestEpochMarksDoNotTouch(t *testing.T) {
	x := newStage(wide, states(&english)["train-running"])
	for width, least := range map[int]int{120: 2, 240: 4, 800: 6} {
		area := image.Rect(30, 0, 30+width, 100)
		gtx := layout.Context{Ops: &x.ops, Constraints: layout.Constraints{Max: area.Max}, Metric: unit.Metric{PxPerDp: 1, PxPerSp: 1}}
		list := x.view.numbers(gtx, area, x.view.epochs(10000))
		if len(list) < least {
			t.Errorf("%d pixels have only %d numbers", width, len(list))
		}
		for i, n := range list {
			if n.place.Min.X < area.Min.X || n.place.Max.X > area.Max.X || i > 0 && n.place.Max.X >= list[i-1].place.Min.X {
				t.Errorf("%d pixels: %v", width, n.place)
			}
		}
	}
}

// TestDotsAreWhole leaves room for a ring about the first and the last dot, at the
// top and at the bottom.
func TestDotsAreWhole(t *testing.T) {
	x := newStage(wide, states(&english)["train-running"])
	for _, scale := range []float32{1, 1.5, 2} {
		gtx := layout.Context{Ops: &x.ops, Metric: unit.Metric{PxPerDp: scale, PxPerSp: scale}}
		whole := image.Pt(gtx.Dp(300), gtx.Dp(plotHeight))
		gtx.Constraints.Max = whole
		ring := x.view.area(gtx, x.view.accuracyCurve(&ui.Progress{})).Inset(-gtx.Dp(ringRadius))
		if !ring.In(image.Rectangle{Max: whole}) {
			t.Errorf("at a scale of %v rings reach %v of %v", scale, ring, whole)
		}
	}
}
