// Package nn holds the layers of Duet's models. A layer is a struct of
// parameters with a Forward method over graph tensors; there is no Module
// interface. A [Param] is named by the key it has in a checkpoint, and a
// [Params] lists all parameters of a model, lays them out in memory and
// initialises them as torchvision and Hugging Face do.
//
// To add a layer: a struct with its *Param fields, a constructor that takes the
// Params and the key prefix, and Forward.
package nn
