// Package text turns words into token ids: an exact byte-level BPE tokenizer
// with RoBERTa's conventions, its trainer, its files, and text cleaning.
//
// A [Tokenizer] is loaded from a model folder ([Load]) or trained on texts
// ([Train]); both encode, decode and save the same way:
//
//	t, err := text.Load(os.DirFS("model"))
//	ids := t.Encode("A dog runs.", 64) // <s> … </s>, at most 64 ids
//
// The stages are those of github.com/sugarme/tokenizer: a [PreTokenizer] splits
// the text at special tokens and then by GPT-2's pattern, a [Model] merges the
// bytes of each word by rank, and that module's RobertaProcessing adds <s> and
// </s>. Our own two stages replace the module's because version 0.3.0 drops
// special tokens written in the text, merges ties in the wrong order, and
// mishandles runs of blanks; its trainer is not deterministic. We hand it
// strings without its per-byte alignments, which are the larger part of its
// cost and not needed where nothing is normalised, and cut to length ourselves,
// because it cuts pairs wrongly.
//
// The tokenizer changes nothing in a text but invalid UTF-8, which becomes
// U+FFFD: no normalisation, no lower case, no added blank. [Cleaning] is a
// separate, explicit step for those who train from scratch.
//
// # Conventions
//
// A vocabulary spells each byte as one printable character (GPT-2's alphabet:
// the blank is Ġ). The special tokens are <s>, <pad>, </s>, <unk> and <mask>;
// written in a text they are recognised as such, and <mask> absorbs the blanks
// before it, as in Hugging Face's library. A pair is <s> A </s></s> B </s>.
//
// # How to add a cleaning step
//
// Add a bool with its JSON name to [Cleaning], apply it in [Cleaning.Apply] at
// the place its comment argues for, and add cases to the table in
// clean_test.go. The zero value must stay "off": it is recorded in
// config.json and older models lack the new name.
package text
