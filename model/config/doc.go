// Package config is a model's config.json: its architecture, its classes, how
// pictures and texts are prepared for it, and how it is trained. A [Config] is
// plain data; [Config.Shape] and [Config.Input] give what the model and its
// training need.
//
//	c, err := config.Read(files, "config.json") // a model's
//	c, err := config.Named("small")             // a named configuration
//
// Fields that Hugging Face's libraries have bear their names (hidden_size,
// id2label, …). [Config.Validate] bounds every size before anything is
// allocated for it; Read and Named return nothing that does not pass it.
// [Check] judges any config.json, also that of a RoBERTa alone.
//
// # How to add one
//
// A field: add it with its JSON name, such that zero means what older files
// mean, check its range in validate.go, and add a case to validate_test.go. A
// named configuration: a JSON file here and its name in the embed pattern.
package config
