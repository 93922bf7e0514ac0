//go:build !js

package view

import (
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/app"
	"duet/app/ui"
	"duet/gpu"
	"duet/model/data"
	"duet/model/report"
	"duet/model/train"
)

// A scene is what states are filled with, in a language.
type scene struct {
	classes   []string // of the sample collection
	long      []string // classes with long names
	captions  []string
	model     string
	longModel string
	file      string // a long name, without its ending
}

var scenes = map[string]scene{
	"en": {
		classes:   []string{"cool", "neutral", "none", "warm"},
		long:      []string{"a left-hand bicycle crank with a worn chainring", "ring", "an unmarked electrolytic capacitor", "part"},
		captions:  []string{"is the colour of the ring warm, cool or neutral?", "taken from a file beside the picture"},
		model:     "shapes",
		longModel: "shapes with questions, third try, thorough, only pictures from the workshop",
		file:      "scan-0000000000000000000000000000000000000000000001 (copy of the second copy)",
	},
	"zh": {
		classes:   []string{"冷色", "中性", "无", "暖色"},
		long:      []string{"左侧自行车曲柄（链轮磨损）", "环", "没有标记的电解电容器", "零件"},
		captions:  []string{"环的颜色是暖色、冷色还是中性？", "取自图片旁边的文字"},
		model:     "图形",
		longModel: "带问题的图形，第三次尝试，彻底训练，只用车间里拍的图片",
		file:      "扫描件-00000000000000000000000000000001（第二份副本的副本）",
	},
}

// items are pictures in all states.
func (c scene) items() []ui.Item {
	answer := func(sure bool, order ...int) app.Answer {
		a := app.Answer{Sure: sure, Adapter: "llvmpipe (LLVM 15.0.6, 256 bits)"}
		p := float32(0.81)
		for _, i := range order {
			a.Top = append(a.Top, app.Score{Label: c.classes[i], P: p})
			p *= 0.19
		}
		return a
	}
	list := []ui.Item{
		{Status: ui.Done, Answer: answer(true, 3, 0, 2, 1), Took: 42 * time.Millisecond, Caption: c.captions[0]},
		{Status: ui.Done, Answer: answer(false, 0, 2, 3, 1), Took: 31 * time.Millisecond, Caption: c.captions[1], From: ui.Sidecar},
		{Status: ui.Asked}, {Status: ui.Waiting},
		{Status: ui.Failed, Failure: ui.Failure{Text: "a-picture-with-a-very-long-name.png: unexpected end of the file", Reason: report.BadPicture,
			Names: []string{"a-picture-with-a-very-long-name.png"}}},
	}
	for i := range list {
		list[i].ID = i + 1
		list[i].File = ui.File{Name: fmt.Sprintf("picture-%0*d.png", i+1, i)}
	}
	return list
}

// longItems are pictures whose names and answers are long.
func (c scene) longItems() []ui.Item {
	list := c.items()[:2]
	for i := range list {
		list[i].File.Name = fmt.Sprintf("%s %d.png", c.file, i)
		for j := range list[i].Answer.Top {
			list[i].Answer.Top[j].Label = c.long[j]
		}
	}
	return list
}

// card is a model card with all that model cards have.
const card = `---
license: apache-2.0
---
# The default model

A small model that answers for a picture and words. It is meant to be looked at and to be fine-tuned from,
not to be relied on.

- Image tower: ` + "`ResNet-18`" + ` of base width 16.
- Vocabulary: 2048 tokens.

## How well it does

| pictures and words | top-1 | of |
|---|---|---|
| caltech101, picture only | 0.564 | 1103 |
| caltech101 and grocery_store, with words beside them that do not name the class | 0.588 | 1499 |
`

// models are a model that came with the app and one that was trained.
func (c scene) models() []ui.Model {
	return []ui.Model{
		{ID: "default", Embedded: true, Bytes: 4 << 20, Card: card, Classes: []string{"accordion", "airplanes", "anchor", "ant", "Apple", "barrel", "bass", "blue", "bonsai", "brain", "buddha", "camera"}},
		{ID: "shapes", Name: c.model, Bytes: 3900 << 10, Classes: c.classes, Made: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)},
	}
}

