package text

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sugarme/tokenizer"
	"github.com/sugarme/tokenizer/normalizer"
	"github.com/sugarme/tokenizer/processor"
)

// The special tokens of RoBERTa.
const (
	bosToken  = "<s>"
	padToken  = "<pad>"
	eosToken  = "</s>"
	unkToken  = "<unk>"
	maskToken = "<mask>"
)

// specialTokens lists them in the order of RoBERTa's ids.
func specialTokens() []string {
	return []string{bosToken, padToken, eosToken, unkToken, maskToken}
}

// Specials are the ids of the special tokens.
type Specials struct {
	BOS  int32 // <s>, begins every encoding; its state stands for the text
	Pad  int32 // <pad>, fills a row of a batch up
	EOS  int32 // </s>, ends every text
	Unk  int32 // <unk>, a byte that the vocabulary lacks
	Mask int32 // <mask>, a token to be guessed
}

// Tokenizer turns text into token ids and back. It never changes after it was
// made and is safe for concurrent use.
type Tokenizer struct {
	Specials
	model *Model
	added addedTokens
	post  *processor.RobertaProcessing
}

// addedToken is a token that is recognised in a text before words are split.
// The JSON names are those of tokenizer.json.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"` // absorbs the blanks before it
	RStrip     bool   `json:"rstrip"` // absorbs the blanks after it
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"` // left out by Decode
}

// newTokenizer joins a model and its added tokens, which must hold the special
// tokens and have their ids from the model.
func newTokenizer(model *Model, added []addedToken) (*Tokenizer, error) {
	t := &Tokenizer{model: model, added: newAddedTokens(added)}
	ids := []*int32{&t.BOS, &t.Pad, &t.EOS, &t.Unk, &t.Mask}
	var missing []string
	for i, content := range specialTokens() {
		if a, ok := t.added.byText[content]; ok {
			*ids[i] = a.ID
		} else {
			missing = append(missing, content)
		}
	}
	if len(missing) > 0 {
		return nil, missingSpecials(missing)
	}
	// With trimOffsets false, v0.3.0 of the module fails on a nil encoding.
	t.post = processor.NewRobertaProcessing(
		processor.PostToken{Value: eosToken, Id: int(t.EOS)},
		processor.PostToken{Value: bosToken, Id: int(t.BOS)}, true, false)
	return t, nil
}

func missingSpecials(missing []string) error {
	return fmt.Errorf("the special tokens %s are missing; a RoBERTa vocabulary has %s",
		strings.Join(missing, " "), strings.Join(specialTokens(), " "))
}

// VocabSize is the number of tokens: ids are 0 to VocabSize-1.
func (t *Tokenizer) VocabSize() int { return len(t.model.tokens) }

// Encode gives the ids <s> text </s>. Where maxLen is positive, at most maxLen
// of them: the end of the text is cut, </s> stays. A maxLen below 2 counts as 2.
func (t *Tokenizer) Encode(text string, maxLen int) []int32 {
	budget := -1
	if maxLen > 0 {
		budget = max(maxLen-t.post.AddedTokens(false), 0)
	}
	e := t.encode(text, budget)
	if budget >= 0 {
		cut(e, budget)
	}
	return ids32(t.post.Process(e, nil, true))
}

// EncodePair gives the ids <s> a </s></s> b </s>. Where maxLen is positive, at
// most maxLen of them: the end of the longer text is cut first, until both are
// of one length, then both. A maxLen below 4 counts as 4.
func (t *Tokenizer) EncodePair(a, b string, maxLen int) []int32 {
	if maxLen <= 0 {
		return ids32(t.post.Process(t.encode(a, -1), t.encode(b, -1), true))
	}
	ea, eb := t.encode(a, maxLen), t.encode(b, maxLen)
	na, nb := pairLengths(wordsUpTo(ea, maxLen), wordsUpTo(eb, maxLen), max(maxLen-t.post.AddedTokens(true), 0))
	cut(ea, na)
	cut(eb, nb)
	return ids32(t.post.Process(ea, eb, true))
}

