package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// tokenizerFile is Hugging Face's tokenizer.json, as far as RoBERTa's has it.
type tokenizerFile struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  byteLevelPart   `json:"pre_tokenizer"`
	PostProcessor robertaPart     `json:"post_processor"`
	Decoder       *byteLevelPart  `json:"decoder"`
	Model         bpePart         `json:"model"`
}

type byteLevelPart struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       *bool  `json:"use_regex"`
}

type robertaPart struct {
	Type           string  `json:"type"`
	Sep            namedID `json:"sep"`
	Cls            namedID `json:"cls"`
	TrimOffsets    bool    `json:"trim_offsets"`
	AddPrefixSpace bool    `json:"add_prefix_space"`
}

type bpePart struct {
	Type         string          `json:"type"`
	Dropout      *float64        `json:"dropout"`
	UnkToken     *string         `json:"unk_token"`
	Prefix       *string         `json:"continuing_subword_prefix"`
	Suffix       *string         `json:"end_of_word_suffix"`
	FuseUnk      bool            `json:"fuse_unk"`
	ByteFallback bool            `json:"byte_fallback"`
	IgnoreMerges bool            `json:"ignore_merges"`
	Vocab        json.RawMessage `json:"vocab"`
	Merges       []mergeRule     `json:"merges"`
}

// namedID is a token and its id, written ["</s>", 2].
type namedID struct {
	token string
	id    int32
}

func (n namedID) MarshalJSON() ([]byte, error) { return json.Marshal([]any{n.token, n.id}) }

func (n *namedID) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("%.80s is not a token with its id", data)
	}
	return errors.Join(json.Unmarshal(parts[0], &n.token), json.Unmarshal(parts[1], &n.id))
}

// mergeRule is written "a b" (older files and ours) or ["a", "b"].
type mergeRule [2]string

func (m mergeRule) MarshalJSON() ([]byte, error) { return json.Marshal(m[0] + " " + m[1]) }

func (m *mergeRule) UnmarshalJSON(data []byte) error {
	var line string
	if bytes.HasPrefix(data, []byte("[")) {
		var parts []string
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		if len(parts) != 2 {
			return fmt.Errorf("the merge rule %.80q does not have two tokens", parts)
		}
		line = parts[0] + " " + parts[1]
	} else if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	merge, err := parseMerge(line)
	*m = merge
	return err
}

// parseTokenizer reads a tokenizer.json.
func parseTokenizer(data []byte) (*Tokenizer, error) {
	if err := checkParts(data); err != nil {
		return nil, err
	}
	var file tokenizerFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("not a tokenizer file: %w", err)
	}
	if err := checkSettings(&file); err != nil {
		return nil, err
	}
	ids, err := parseIDs(file.Model.Vocab)
	if err != nil {
		return nil, fmt.Errorf("model.vocab: %w", err)
	}
	added := make(map[string]bool, len(file.AddedTokens))
	for _, a := range file.AddedTokens {
		if err := checkAdded(a, ids); err != nil {
			return nil, err
		}
		if added[a.Content] {
			return nil, fmt.Errorf("added_tokens: %.80q appears twice", a.Content)
		}
		added[a.Content] = true
		ids[a.Content] = a.ID
	}
	tokens, err := checkVocab(ids, added)
	if err != nil {
		return nil, err
	}
	merges := make([][2]string, len(file.Model.Merges))
	for i, m := range file.Model.Merges {
		merges[i] = m
	}
	model, err := newModel(tokens, merges, unkToken)
	if err != nil {
		return nil, err
	}
	t, err := newTokenizer(model, file.AddedTokens)
	if err != nil {
		return nil, fmt.Errorf("added_tokens: %w", err)
	}
	sep, cls := file.PostProcessor.Sep, file.PostProcessor.Cls
	if want := (namedID{eosToken, t.EOS}); sep != want {
		return nil, fmt.Errorf("post_processor.sep is %v, want %v", sep, want)
	}
	if want := (namedID{bosToken, t.BOS}); cls != want {
		return nil, fmt.Errorf("post_processor.cls is %v, want %v", cls, want)
	}
	return t, nil
}

