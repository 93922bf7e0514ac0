package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"duet/model/report"
)

// The files of a tokenizer in a model folder.
const (
	tokenizerName = "tokenizer.json"
	vocabName     = "vocab.json"
	mergesName    = "merges.txt"

	// maxFile bounds what is read; the largest files in use have about 35 MB.
	maxFile = 64_000_000
)

// ErrNone is the error of a folder without any file of a tokenizer.
var ErrNone = fmt.Errorf("text: the folder has no tokenizer: put %s there, or %s with %s", tokenizerName, vocabName, mergesName)

// Load reads a tokenizer from the root of fsys: tokenizer.json where there is
// one, else vocab.json with merges.txt. Without any the error is [ErrNone]. A
// tokenizer.json whose parts are not RoBERTa's (byte-level BPE, nothing
// normalised, <s> … </s>) is refused by the name of the part. Every other error
// names the file.
func Load(fsys fs.FS) (*Tokenizer, error) {
	data, err := readFile(fsys, tokenizerName)
	switch {
	case err == nil:
		t, err := parseTokenizer(data)
		return t, inFile(tokenizerName, err)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, inFile(tokenizerName, err)
	}
	vocab, err := readFile(fsys, vocabName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	var tokens []string
	if err == nil {
		tokens, err = parseVocab(vocab)
	}
	if err != nil {
		return nil, inFile(vocabName, err)
	}
	merges, err := readFile(fsys, mergesName)
	if err != nil {
		return nil, inFile(mergesName, err)
	}
	t, err := parseMergesFor(tokens, merges)
	return t, inFile(mergesName, err)
}

// Check reads one file of a tokenizer as [Load] would and says what is wrong
// with it: a vocabulary or a tokenizer.json by itself, a merge list (any other
// ending than .json) against the vocabularies beside it, one of which must know
// all its tokens. A merge list with no vocabulary beside it is read for its
// form only.
func Check(fsys fs.FS, name string) error {
	data, err := readFile(fsys, name)
	if err != nil {
		return inFile(name, err)
	}
	if path.Ext(name) == ".json" {
		return inFile(name, checkJSON(data))
	}
	if _, err := parseMerges(data); err != nil {
		return inFile(name, err)
	}
	return inFile(name, checkMergesBeside(fsys, path.Dir(name), data))
}

func checkJSON(data []byte) error {
	var parts struct {
		Model json.RawMessage `json:"model"`
	}
	if json.Unmarshal(data, &parts) == nil && bytes.HasPrefix(parts.Model, []byte("{")) {
		_, err := parseTokenizer(data)
		return err
	}
	_, err := parseVocab(data)
	return err
}

// checkMergesBeside tries a merge list with each vocabulary of a folder.
func checkMergesBeside(fsys fs.FS, dir string, merges []byte) error {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return err
	}
	var problem error
	for _, entry := range entries {
		name := entry.Name()
		if !strings.Contains(name, "vocab") || path.Ext(name) != ".json" {
			continue
		}
		vocab, err := readFile(fsys, path.Join(dir, name))
		if err != nil {
			continue
		}
		tokens, err := parseVocab(vocab)
		if err != nil {
			continue // its own check says why
		}
		if _, err = parseMergesFor(tokens, merges); err == nil {
			return nil
		}
		problem = fmt.Errorf("%w (in %s)", err, name)
	}
	return problem
}

func inFile(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("text: reading %s: %w", name, err)
}

// readFile reads a file of at most maxFile bytes that must be UTF-8; a byte
// order mark is dropped.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("the file is larger than %s", report.Size(maxFile))
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the file is not UTF-8 text")
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), nil
}

// parseVocab reads a vocab.json: one object from token to id.
func parseVocab(data []byte) ([]string, error) {
	ids, err := parseIDs(data)
	if err != nil {
		return nil, err
	}
	special := make(map[string]bool)
	for _, token := range specialTokens() {
		special[token] = true
	}
	return checkVocab(ids, special)
}

