package shaders

import "slices"

// All returns representative variants of every kernel, for tests that compile
// them: each file, flag, function and width at least once.
func All() []Kernel {
	return slices.Concat(
		adamVariants(),
		argMaxVariants(),
		attentionVariants(),
		averagePool2DVariants(),
		batchNormVariants(),
		bceVariants(),
		binaryVariants(),
		castVariants(),
		conv2DVariants(),
		crossEntropyVariants(),
		dropoutVariants(),
		embeddingVariants(),
		fillVariants(),
		fusionVariants(),
		l2NormalizeVariants(),
		layerNormVariants(),
		matmulVariants(),
		maxPool2DVariants(),
		meanPoolVariants(),
		probeVariants(),
		recordVariants(),
		reduceVariants(),
		softmaxVariants(),
		stridedVariants(),
		unaryVariants(),
	)
}
