// Package checkpoint reads and writes models on disk: safetensors, config.json
// and the folder or zip that holds them. It also reads state dicts that PyTorch
// saved.
//
// A [File] is an opened checkpoint: its list of tensors is read and checked
// whole, its tensors are read one at a time or in parts, from where they lie.
// [WriteSafetensors] writes one, also without holding more than one tensor in
// memory.
//
//	f, err := checkpoint.OpenFile("model.safetensors") // or weights.pth
//	w, err := f.Float32("fc.weight", nil)
//
// A [Model] is a Hugging Face style folder (config.json, model.safetensors, the
// tokenizer's files, README.md) or a zip of one, opened from a path, from
// embedded files or from memory. It is an [fs.FS], so other readers take it as
// they take a folder.
//
//	m, err := checkpoint.OpenModel("flowers.zip")
//	w, err := m.Weights()
//
// [WriteModel] writes such a folder or zip. Whatever happens while it does, the
// path holds either what it held before or the whole new model, and it refuses
// to replace anything that is not a model. A [Pair] promises the same where
// files cannot be renamed.
//
// Every reader treats its input as hostile: sizes and counts are checked before
// anything is allocated, and a refusal says what is wrong and where.
//
// # How to add one
//
// A data type of safetensors is one line in the table of dtype.go, in the
// reference implementation's order, and a case in tensors.go if it can be read
// as float32 or int64. A name that a state dict may contain is a line in pickle.go,
// with what makes plain data of it. A new kind of file in a model folder is a name in
// modelFiles (replace.go), so that a folder with it still counts as a model.
package checkpoint