// result is a training's result on classes; every fifth picture is taken for
// the class after its own.
func result(classes []string) *ui.Result {
	n := len(classes)
	e := &app.Evaluation{Result: train.Result{Top1: 0.8, Confusion: make([][]int, n)}}
	r := &ui.Result{Model: "shapes", Evaluation: e, Cells: make([][][]ui.Held, n), Open: true}
	for i, label := range classes {
		all := 20 + 300/n
		e.N += all
		e.Classes = append(e.Classes, train.ClassResult{Label: label, N: all, Precision: 0.8, Recall: 0.8, F1: 0.8})
		e.Confusion[i] = make([]int, n)
		e.Confusion[i][i] = all - all/5
		e.Confusion[i][(i+1)%n] = all / 5
		r.Cells[i] = make([][]ui.Held, n)
		for j, count := range e.Confusion[i] {
			for k := range count {
				r.Cells[i][j] = append(r.Cells[i][j], ui.Held{File: ui.File{Name: fmt.Sprintf("%0*d", k+1, k)}, Caption: classes[j]})
			}
		}
	}
	r.Cell = [2]int{0, 1}
	return r
}

func progress() ui.Progress {
	p := ui.Progress{Step: 900, Steps: 1500, Epoch: 7, Epochs: 10, PerSecond: 480, Started: time.Unix(1e9-60, 0)}
	for i := range 90 {
		p.Losses = append(p.Losses, ui.Point{Step: 10 * i, Value: 0.7 + 0.7/float32(1+i)})
	}
	for i := range 6 {
		p.Validations = append(p.Validations, ui.Validation{Step: 150 * (i + 1), Epoch: i + 1, Top1: []float64{0.5, 0.55, 0.6, 0.75, 0.8, 0.775}[i], Loss: 1.1 - 0.05*float64(i)})
	}
	return p
}

// longProgress is that of many epochs.
func longProgress() ui.Progress {
	p := progress()
	p.Step, p.Steps, p.Epoch, p.Epochs, p.Validations = 12000, 12000, 120, 120, nil
	for i := range p.Losses {
		p.Losses[i].Step = 12000 * (i + 1) / len(p.Losses)
	}
	for i := range 120 {
		p.Validations = append(p.Validations, ui.Validation{Step: 100 * (i + 1), Epoch: i + 1, Top1: 0.8 + 0.5/15 - 0.5/float64(1+i/8) - 0.02*float64(i%5), Loss: 0.5})
	}
	return p
}

