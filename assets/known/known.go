// Package known lists models that others have published and a user may bring, in
// known.json. It is apart from package assets since the window in the tab has it,
// too, which draws no samples.
//
// To add a model, write its line there. A fact that is not known for sure is left
// out: sizes are as the page shows them that the model is on.
package known

import (
	_ "embed"
	"encoding/json"
	"slices"
)

//go:embed known.json
var text []byte

// A Model is a model that somebody published.
type Model struct {
	Name    string `json:"name"`              // OWNER/NAME: of its repository on the hub, unless it has a URL
	Kind    Kind   `json:"kind"`              // what it is a tower for
	Bytes   int64  `json:"bytes,omitempty"`   // of its weights, about: as the page that it is on shows it
	Licence string `json:"licence,omitempty"` // as the page says: an SPDX identifier where there is one
	SHA256  string `json:"sha256,omitempty"`  // of the weights
	URL     string `json:"url,omitempty"`     // of the weights, where they are a file of their own
	Lacks   Lack   `json:"lacks,omitempty"`   // why Duet does not run it; empty: it does
}

// A Kind is what a model is a tower for.
type Kind string

// The kinds.
const (
	Vision Kind = "vision"
	Text   Kind = "text"
	Pair   Kind = "pair" // both, trained to match
)

// A Lack is what Duet lacks to run a model.
type Lack string

// The lacks.
const (
	LacksNothing      Lack = ""
	LacksTokenizer    Lack = "tokenizer"    // its words are cut in a way that Duet does not read
	LacksArchitecture Lack = "architecture" // its layers are not those of a ResNet or a RoBERTa
)

// Models lists them in the order in which they are shown.
func Models() []Model {
	var list []Model
	if err := json.Unmarshal(text, &list); err != nil {
		panic("known: known.json: " + err.Error()) // it is part of the program, and tested
	}
	return list
}

// Find returns the model of a name.
func Find(name string) (Model, bool) {
	list := Models()
	at := slices.IndexFunc(list, func(m Model) bool { return m.Name == name })
	if at < 0 {
		return Model{}, false
	}
	return list[at], true
}
