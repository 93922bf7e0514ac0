// Package train fine-tunes a model: a [Step] is one compiled training step
// (forward, backward, Adam), [Job] is the loop over epochs with validation,
// checkpoints and events, and [Evaluator] measures a model on a split.
//
// The same adapter, seed and data give the same losses to the bit, also across
// an interruption: a checkpoint holds weights, both moments of Adam, running
// statistics and the position in the epoch, and the order of examples, their
// augmentation and dropout are functions of seed, epoch and step alone.
package train