// states are the app's screens in their states, by name, filled in the language
// of texts.
func states(texts *Texts) map[string]*ui.State {
	c := scenes[texts.Code]
	engine := ui.EngineState{Ready: true, Info: ui.Info{Adapter: "llvmpipe (LLVM 15.0.6, 256 bits)", Class: gpu.Software, ModelID: "default"}}
	card := ui.EngineState{Ready: true, Info: ui.Info{Adapter: "Intel UHD Graphics 620 (KBL GT2)", Class: gpu.Integrated, ModelID: "default"}}
	list := c.models()
	models := ui.Models{List: list, Using: "default"}
	understood := &data.Report{Convention: "an ImageFolder with metadata", Examples: 6000, Pictures: 3000, Captions: 6000, Classes: c.classes,
		CaptionsFrom: "column text of train/metadata.jsonl", Splits: []data.SplitCount{{Split: data.Train, Examples: 5140}, {Split: data.Validation, Examples: 860}},
		SkippedRows: 2, Skipped: []data.Skip{{Source: data.Source{File: "train/metadata.jsonl", Line: 7}, Reason: "no such picture", Rows: 2}}}
	wordless := &data.Report{Convention: "a folder per class", Examples: 180, Pictures: 180, Classes: c.long, Splits: []data.SplitCount{{Split: data.Train, Examples: 180}}}
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("%s %d", c.classes[i%4], i+1)
	}
	setup := ui.Setup{Name: c.model, Inputs: "both"}
	training := func(t ui.Training) *ui.State {
		if t.Step >= ui.TrainConfirm {
			if t.Setup.Name == "" {
				t.Setup = setup
			}
			if t.Report == nil {
				t.Report = understood
			}
		}
		return &ui.State{Screen: ui.ScreenTrain, Engine: engine, Training: t, Models: models}
	}
	source := ui.Source{Name: "shapes", Sample: true}
	early := ui.Progress{AllFeatures: 3000, Features: 1250, Skipped: 3}
	long := result(c.long)
	for i := range long.Cells[0][1] {
		long.Cells[0][1][i].Caption = c.captions[i%2] + strings.Repeat(" "+c.long[i%4], i)
	}
	stopped := result(c.classes)
	stopped.Stopped, stopped.Open = true, false
	lost := training(ui.Training{Unfinished: []ui.Job{{ID: "m", Setup: setup, Step: 70}}})
	lost.Problem = &ui.Problem{Doing: ui.DoingTrain, Failure: ui.Failure{Text: "the device was lost: the driver was restarted, or the adapter was taken away", Reason: report.AdapterLost}}
	classify := func(items []ui.Item, selected int) *ui.State {
		return &ui.State{Engine: engine, Pictures: ui.Pictures{Items: items, Selected: selected}}
	}
	several := classify(c.items(), 2)
	several.Pictures.Skipped, several.Pictures.Order = 3, ui.Order{By: ui.ByProbability, Descending: true}
	towers := []ui.Tower{
		{Name: "torchvision/resnet18", Kind: "vision", Bytes: 46830571, Licence: "BSD-3-Clause", Here: true},
		{Name: "FacebookAI/roberta-base", Kind: "text", Bytes: 499e6, Licence: "MIT", Fetching: true, Done: 212e6, Total: 502e6},
		{Name: "torchvision/resnet34", Kind: "vision", Bytes: 873e5, Licence: "BSD-3-Clause"},
		{Name: "distilbert/distilroberta-base", Kind: "text", Bytes: 331e6, Licence: "Apache-2.0", Partial: 120e6},
		{Name: "FacebookAI/xlm-roberta-base", Kind: "text", Lacks: "tokenizer"},
		{Name: "openai/clip-vit-base-patch32", Kind: "pair", Lacks: "architecture"},
	}
	fromTowers := training(ui.Training{Step: ui.TrainConfirm, Source: source, Estimate: &app.Estimate{Bytes: 5 << 28, Parameters: 136e6, Trained: 1e6},
		Setup: ui.Setup{Name: c.model, Inputs: "both", Preset: ui.Adapter, Base: ui.Base{Vision: towers[0].Name, Text: "distilbert/distilroberta-base"}}})
	fromTowers.Models.Towers = []ui.Tower{towers[0], {Name: "distilbert/distilroberta-base", Kind: "text", Here: true}}
	var unlucky []ui.Tower
	for i, code := range towerCodes {
		unlucky = append(unlucky, ui.Tower{Name: fmt.Sprintf("some/tower-%d", i+1), Kind: "text", Bytes: 499e6, Licence: "MIT", Problem: &ui.Problem{Code: code}})
	}
	unlucky[1].Partial = 250e6
	unlucky = append(unlucky, ui.Tower{Name: "some/asked", Kind: "pair", Fetching: true})
	longModel := list[1]
	longModel.ID, longModel.Name, longModel.Classes = "long", c.longModel, c.long
	return map[string]*ui.State{
		"starting":   {},
		"empty":      {Engine: card},
		"reading":    {Engine: engine, Pictures: ui.Pictures{Reading: true}},
		"removed":    {Engine: engine, Pictures: ui.Pictures{Removed: [][]ui.Item{c.items()}}},
		"one":        classify(c.items()[:1], 1),
		"several":    several,
		"long-names": classify(c.longItems(), 1),
		"failed":     classify(c.items()[4:], 5),
		"saved":      {Engine: engine, Notice: "Downloads/duet-answers.csv"},
		"no-adapter": {Engine: ui.EngineState{Failed: true}, Problem: &ui.Problem{Doing: ui.DoingStart, Failure: ui.Failure{Text: "no adapter: install a Vulkan driver", Reason: report.NoAdapter}}},
		"no-webgpu":  {Engine: ui.EngineState{Failed: true}, Problem: &ui.Problem{Doing: ui.DoingStart, Code: "no-webgpu", Failure: ui.Failure{Text: "this browser does not offer WebGPU"}}},
		"hint":       {Engine: engine, Hint: ui.HintSoftware},
		"page": {Screen: ui.ScreenModels, Engine: engine, Models: models, Page: ui.PageState{Version: ui.VersionNew,
			Storage: &ui.Storage{Used: 60 << 20, Quota: 9 << 30, Lasting: true}, Traffic: &ui.Traffic{}}},
		"page-held": {Screen: ui.ScreenModels, Engine: engine, Models: models, Page: ui.PageState{Version: ui.VersionHeld, Storage: &ui.Storage{}}},
		"page-busy": {Screen: ui.ScreenModels, Engine: engine, Models: models, Training: ui.Training{Step: ui.TrainRunning},
			Page: ui.PageState{Version: ui.VersionNew, Storage: &ui.Storage{Used: 60 << 20, Lasting: true, Persistent: true}}},
		"page-settings":     {Screen: ui.ScreenSettings, Engine: engine, Page: ui.PageState{Traffic: &ui.Traffic{Files: 14, Fetched: 9 << 20}}},
		"problem":           {Engine: engine, Problem: &ui.Problem{Doing: ui.DoingRead, Failure: ui.Failure{Text: "none of the files is a picture that can be read: JPEG, PNG, GIF, BMP and WebP can", Reason: report.NoPictures}}},
		"no-dialog":         {Engine: engine, NoDialog: true, Problem: &ui.Problem{Doing: ui.DoingChoose, Code: "no-dialog"}},
		"one-no-dialog":     {Engine: engine, NoDialog: true, Pictures: ui.Pictures{Items: c.items()[:1], Selected: 1}},
		"several-no-dialog": {Engine: engine, NoDialog: true, Pictures: ui.Pictures{Items: c.items(), Selected: 1}},
		"models-no-dialog":  {Screen: ui.ScreenModels, Engine: engine, Models: models, NoDialog: true},
		"train":             training(ui.Training{}),
		"train-unfinished":  training(ui.Training{Unfinished: []ui.Job{{ID: "m", Setup: ui.Setup{Name: c.model}, Step: 70}, {ID: "n", Setup: ui.Setup{Name: c.longModel}, Step: 12345}}}),
		"train-lost":        lost,
		"train-reading":     training(ui.Training{Step: ui.TrainReading, Source: source}),
		"train-confirm":     training(ui.Training{Step: ui.TrainConfirm, Source: source, Estimate: &app.Estimate{Bytes: 15 << 20, Parameters: 962325, Trained: 74757, Time: 45 * time.Second}}),
		"train-towers":      fromTowers,
		"train-too-large":   training(ui.Training{Step: ui.TrainConfirm, Source: source, Setup: ui.Setup{Preset: ui.Thorough, Inputs: "both", Name: c.model}, Estimate: &app.Estimate{Bytes: 5 << 29, Memory: 3 << 29, Parameters: 136e6, Trained: 136e6}}),
		"train-wordless":    training(ui.Training{Step: ui.TrainConfirm, Source: ui.Source{Name: c.longModel}, Report: wordless, Setup: ui.Setup{Name: c.longModel, Inputs: "image", Preset: ui.Thorough}}),
		"train-features":    training(ui.Training{Step: ui.TrainRunning, Source: source, Progress: early}),
		"train-running":     training(ui.Training{Step: ui.TrainRunning, Source: source, Progress: progress()}),
		"train-stopping":    training(ui.Training{Step: ui.TrainStopping, Source: source, Progress: progress()}),
		"train-done":        training(ui.Training{Step: ui.TrainDone, Source: source, Progress: progress(), Result: result(c.classes)}),
		"train-stopped":     training(ui.Training{Step: ui.TrainDone, Source: source, Progress: progress(), Result: stopped}),
		"train-long":        training(ui.Training{Step: ui.TrainDone, Source: source, Setup: ui.Setup{Name: c.longModel}, Progress: progress(), Result: long}),
		"train-many":        training(ui.Training{Step: ui.TrainDone, Source: source, Progress: longProgress(), Result: result(many)}),
		"models":            {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{List: list, Using: "default", Removed: list[1:]}},
		"models-loading":    {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{List: []ui.Model{list[0], longModel, list[1]}, Using: "default", Loading: "shapes"}, Notice: "Downloads/" + c.model + ".zip"},
		"models-own":        {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{List: list, Using: "shapes"}},
		"models-card":       {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{List: list, Using: "default", Card: "default"}},
		"towers":            {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{List: list[:1], Using: "default", Towers: towers, Ended: "torchvision/resnet18"}},
		"towers-problems":   {Screen: ui.ScreenModels, Engine: engine, Models: ui.Models{Using: "default", Towers: unlucky, Ended: "some/tower-6"}},
		"models-none":       {Screen: ui.ScreenModels},
		"settings":          {Screen: ui.ScreenSettings, Engine: engine, Version: "0.1-12-gd0f5a8a"},
	}
}