// wordsUpTo counts the tokens of an encoding up to the end of the word that
// brings them to n: Hugging Face's library looks no further when it compares
// the lengths of a pair.
func wordsUpTo(e *tokenizer.Encoding, n int) int {
	for n < len(e.Words) && e.Words[n] == e.Words[n-1] {
		n++
	}
	return min(n, len(e.Ids))
}

// pairLengths shares a budget between two texts of a and b tokens as Hugging
// Face's "longest first" does; of an odd budget that both exceed, the longer
// (or the second of equals) gets the one more.
func pairLengths(a, b, budget int) (int, int) {
	if a > b {
		b, a = pairLengths(b, a, budget)
		return a, b
	}
	switch {
	case a+b <= budget:
		return a, b
	case a <= budget/2:
		return a, budget - a
	}
	return budget / 2, budget - budget/2
}

// encode runs the stages up to the special tokens. With budget >= 0 it may stop
// early, once it has that many tokens or more.
func (t *Tokenizer) encode(text string, budget int) *tokenizer.Encoding {
	if budget == 0 || text == "" {
		return tokenizer.DefaultEncoding()
	}
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	whole := normalizer.NewNormalizedString(text, text, nil, nil, 0)
	pre := PreTokenizer{added: t.added, limit: max(budget, 0)} // each piece gives a token or more
	pieces, err := pre.PreTokenize(tokenizer.NewPreTokenizedStringFromNS(whole))
	if err == nil {
		pieces, err = pieces.Tokenize(func(word *normalizer.NormalizedString) ([]tokenizer.Token, error) {
			return t.model.Tokenize(word.GetNormalized())
		})
	}
	var e *tokenizer.Encoding
	if err == nil {
		e, err = pieces.IntoEncoding(0, -1, tokenizer.Byte)
	}
	if err != nil {
		panic(fmt.Sprintf("text: no stage of the tokenizer has an error to give: %v", err))
	}
	return e
}

// cut shortens an encoding to n tokens.
func cut(e *tokenizer.Encoding, n int) {
	if n >= len(e.Ids) {
		return
	}
	e.Ids, e.TypeIds, e.Tokens, e.Offsets = e.Ids[:n], e.TypeIds[:n], e.Tokens[:n], e.Offsets[:n]
	e.Words, e.SpecialTokenMask, e.AttentionMask = e.Words[:n], e.SpecialTokenMask[:n], e.AttentionMask[:n]
}

func ids32(e *tokenizer.Encoding) []int32 {
	ids := make([]int32, len(e.Ids))
	for i, id := range e.Ids {
		ids[i] = int32(id)
	}
	return ids
}

// Tokens gives the tokens of ids as the vocabulary spells them (the blank as
// Ġ); an id outside the vocabulary gives "".
func (t *Tokenizer) Tokens(ids []int32) []string {
	tokens := make([]string, len(ids))
	for i, id := range ids {
		tokens[i], _ = t.model.IdToToken(int(id))
	}
	return tokens
}

// ID gives the id of a token as the vocabulary spells it.
func (t *Tokenizer) ID(token string) (id int32, ok bool) {
	id, ok = t.model.ids[token]
	return id, ok
}

// Decode gives the text of ids. Special tokens and ids outside the vocabulary
// are left out; bytes that are not UTF-8, as where an encoding was cut within a
// character, become U+FFFD.
func (t *Tokenizer) Decode(ids []int32) string {
	var raw []byte
	for _, id := range ids {
		token, _ := t.model.IdToToken(int(id))
		if added, ok := t.added.byText[token]; ok {
			if !added.Special {
				raw = append(raw, token...)
			}
			continue
		}
		raw, _, _ = appendRaw(raw, token)
	}
	return strings.ToValidUTF8(string(raw), string(utf8.RuneError))
}