// parseIDs reads an object from token to id. (A plain json.Unmarshal would let
// a token that appears twice pass.)
func parseIDs(data []byte) (map[string]int32, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if start, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	} else if start != json.Delim('{') {
		return nil, errors.New("not a vocabulary: it must be one JSON object from token to id")
	}
	ids := make(map[string]int32)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		token, _ := key.(string) // the decoder refuses other keys
		value, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: after %.80q: %w", token, err)
		}
		number, ok := value.(json.Number)
		if !ok {
			return nil, fmt.Errorf("the id of %.80q is not a number", token)
		}
		id, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || id < 0 || id >= maxEntries {
			return nil, fmt.Errorf("the id of %.80q is %.40s: ids are whole numbers from 0 to the number of tokens less one", token, number)
		}
		if _, twice := ids[token]; twice {
			return nil, fmt.Errorf("the token %.80q appears twice", token)
		}
		if len(ids) == maxEntries {
			return nil, fmt.Errorf("more than %d tokens", maxEntries)
		}
		ids[token] = int32(id)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("not JSON: text after the vocabulary")
	}
	return ids, nil
}

// checkVocab orders tokens by id: every id below their number must be there
// once. Tokens other than the added ones must be spelt in the byte alphabet.
func checkVocab(ids map[string]int32, added map[string]bool) ([]string, error) {
	if missing := slices.DeleteFunc(specialTokens(), func(s string) bool { _, ok := ids[s]; return ok }); len(missing) > 0 {
		return nil, missingSpecials(missing)
	}
	tokens := make([]string, len(ids))
	for token, id := range ids {
		switch {
		case token == "":
			return nil, errors.New("the empty string is no token")
		case int(id) >= len(tokens):
			return nil, fmt.Errorf("the id of %.80q is %d, but there are %d tokens: their ids must be 0 to %d",
				token, id, len(tokens), len(tokens)-1)
		case tokens[id] != "":
			return nil, fmt.Errorf("the id %d stands for two tokens, %.80q and %.80q", id, min(token, tokens[id]), max(token, tokens[id]))
		}
		if !added[token] {
			if _, bad, ok := appendRaw(nil, token); !ok {
				return nil, fmt.Errorf("the token %.80q is not byte-level: the character %q stands for no byte", token, bad)
			}
		}
		tokens[id] = token
	}
	return tokens, nil
}

// parseMergesFor makes the tokenizer of a vocabulary and a merges.txt.
func parseMergesFor(tokens []string, data []byte) (*Tokenizer, error) {
	merges, err := parseMerges(data)
	if err != nil {
		return nil, err
	}
	model, err := newModel(tokens, merges, unkToken)
	if err != nil {
		return nil, err
	}
	return newTokenizer(model, robertaAdded(model.ids))
}

// robertaAdded gives the special tokens as RoBERTa's files have them.
func robertaAdded(ids map[string]int32) []addedToken {
	var added []addedToken
	for _, content := range specialTokens() {
		added = append(added, addedToken{ID: ids[content], Content: content, LStrip: content == maskToken, Special: true})
	}
	slices.SortFunc(added, func(a, b addedToken) int { return int(a.ID - b.ID) })
	return added
}

// parseMerges reads a merges.txt: a rule a line, lowest rank first. Only the
// first line can be a header: rules may begin with "#".
func parseMerges(data []byte) ([][2]string, error) {
	var merges [][2]string
	rest := strings.TrimRight(string(data), "\r\n")
	for number := 1; rest != ""; number++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if number == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		merge, err := parseMerge(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if len(merges) == maxEntries {
			return nil, fmt.Errorf("line %d: more than %d merge rules", number, maxEntries)
		}
		merges = append(merges, merge)
	}
	return merges, nil
}

// parseMerge splits a rule at its one space.
func parseMerge(line string) ([2]string, error) {
	left, right, ok := strings.Cut(line, " ")
	if !ok || left == "" || right == "" || strings.Contains(right, " ") {
		return [2]string{}, fmt.Errorf("%.80q is not a merge rule: two tokens with one space between", line)
	}
	for _, token := range []string{left, right} {
		if _, bad, ok := appendRaw(nil, token); !ok {
			return [2]string{}, fmt.Errorf("the merge rule %.80q is not byte-level: the character %q stands for no byte", line, bad)
		}
	}
	return [2]string{left, right}, nil
}
