package shaders

import "math"

// A CrossEntropyShape describes PyTorch's cross_entropy over logits [Rows Classes].
type CrossEntropyShape struct {
	Rows, Classes int
	Smoothing     float32 // label smoothing ε
	IgnoreIndex   int     // index targets with this value do not count (PyTorch's default is −100)
	Soft          bool    // targets are distributions [Rows Classes] (float32), else classes [Rows] (int32)
	Weighted      bool    // with class weights [Classes]
}

// CrossEntropySplits returns over how many invocations the scan of a row
// should be spread: 1 unless there are many classes and few rows.
func CrossEntropySplits(s CrossEntropyShape) int {
	const want = 8 * wantTiles
	return max(1, min(s.Classes/256, want/max(s.Rows, 1)))
}

func (s CrossEntropyShape) flags() []string {
	return []string{when(s.Soft, "SOFT"), when(s.Weighted, "WEIGHTED"), when(s.Soft || s.Smoothing != 0, "SPREAD")}
}

func (s CrossEntropyShape) params(splits int) []uint32 {
	return params(s.Rows, s.Classes, splits, uint32(int32(s.IgnoreIndex)), s.Smoothing)
}

// share is the twin of share in shared/crossentropy_row.wgsl.
func (s CrossEntropyShape) share(targets, weight []float32, row, k int) float64 {
	t := float64(s.Smoothing) / float64(s.Classes)
	if s.Soft {
		t += (1 - float64(s.Smoothing)) * float64(targets[row*s.Classes+k])
	}
	if s.Weighted {
		t *= float64(weight[k])
	}
	return t
}

// scan is the twin of scan in shared/crossentropy_row.wgsl.
func (s CrossEntropyShape) scan(logits, targets, weight []float32, row, first, step int) (p [4]float64) {
	x := logits[row*s.Classes : (row+1)*s.Classes]
	top := -math.MaxFloat32
	for k := first; k < len(x); k += step {
		top = max(top, float64(x[k]))
	}
	p[0] = top
	for k := first; k < len(x); k += step {
		d := float64(x[k]) - top
		p[1] += math.Exp(d)
		if s.Soft || s.Smoothing != 0 {
			t := s.share(targets, weight, row, k)
			p[2] += t * d
			p[3] += t
		}
	}
	return p
}

// fromParams returns the shape that a dispatch of this variant has.
func (s CrossEntropyShape) fromParams(rows, classes, ignore, smoothing uint32) CrossEntropyShape {
	s.Rows, s.Classes = int(rows), int(classes)
	s.IgnoreIndex, s.Smoothing = int(int32(ignore)), math.Float32frombits(smoothing)
	return s
}

// CrossEntropyPartial scans each row by splits invocations, the first pass of
// [CrossEntropy] where [CrossEntropySplits] is above 1.
// Arguments: logits, [targets, if soft], [weight], partials [Rows splits 4].
func CrossEntropyPartial(s CrossEntropyShape, splits int) Launch {
	bindings := []string{"logits", when(s.Soft, "targets"), when(s.Weighted, "weight"), "partials"}
	k := variant("crossentropy_partial", 1, s.flags(), bindings, nil, func(c Call) {
		s := s.fromParams(c.Params[0], c.Params[1], c.Params[3], c.Params[4])
		b := taker{c: c}
		logits, targets, weight, partials := b.f(), b.ifF(s.Soft), b.ifF(s.Weighted), b.f()
		splits := c.U(2)
		for i := range s.Rows * splits {
			for j, v := range s.scan(logits, targets, weight, i/splits, i%splits, splits) {
				partials[4*i+j] = float32(v)
			}
		}
	})
	return Launch{Kernel: k, Groups: Spread(ceilDiv(s.Rows*splits, 64)), Params: s.params(splits), Flops: 8 * float64(s.Rows) * float64(s.Classes)}
}

// CrossEntropy computes each row's loss; [MeanLoss] then gives the mean. weights
// are what each row counts in it (0 where ignored), saved serves the gradient.
// A target that names no class counts as ignored. With splits above 1 it
// reads what [CrossEntropyPartial] wrote.
// Arguments: logits, targets, [weight], [partials], losses [Rows], weights
// [Rows], saved [Rows 2].
func CrossEntropy(s CrossEntropyShape, splits int) Launch {
	split := splits > 1
	flags := append(s.flags(), when(split, "SPLIT"))
	bindings := []string{"logits", "targets", when(s.Weighted, "weight"), when(split, "partials"), "losses", "weights", "saved"}
	k := variant("crossentropy", 1, flags, bindings, nil, func(c Call) { s.twin(c, split) })
	flops := float64(s.Rows) * 8
	if !split {
		flops *= float64(s.Classes)
	}
	return Launch{Kernel: k, Groups: Spread(ceilDiv(s.Rows, 64)), Params: s.params(splits), Flops: flops}
}

