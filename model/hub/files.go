package hub

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// extras are the files beside config.json and the weights that are fetched
// where a repository has them: the tokenizer's, the preprocessor's, and what
// says whose model it is.
var extras = []string{
	"tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json",
	"preprocessor_config.json", "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE",
}

// weights are the names that weights have, the best first. What ends in .json
// is an index, which names the files.
var weights = []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}

// wanted picks what a tower needs of the files that a repository has: the small
// ones, and the weights or their index.
func wanted(has []string) (small []string, weight string, err error) {
	if !slices.Contains(has, "config.json") {
		return nil, "", fmt.Errorf("it has no config.json, so it is not a model in transformers' format; it has %s", some(has))
	}
	small = []string{"config.json"}
	for _, file := range extras {
		if slices.Contains(has, file) {
			small = append(small, file)
		}
	}
	for _, file := range weights {
		if slices.Contains(has, file) {
			return small, file, nil
		}
	}
	return nil, "", fmt.Errorf("it has neither model.safetensors nor pytorch_model.bin; it has %s", some(has))
}

// some lists a few names.
func some(names []string) string {
	const few = 8
	if len(names) == 0 {
		return "no files"
	}
	if len(names) > few {
		return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d more", len(names)-few)
	}
	return strings.Join(names, ", ")
}

func isIndex(file string) bool { return strings.HasSuffix(file, ".index.json") }

var shardPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*\.(safetensors|bin)$`)

// shards reads which files an index of weights names.
func shards(index []byte) ([]string, error) {
	var x struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(index, &x); err != nil {
		return nil, fmt.Errorf("the index of the weights: %w", err)
	}
	var list []string
	for _, file := range x.WeightMap {
		if !shardPattern.MatchString(file) || path.Base(file) != file {
			return nil, fmt.Errorf("the index of the weights names %q, which is no file beside it", file)
		}
		list = append(list, file)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) == 0 {
		return nil, fmt.Errorf("the index of the weights names no files")
	}
	return list, nil
}
