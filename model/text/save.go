package text

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
)

// Files gives the tokenizer's files by name, as Hugging Face's libraries read
// them: tokenizer.json, vocab.json, merges.txt, tokenizer_config.json and
// special_tokens_map.json. The same tokenizer gives the same bytes; [Load] of
// them gives the same encodings.
func (t *Tokenizer) Files() map[string][]byte {
	special := specialsPart{BOS: bosToken, CLS: bosToken, EOS: eosToken, Mask: maskToken, Pad: padToken, Sep: eosToken, Unk: unkToken}
	config := configPart{specialsPart: special, AddedTokens: make(map[string]tokenPart), Errors: "replace",
		Class: "RobertaTokenizer", TrimOffsets: true}
	for _, a := range t.added.all {
		config.AddedTokens[strconv.Itoa(int(a.ID))] = tokenPart{a.Content, a.LStrip, a.Normalized, a.RStrip, a.SingleWord, a.Special}
	}
	special.Mask = tokenPart{Content: maskToken, LStrip: t.added.byText[maskToken].LStrip}
	return map[string][]byte{
		tokenizerName:             t.tokenizerJSON(),
		vocabName:                 t.model.vocabJSON(),
		mergesName:                t.model.mergesText(),
		"tokenizer_config.json":   indented(config),
		"special_tokens_map.json": indented(special),
	}
}

// specialsPart is special_tokens_map.json, where <mask> is a tokenPart, and a
// part of tokenizer_config.json, where it must be a string.
type specialsPart struct {
	BOS  string `json:"bos_token"`
	CLS  string `json:"cls_token"`
	EOS  string `json:"eos_token"`
	Mask any    `json:"mask_token"`
	Pad  string `json:"pad_token"`
	Sep  string `json:"sep_token"`
	Unk  string `json:"unk_token"`
}

// configPart is tokenizer_config.json.
type configPart struct {
	specialsPart
	AddPrefixSpace bool                 `json:"add_prefix_space"`
	AddedTokens    map[string]tokenPart `json:"added_tokens_decoder"` // by id
	CleanUp        bool                 `json:"clean_up_tokenization_spaces"`
	Errors         string               `json:"errors"`
	Class          string               `json:"tokenizer_class"`
	TrimOffsets    bool                 `json:"trim_offsets"`
}

// tokenPart has the fields that Hugging Face's AddedToken takes, and no other.
type tokenPart struct {
	Content    string `json:"content"`
	LStrip     bool   `json:"lstrip"`
	Normalized bool   `json:"normalized"`
	RStrip     bool   `json:"rstrip"`
	SingleWord bool   `json:"single_word"`
	Special    bool   `json:"special,omitempty"`
}

func (t *Tokenizer) tokenizerJSON() []byte {
	yes, unk, none := true, unkToken, ""
	byteLevel := byteLevelPart{Type: "ByteLevel", TrimOffsets: true, UseRegex: &yes}
	merges := make([]mergeRule, len(t.model.rules))
	for i, r := range t.model.rules {
		merges[i] = mergeRule{t.model.tokens[r.left], t.model.tokens[r.right]}
	}
	return indented(tokenizerFile{
		Version:      "1.0",
		AddedTokens:  t.added.all,
		PreTokenizer: byteLevel,
		PostProcessor: robertaPart{Type: "RobertaProcessing", Sep: namedID{eosToken, t.EOS}, Cls: namedID{bosToken, t.BOS},
			TrimOffsets: true},
		Decoder: &byteLevel,
		Model:   bpePart{Type: "BPE", UnkToken: &unk, Prefix: &none, Suffix: &none, Vocab: t.model.vocabJSON(), Merges: merges},
	})
}

// vocabJSON is one object from token to id, by id.
func (m *Model) vocabJSON() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for id, token := range m.tokens {
		if id == 0 {
			out.WriteByte('{')
		} else {
			out.WriteByte(',')
		}
		enc.Encode(token)           // a string into memory: it cannot fail
		out.Truncate(out.Len() - 1) // the newline
		out.WriteByte(':')
		out.WriteString(strconv.Itoa(id))
	}
	out.WriteByte('}')
	return out.Bytes()
}

func (m *Model) mergesText() []byte {
	var out bytes.Buffer
	out.WriteString("#version: 0.2\n")
	for _, r := range m.rules {
		out.WriteString(m.tokens[r.left])
		out.WriteByte(' ')
		out.WriteString(m.tokens[r.right])
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// indented writes v, made of plain data that always marshals, with < and > as
// they are.
func indented(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic("text: plain data that does not marshal: " + err.Error())
	}
	return out.Bytes()
}

// writeFile writes a file whole or not at all.
func writeFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