// TestNothingIsCut lays every state out in every language and size: of the app's
// own words none is cut short or has no room, of the user's only long ones.
func TestNothingIsCut(t *testing.T) {
	newShaper, hasChinese := sameEverywhere(t)
	shaper := newShaper()
	for _, texts := range Languages {
		if texts == &chinese && !hasChinese {
			continue
		}
		c := scenes[texts.Code]
		mayBeCut := []string{c.file, c.longModel, c.captions[0], c.captions[1], "picture-", "neutral ", "none ", "warm 12"} // the last are classes above a matrix
		mayBeCut = append(mayBeCut, c.long...)
		for _, size := range []image.Point{wide, phone, image.Pt(760, 480), image.Pt(400, 480)} {
			for name, s := range states(texts) {
				x := newStageIn(size, texts, NewTheme(shaper, false), s)
				x.view.ownChinese = hasChinese
				labels := 0
				x.view.seen = func(l label, isCut bool) {
					labels++
					if isCut && !slices.ContainsFunc(mayBeCut, func(long string) bool { return strings.Contains(l.text, long) || strings.Contains(long, l.text) }) {
						t.Errorf("%s, %s, %v: %q is cut", name, texts.Code, size, l.text)
					}
				}
				x.frame()
				if labels < 5 {
					t.Errorf("%s: only %d labels were seen", name, labels)
				}
			}
		}
	}
}
