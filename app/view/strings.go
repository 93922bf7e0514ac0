package view

import (
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
	Took, Counts, Skipped, Camera, RemoveThis, ClearAll, Undo, SaveCSV, SaveJSON, Picture, Answer, Probability                 string

	// Train.
	TrainLead, DropFolder, FolderHint, ChooseFolder, UseSample, SampleLead, PathHint, Open, Understanding, Understood                          string
	Examples, Classes, Captions, Column, NoCaptions, SplitOf, LeftOut, Another, HowMuch                                                        string
	Conventions                                                                                                                                [len(conventions)]string
	Splits                                                                                                                                     [4]string // none, train, validation, test
	Presets, PresetLeads                                                                                                                       [4]string
	InputsTitle                                                                                                                                string
	Inputs                                                                                                                                     [3]string
	StartsFrom, InUseModel, NameTitle, Start, EstimateBusy, EstimateMemory, EstimateTrained, TooLarge, EstimateTime                            string
	Preparing, FeaturesOf, StepOf, EpochOf, Loss, Accuracy, LossHeld, LastValue, BestEpoch, EpochMark, Speed, Left, Stop, Stopping, Unreadable string
	ResultTitle, StoppedTitle, PerClass, Precision, Recall, Confusion, ConfusionLead, Use, InUse                                               string
	AgainAnother                                                                                                                               string
	Unfinished, GoOn, GiveUp, Unkept                                                                                                           string

	// Models.
	ModelsLead, DefaultModel, ClassesOf, Card, Export, ONNX, Remove, Removed, StaysDefault, StaysInUse, Import, Loading, SavedAt string

	// Towers, and why one could not be fetched, by code.
	Towers, TowersLead, TowerHere, TowerPartly, TowerAbout, Fetch, StopFetch, Connecting, FetchedOf, TowersLater string
	TowerKinds                                                                                                   [3]string // vision, text, pair
	TowerLacks                                                                                                   [2]string // tokenizer, architecture
	TowerOffline, TowerUnreachable, TowerGated, TowerAbsent, TowerRoom, TowerCorrupt, TowerBusy, TowerClosed     string

	// Explanations of what one points at.
	TipRemove, TipClear, TipCSV, TipJSON, TipUse, TipExport, TipONNX, TipRemoveModel, TipStop, TipGoOn, TipGiveUp, TipPrecision, TipRecall, TipF1, TipFetch, TipStopFetch, TipRemoveTower string

	// Settings.
	LanguageTitle, ThemeTitle, AsSystem, Light, Dark, About, AboutText string

	// Of a page in a browser, and what is told once.
	StorageModels, StorageUsed, StorageQuota, StorageKept, StorageMayGo, StorageNone, KeepStorage string
	TrafficTitle, Sent, TrafficLead, Elsewhere, Fetched                                           string
	NewVersion, NewVersionHeld, NewVersionBusy, Reload, Later, SoftwareTitle, SoftwareWhy         string

	// Why there is no engine, by code, and what to do.
	Insecure, NoWebGPU, NoAdapter, Limit, Device, Lost, Internal                          string
	WebGPUInChrome, WebGPUInChromeLinux, WebGPUInFirefox, WebGPUInSafari, WebGPUElsewhere string

	// Why something failed; what is in %s are a reason's names.
	Reasons [report.Reasons]string

	// Problems, by what was being done.
	Problems [7]string
	NoDialog string // what to do without
	Dismiss  string
	TryAgain string
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
