package view

import (
	"fmt"
	"strings"

	"duet/model/report"

	"gioui.org/text"
	"golang.org/x/image/math/fixed"
)

// Texts are the words of a language. %s and %d in one are filled in; a test
// checks that every language has all, with the same fillings.
type Texts struct {
	Language string // its own name
	Code     string // "en"

	Comma, Semicolon, Colon, Listed string // between clauses, and between the things of a list

	Classify, Train, Models, Settings string

	// The engine.
	Starting, NotRunning, OnDiscrete, OnIntegrated, OnSoftware, OnUnknown string

	// Classify.
	DropHere, DropHint, ChoosePictures, Reading, Words, WordsHint, WordsFile, WordsInside, NotSure, Looking, Waiting, NoAnswer string
	Took, Camera, RemoveThis, ClearAll, Undo, SaveCSV, SaveJSON, Picture, Answer, Probability                                  string

	// Of so many.
	Counts, Skipped, Examples, Pictures, Classes, LeftOut, FeaturesOf, Speed, Unreadable, ResultTitle, Unfinished Counted

	// Train.
	TrainLead, DropFolder, FolderHint, ChooseFolder, UseSample, SampleLead, PathHint, PathMore, Open, Understanding, Understood string
	ExamplesOf, Captions, Column, NoCaptions, SplitOf, Another, HowMuch                                                         string
	Conventions                                                                                                                 [len(conventions)]string
	Splits                                                                                                                      [4]string // none, train, validation, test
	Presets, PresetLeads                                                                                                        [4]string
	InputsTitle                                                                                                                 string
	Inputs                                                                                                                      [3]string
	StartsFrom, InUseModel, NameTitle, Start, EstimateBusy, EstimateMemory, EstimateTrained, TooLarge, EstimateTime             string
	Preparing, StepOf, EpochOf, Loss, Accuracy, LossHeld, LastValue, BestEpoch, EpochMark, Left, Stop, Stopping                 string
	StoppedTitle, PerClass, Precision, Recall, Confusion, ConfusionLead, Use, InUse                                             string
	AgainAnother                                                                                                                string
	GoOn, GiveUp, Unkept                                                                                                        string

	// Models.
	ModelsLead, DefaultModel, Card, Export, ONNX, Remove, Removed, StaysDefault, StaysInUse, Import, Loading, SavedAt string

	// Towers, and why one could not be fetched, by code.
	Towers, TowersLead, TowerHere, TowerPartly, TowerAbout, Fetch, StopFetch, Connecting, FetchedOf, TowersLater string
	TowerKinds                                                                                                   [3]string // vision, text, pair
	TowerLacks                                                                                                   [2]string // tokenizer, architecture
	TowerOffline, TowerUnreachable, TowerGated, TowerAbsent, TowerRoom, TowerCorrupt, TowerBusy, TowerClosed     string

	// Explanations of what one points at.
	TipRemove, TipClear, TipCSV, TipJSON, TipUse, TipExport, TipONNX, TipRemoveModel, TipStop, TipGoOn, TipGiveUp, TipPrecision, TipRecall, TipF1, TipFetch, TipStopFetch, TipRemoveTower string

	// Settings.
	LanguageTitle, ThemeTitle, AsSystem, Light, Dark, About, AboutText, Version, NoVersion, ComputesOn, Licence string

	// Of a page in a browser, and what is told once.
	StorageModels, StorageUsed, StorageQuota, StorageKept, StorageMayGo, StorageNone, KeepStorage string
	TrafficTitle, Sent, TrafficLead, Elsewhere, Fetched                                           string
	NewVersion, NewVersionHeld, NewVersionBusy, Reload, Later, SoftwareTitle, SoftwareWhy         string

	// Why there is no engine, by code, and what to do.
	Insecure, NoWebGPU, NoAdapter, Limit, Device, Lost, Internal                          string
	WebGPUInChrome, WebGPUInChromeLinux, WebGPUInFirefox, WebGPUInSafari, WebGPUElsewhere string

	BrowserRoom string // why something could not be stored, in a page

	// Why something failed; what is in %s are a reason's names.
	Reasons [report.Reasons]string

	// Problems, by what was being done.
	Problems [7]string
	NoDialog string // what to do without
	Dismiss  string
	TryAgain string
}

// Counted is a text about a number: where that is 1, and where it is another.
type Counted [2]string

// uncounted is a text of a language in which the number makes no difference.
func uncounted(text string) Counted { return Counted{text, text} }

// of returns the text about n, filled in.
func (c Counted) of(n int, fill ...any) string {
	text := c[1]
	if n == 1 {
		text = c[0]
	}
	return fmt.Sprintf(text, fill...)
}

// Languages are the app's languages.
var Languages = []*Texts{&english, &chinese}

// TextsFor returns the words of a language, such as "zh" or "zh_CN.UTF-8", where
// it is among some; else English.
func TextsFor(code string, among []*Texts) *Texts {
	for _, t := range among {
		if strings.HasPrefix(strings.ToLower(code), t.Code) {
			return t
		}
	}
	return &english
}

// drawable are the languages for which the shaper has glyphs: a system without a
// font for Chinese would show boxes.
func drawable(shaper *text.Shaper) []*Texts {
	var list []*Texts
	for _, t := range Languages {
		shaper.LayoutString(text.Parameters{PxPerEm: fixed.I(16), MaxWidth: 1 << 16}, t.Language)
		whole := true
		for g, ok := shaper.NextGlyph(); ok; g, ok = shaper.NextGlyph() {
			whole = whole && g.ID&0xffff != 0 // the glyph's number in its font; 0: it has none
		}
		if whole {
			list = append(list, t)
		}
	}
	return list
}
