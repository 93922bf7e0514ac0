//go:build !js

package view

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"duet/app/ui"
	"duet/model/report"
)

// TestPlurals says everything that is counted of none, one and two.
func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		text func(t *Texts, n int) string
		want [2][3]string // in English and Chinese
	}{
		{func(t *Texts, n int) string { return t.Counts.of(n, 0, n) }, [2][3]string{
			{"0 of 0 pictures", "0 of 1 picture", "0 of 2 pictures"}, {"0 / 0 张图片", "0 / 1 张图片", "0 / 2 张图片"}}},
		{func(t *Texts, n int) string { return t.Skipped.of(n, n) }, [2][3]string{
			{"0 files are no pictures and were left out", "1 file is no picture and was left out", "2 files are no pictures and were left out"},
			{"0 个文件不是图片，已跳过", "1 个文件不是图片，已跳过", "2 个文件不是图片，已跳过"}}},
		{func(t *Texts, n int) string { return t.Examples.of(n, n) }, [2][3]string{{"0 examples", "1 example", "2 examples"}, {"0 个样本", "1 个样本", "2 个样本"}}},
		{func(t *Texts, n int) string { return t.Pictures.of(n, n) }, [2][3]string{{"0 pictures", "1 picture", "2 pictures"}, {"0 张图片", "1 张图片", "2 张图片"}}},
		{func(t *Texts, n int) string { return t.Classes.of(n, n, "x") }, [2][3]string{{"0 classes: x", "1 class: x", "2 classes: x"}, {"0 个类别：x", "1 个类别：x", "2 个类别：x"}}},
		{func(t *Texts, n int) string { return t.LeftOut.of(n, n) }, [2][3]string{{"0 rows left out:", "1 row left out:", "2 rows left out:"}, {"跳过 0 行：", "跳过 1 行：", "跳过 2 行："}}},
		{func(t *Texts, n int) string { return t.FeaturesOf.of(n, 0, n) }, [2][3]string{
			{"Looking at 0 of 0 pictures and texts, each once", "Looking at 0 of 1 picture or text, once", "Looking at 0 of 2 pictures and texts, each once"},
			{"正在查看第 0 / 0 个图片和文字，每个只看一次", "正在查看第 0 / 1 个图片和文字，每个只看一次", "正在查看第 0 / 2 个图片和文字，每个只看一次"}}},
		{func(t *Texts, n int) string { return t.Speed.of(n, float64(n)) }, [2][3]string{
			{"0 examples a second", "1 example a second", "2 examples a second"}, {"每秒 0 个样本", "每秒 1 个样本", "每秒 2 个样本"}}},
		{func(t *Texts, n int) string { return t.Unreadable.of(n, n) }, [2][3]string{
			{"0 pictures could not be read", "1 picture could not be read", "2 pictures could not be read"}, {"0 张图片无法读取", "1 张图片无法读取", "2 张图片无法读取"}}},
		{func(t *Texts, n int) string { return t.ResultTitle.of(n, "x", 50.0, n) }, [2][3]string{
			{"x is right for 50.0\u00a0% of 0 examples it has not learnt from", "x is right for 50.0\u00a0% of 1 example it has not learnt from", "x is right for 50.0\u00a0% of 2 examples it has not learnt from"},
			{"“x”对 50.0\u00a0% 的未学过样本判断正确（共 0 个）", "“x”对 50.0\u00a0% 的未学过样本判断正确（共 1 个）", "“x”对 50.0\u00a0% 的未学过样本判断正确（共 2 个）"}}},
		{func(t *Texts, n int) string { return t.Unfinished.of(n, "x", n) }, [2][3]string{
			{"The training of x was interrupted after 0 steps.", "The training of x was interrupted after 1 step.", "The training of x was interrupted after 2 steps."},
			{"“x”的训练在第 0 步中断。", "“x”的训练在第 1 步中断。", "“x”的训练在第 2 步中断。"}}},
	} {
		for i, texts := range []*Texts{&english, &chinese} {
			for n, want := range c.want[i] {
				if got := c.text(texts, n); got != want {
					t.Errorf("%s: %q, want %q", texts.Code, got, want)
				}
			}
		}
	}
}

// TestNoPluralIsFixed finds texts that count in one form only, and counted ones
// whose forms are the same in English or fill in other things.
func TestNoPluralIsFixed(t *testing.T) {
	fixed := regexp.MustCompile(`%(d|\.0f) [a-z]*([^s]s|es)\b`)
	v := reflect.ValueOf(english)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch x := v.Field(i).Interface().(type) {
		case string:
			if fixed.MatchString(x) {
				t.Errorf("%s is fixed: %q", name, x)
			}
		case Counted:
			if x[0] == x[1] || fixed.MatchString(x[0]) || !fixed.MatchString(x[1]) {
				t.Errorf("%s is %q of one and %q of others", name, x[0], x[1])
			}
			if a, b := fmt.Sprint(filling.FindAllString(x[0], -1)), fmt.Sprint(filling.FindAllString(x[1], -1)); a != b {
				t.Errorf("%s fills in %s of one and %s of others", name, a, b)
			}
		}
	}
}

// TestOfOne draws what counts, with one of everything.
func TestOfOne(t *testing.T) {
	plural := regexp.MustCompile(`\b1 (pictures|examples|classes|rows|files|steps|texts)\b`)
	setup := ui.Setup{Name: "x", Inputs: "both"}
	one := &report.Collection{Examples: 1, Pictures: 1, Classes: []string{"x"}, SkippedRows: 1}
	training := func(t ui.Training) *ui.State { return &ui.State{Screen: ui.ScreenTrain, Training: t} }
	for name, s := range map[string]*ui.State{
		"0 of 1 picture; 1 file":    {Pictures: ui.Pictures{Items: []ui.Item{{ID: 1}}, Skipped: 1}},
		"1 example of 1 picture":    training(ui.Training{Step: ui.TrainConfirm, Report: one, Setup: setup}),
		"1 of 1 picture or text":    training(ui.Training{Step: ui.TrainRunning, Setup: setup, Progress: ui.Progress{Features: 1, AllFeatures: 1, Skipped: 1}}),
		"epoch 1 of 1; 1 example a": training(ui.Training{Step: ui.TrainRunning, Setup: setup, Progress: ui.Progress{Step: 1, Steps: 1, Epoch: 1, Epochs: 1, PerSecond: 0.7}}),
		"100.0\u00a0% of 1 example": training(ui.Training{Step: ui.TrainDone, Setup: setup, Result: &ui.Result{Evaluation: &report.Evaluation{Result: report.Result{N: 1, Top1: 1}}}}),
		"interrupted after 1 step":  training(ui.Training{Unfinished: []ui.Job{{Setup: setup, Step: 1}}}),
		"1 class: x":                {Screen: ui.ScreenModels, Models: ui.Models{List: []ui.Model{{ID: "x", Classes: []string{"x"}}}}},
	} {
		x := newStage(phone, s)
		x.size.Y = 3000
		x.frame()
		var all []string
		for _, n := range x.mirror() {
			all = append(all, n.Name)
		}
		text := strings.Join(all, "\n")
		if found := plural.FindString(text); found != "" || !strings.Contains(text, name) {
			t.Errorf("%q, %q in %q", name, found, text)
		}
	}
}