// checkParts refuses, by name, the kinds of parts that this package does not
// have. It comes before the whole file is read: other kinds have other fields.
func checkParts(data []byte) error {
	type kind struct {
		Type string `json:"type"`
	}
	var parts struct {
		Normalizer    *kind `json:"normalizer"`
		PreTokenizer  *kind `json:"pre_tokenizer"`
		PostProcessor *kind `json:"post_processor"`
		Decoder       *kind `json:"decoder"`
		Model         *struct {
			kind
			Merges json.RawMessage `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return fmt.Errorf("not a tokenizer file: %w", err)
	}
	if parts.Model == nil {
		return errors.New("not a tokenizer file: it has no model")
	}
	if parts.Model.Type == "" && parts.Model.Merges != nil {
		parts.Model.Type = "BPE" // older files do not name it
	}
	for _, part := range []struct {
		name string
		have *kind
		want string
	}{
		{"model", &parts.Model.kind, "BPE"},
		{"normalizer", parts.Normalizer, ""},
		{"pre_tokenizer", parts.PreTokenizer, "ByteLevel"},
		{"post_processor", parts.PostProcessor, "RobertaProcessing"},
		{"decoder", parts.Decoder, "ByteLevel"},
	} {
		switch {
		case part.have == nil && (part.want == "" || part.name == "decoder"):
		case part.have == nil:
			return fmt.Errorf("it has no %s; only %s is supported", part.name, part.want)
		case part.want == "":
			return fmt.Errorf("%s is %.40q; only a tokenizer that changes nothing in the text is supported", part.name, part.have.Type)
		case part.have.Type != part.want:
			return fmt.Errorf("%s is %.40q; only %s is supported", part.name, part.have.Type, part.want)
		}
	}
	return nil
}

// checkSettings refuses settings that would change the ids.
func checkSettings(file *tokenizerFile) error {
	m := &file.Model
	refused := map[string]bool{
		"pre_tokenizer.add_prefix_space":         file.PreTokenizer.AddPrefixSpace,
		"pre_tokenizer.use_regex = false":        file.PreTokenizer.UseRegex != nil && !*file.PreTokenizer.UseRegex,
		"model.dropout":                          m.Dropout != nil && *m.Dropout != 0,
		"model.continuing_subword_prefix":        m.Prefix != nil && *m.Prefix != "",
		"model.end_of_word_suffix":               m.Suffix != nil && *m.Suffix != "",
		"model.fuse_unk":                         m.FuseUnk,
		"model.byte_fallback":                    m.ByteFallback,
		"model.ignore_merges":                    m.IgnoreMerges,
		"model.unk_token other than " + unkToken: m.UnkToken != nil && *m.UnkToken != unkToken,
	}
	var names []string
	for name, is := range refused {
		if is {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		return fmt.Errorf("not supported: %q", names)
	}
	return nil
}

// maxAdded bounds the length of an added token in bytes: each place of a text
// that may begin one is compared with every length there is.
const maxAdded = 256

func checkAdded(a addedToken, ids map[string]int32) error {
	id, known := ids[a.Content]
	switch {
	case a.Content == "" || len(a.Content) > maxAdded:
		return fmt.Errorf("added_tokens: %.80q has %d bytes; 1 to %d are supported", a.Content, len(a.Content), maxAdded)
	case a.SingleWord:
		return fmt.Errorf("added_tokens: single_word is not supported (%.80q)", a.Content)
	case known && id != a.ID:
		return fmt.Errorf("added_tokens: %.80q has the id %d, but %d in the vocabulary", a.Content, a.ID, id)
	case a.ID < 0 || a.ID >= maxEntries:
		return fmt.Errorf("added_tokens: the id of %.80q is %d", a.Content, a.ID)
	}
	return nil
}
