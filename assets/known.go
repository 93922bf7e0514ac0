package assets

import (
	_ "embed"
	"encoding/json"
	"slices"
)

//go:embed known.json
var knownText []byte

// A KnownModel is a model that somebody published and a user may bring. A fact
// that is not known for sure is left out.
type KnownModel struct {
	Name    string    `json:"name"`              // OWNER/NAME: of its repository on the hub, unless it has a URL
	Kind    TowerKind `json:"kind"`              // what it is a tower for
	Bytes   int64     `json:"bytes,omitempty"`   // of its weights, about: as the page that it is on shows it
	Licence string    `json:"licence,omitempty"` // as the page says: an SPDX identifier where there is one
	SHA256  string    `json:"sha256,omitempty"`  // of the weights
	URL     string    `json:"url,omitempty"`     // of the weights, where they are a file of their own
	Lacks   Lack      `json:"lacks,omitempty"`   // why Duet does not run it; empty: it does
}

// A TowerKind is what a model is a tower for.
type TowerKind string

// The kinds.
const (
	VisionTower TowerKind = "vision"
	TextTower   TowerKind = "text"
	TowerPair   TowerKind = "pair" // both, trained to match
)

// A Lack is what Duet lacks to run a model.
type Lack string

// The lacks.
const (
	LacksNothing      Lack = ""
	LacksTokenizer    Lack = "tokenizer"    // its words are cut in a way that Duet does not read
	LacksArchitecture Lack = "architecture" // its layers are not those of a ResNet or a RoBERTa
)

// KnownModels lists them in the order in which they are shown.
func KnownModels() []KnownModel {
	var list []KnownModel
	if err := json.Unmarshal(knownText, &list); err != nil {
		panic("assets: known.json: " + err.Error()) // it is part of the program, and tested
	}
	return list
}

// Known returns the known model of a name.
func Known(name string) (KnownModel, bool) {
	list := KnownModels()
	at := slices.IndexFunc(list, func(m KnownModel) bool { return m.Name == name })
	if at < 0 {
		return KnownModel{}, false
	}
	return list[at], true
}