func (s CrossEntropyShape) twin(c Call, split bool) {
	s = s.fromParams(c.Params[0], c.Params[1], c.Params[3], c.Params[4])
	b := taker{c: c}
	logits, targets, weight := b.f(), b.words(), b.ifF(s.Weighted)
	partials, losses, weights, saved := b.ifF(split), b.f(), b.f(), b.f()
	for row := range s.Rows {
		var p [4]float64
		if split {
			p = mergePartials(partials[4*row*c.U(2) : 4*(row+1)*c.U(2)])
		} else {
			p = s.scan(logits, targets.F(), weight, row, 0, 1)
		}
		logSum := math.Log(p[1])
		loss, total, rowWeight := 0.0, p[3], 1.0
		if s.Soft || s.Smoothing != 0 {
			loss = p[3]*logSum - p[2]
		}
		if !s.Soft {
			y := int(targets.I()[row])
			if s.ignored(y) {
				loss, total, rowWeight = 0, 0, 0
			} else {
				if s.Weighted {
					rowWeight = float64(weight[y])
				}
				t := (1 - float64(s.Smoothing)) * rowWeight
				loss += t * (logSum - (float64(logits[row*s.Classes+y]) - p[0]))
				total += t
			}
		}
		losses[row], weights[row] = float32(loss), float32(rowWeight)
		saved[2*row], saved[2*row+1] = float32(p[0]), float32(total/p[1])
	}
}

func (s CrossEntropyShape) ignored(y int) bool { return y == s.IgnoreIndex || y < 0 || y >= s.Classes }

// mergePartials folds the partial scans of a row.
func mergePartials(parts []float32) (p [4]float64) {
	p[0] = math.Inf(-1)
	for i := 0; i < len(parts); i += 4 {
		p[0] = max(p[0], float64(parts[i]))
	}
	for i := 0; i < len(parts); i += 4 {
		d := float64(parts[i]) - p[0]
		p[1] += float64(parts[i+1]) * math.Exp(d)
		p[2] += float64(parts[i+2]) + float64(parts[i+3])*d
		p[3] += float64(parts[i+3])
	}
	return p
}

// MeanLoss divides the sum of rows' losses by that of their weights, the
// normaliser; both sums are 0 where no row counts, and then so is the loss.
// Arguments: losses [rows], weights [rows], loss [1], normaliser [1].
func MeanLoss(rows int) Launch {
	k := load("meanloss", "meanloss", nil, nil, func(c Call) {
		losses, weights := c.Buffers[0].F(), c.Buffers[1].F()
		sum, total := 0.0, 0.0
		for i := range c.U(0) {
			sum += float64(losses[i])
			total += float64(weights[i])
		}
		loss := 0.0
		if total != 0 {
			loss = sum / total
		}
		c.Buffers[2].F()[0], c.Buffers[3].F()[0] = float32(loss), float32(total)
	})
	return Launch{Kernel: k, Groups: Spread(1), Params: params(rows), Flops: 2 * float64(rows)}
}

// CrossEntropyGrad computes the gradient of the logits from that of the mean.
// Arguments: dloss [1], saved [Rows 2], normaliser [1], logits, targets,
// [weight], dlogits [Rows Classes].
func CrossEntropyGrad(s CrossEntropyShape) Launch {
	width := widthOf(s.Classes)
	bindings := []string{"dloss", "saved", "normaliser", "logits", "targets", when(s.Weighted, "weight"), "dlogits"}
	constants := map[string]string{"U": "u32"}
	if width == 4 {
		constants["U"] = "vec4<u32>"
	}
	flags := []string{when(s.Soft, "SOFT"), when(s.Weighted, "WEIGHTED")}
	k := variant("crossentropy_grad", width, flags, bindings, constants, func(c Call) {
		s := s.fromParams(c.Params[0], c.Params[2], c.Params[3], c.Params[4])
		b := taker{c: c}
		dloss, saved, normaliser, logits, targets := b.f(), b.f(), b.f(), b.f(), b.words()
		weight, dlogits := b.ifF(s.Weighted), b.f()
		g := 0.0
		if normaliser[0] != 0 {
			g = float64(dloss[0]) / float64(normaliser[0])
		}
		for i := range s.Rows * s.Classes {
			row, column := i/s.Classes, i%s.Classes
			t := s.share(targets.F(), weight, row, column)
			if !s.Soft {
				y := int(targets.I()[row])
				if s.ignored(y) {
					dlogits[i] = 0
					continue
				}
				if y == column {
					own := 1 - float64(s.Smoothing)
					if s.Weighted {
						own *= float64(weight[column])
					}
					t += own
				}
			}
			e := math.Exp(float64(logits[i]) - float64(saved[2*row]))
			dlogits[i] = float32(g * (e*float64(saved[2*row+1]) - t))
		}
	})
	columns := s.Classes / width
	return Launch{Kernel: k, Groups: Spread(ceilDiv(s.Rows*columns, 64)),
		Params: params(s.Rows, columns, s.Classes, uint32(int32(s.IgnoreIndex)), s.Smoothing), Flops: 6 * float64(s.Rows) * float64(s.Classes)}
}

func crossEntropyVariants() []Kernel {
	out := []Kernel{MeanLoss(1).Kernel}
	for _, s := range []CrossEntropyShape{{}, {Weighted: true}, {Smoothing: 0.1}, {Smoothing: 0.1, Weighted: true}, {Soft: true}, {Soft: true, Weighted: true}} {
		for _, classes := range []int{3, 4} {
			s.Rows, s.Classes = 1, classes
			out = append(out, CrossEntropy(s, 1).Kernel, CrossEntropy(s, 2).Kernel, CrossEntropyPartial(s, 2).Kernel, CrossEntropyGrad(s).Kernel)
		}
	}
	return out
}
