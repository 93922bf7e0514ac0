package conform

import (
	"slices"

	"duet/model/graph"
)

// A window is the geometry of a convolution or of pooling, by spatial
// dimension; the lists are of one length.
type window struct {
	kernel, stride, before, behind, dilation []int
	ceil                                     bool
}

// onnxWindow reads the attributes that ONNX's windowed operators share, for an
// input of the given spatial size.
func (n *node) onnxWindow(kernel, size []int) window {
	rank := len(size)
	if len(kernel) != rank {
		mismatch("%s with kernel %v over %d dimensions", n.Op, kernel, rank)
	}
	pads := n.list("pads", 2*rank, 0)
	w := window{kernel: kernel, stride: n.list("strides", rank, 1), dilation: n.list("dilations", rank, 1),
		before: pads[:rank], behind: pads[rank:], ceil: n.attrs.bool("ceil_mode")}
	switch mode := n.attrs.string("auto_pad", "NOTSET"); mode {
	case "NOTSET":
	case "VALID":
		w.before, w.behind = make([]int, rank), make([]int, rank)
	case "SAME_UPPER", "SAME_LOWER":
		w.before, w.behind = make([]int, rank), make([]int, rank)
		for i, d := range size {
			out := (d + w.stride[i] - 1) / w.stride[i]
			pad := max(0, (out-1)*w.stride[i]+w.dilation[i]*(kernel[i]-1)+1-d)
			w.before[i], w.behind[i] = pad/2, pad-pad/2
			if mode == "SAME_LOWER" {
				w.before[i], w.behind[i] = w.behind[i], w.before[i]
			}
		}
	default:
		mismatch("auto_pad %s", mode)
	}
	return w
}

// list returns a list attribute of n integers, all of them otherwise where it
// is left out.
func (n *node) list(name string, length, otherwise int) []int {
	v := n.attrs.ints(name)
	if v == nil {
		v = make([]int, length)
		for i := range v {
			v[i] = otherwise
		}
	}
	if len(v) != length {
		mismatch("%s with %s %v, want %d numbers", n.Op, name, v, length)
	}
	return v
}

// pairs returns the attributes of a window over two dimensions.
func (w window) pairs() (kernel, stride, before, behind, dilation [2]int) {
	return [2]int(w.kernel), [2]int(w.stride), [2]int(w.before), [2]int(w.behind), [2]int(w.dilation)
}

// dims returns the window over dimensions from to to.
func (w window) dims(from, to int) window {
	return window{w.kernel[from:to], w.stride[from:to], w.before[from:to], w.behind[from:to], w.dilation[from:to], w.ceil}
}

// after returns the window with a dimension of size one that it leaves alone.
func (w window) after() window {
	and := func(list []int, v int) []int { return append(slices.Clone(list), v) }
	return window{and(w.kernel, 1), and(w.stride, 1), and(w.before, 0), and(w.behind, 0), and(w.dilation, 1), w.ceil}
}

// convolve convolves x [N S… C] with f [O K… C], channels last, over one to
// three spatial dimensions.
func convolve(x, f graph.Tensor, w window) graph.Tensor {
	xs, fs := x.Shape(), f.Shape()
	switch len(w.kernel) {
	case 1:
		y := convolve(x.Reshape(xs[0], xs[1], 1, xs[2]), f.Reshape(fs[0], fs[1], 1, fs[2]), w.after())
		return y.Reshape(xs[0], y.Dim(1), fs[0])
	case 2:
		_, stride, before, behind, dilation := w.pairs()
		return x.Conv2DWith(f, stride, before, behind, dilation)
	case 3:
		return convolve3(x, f, w)
	}
	unsupported("convolution over %d dimensions", len(w.kernel))
	return graph.Tensor{}
}

// convolve3 adds up the convolutions of the planes that each plane of the
// kernel meets.
func convolve3(x, f graph.Tensor, w window) graph.Tensor {
	xs, fs := x.Shape(), f.Shape()
	padded := x
	for i, pad := range []int{w.before[0], w.behind[0]} {
		if pad > 0 {
			zeros := x.Graph().Constant(0, xs[0], pad, xs[2], xs[3], xs[4])
			parts := [2]graph.Tensor{padded, zeros}
			padded = x.Graph().Concat(1, parts[1-i], parts[i])
		}
	}
	depth := (padded.Dim(1)-w.dilation[0]*(fs[1]-1)-1)/w.stride[0] + 1
	if depth < 1 {
		mismatch("kernel %v over %v", w.kernel, xs)
	}
	var sum graph.Tensor
	for k := range fs[1] {
		planes := padded.SliceStep([]int{0, k * w.dilation[0], 0, 0, 0},
			[]int{xs[0], depth, xs[2], xs[3], xs[4]}, []int{1, w.stride[0], 1, 1, 1})
		y := convolve(planes.Reshape(-1, xs[2], xs[3], xs[4]), f.Select(1, k), w.dims(1, 3))
		if k == 0 {
			sum = y
		} else {
			sum = sum.Add(y)
		}
	}
	return sum.Reshape(xs[0], depth, sum.Dim(1), sum.Dim(2), fs[0])
}

// A pooling2D pools [N H W C].
type pooling2D func(x graph.Tensor, w window) graph.Tensor

func maxPool2D(x graph.Tensor, w window) graph.Tensor {
	kernel, stride, before, behind, dilation := w.pairs()
	return x.MaxPoolWith(kernel, stride, before, behind, dilation, w.ceil)
}

func averagePool2D(includePad bool) pooling2D {
	return func(x graph.Tensor, w window) graph.Tensor {
		kernel, stride, before, behind, dilation := w.pairs()
		return x.AveragePool(kernel, stride, before, behind, dilation, w.ceil, includePad)
	}
}

// pool pools x [N S… C], channels last, over one to three spatial dimensions. A
// maximum, and a mean over a box, can be taken one dimension after the other.
func pool(x graph.Tensor, w window, f pooling2D) graph.Tensor {
	s := x.Shape()
	switch len(w.kernel) {
	case 1:
		y := f(x.Reshape(s[0], s[1], 1, s[2]), w.after())
		return y.Reshape(s[0], y.Dim(1), s[2])
	case 2:
		return f(x, w)
	case 3:
		y := f(x.Reshape(s[0]*s[1], s[2], s[3], s[4]), w.dims(1, 3))
		h, v := y.Dim(1), y.Dim(2)
		y = f(y.Reshape(s[0], s[1], h*v, s[4]), w.dims(0, 1).after())
		return y.Reshape(s[0], y.Dim(1), h, v, s[4])
	}
	unsupported("pooling over %d dimensions", len(w.kernel))
	return graph.Tensor{}
}

// webNNWindow reads the options that WebNN's convolutions and pools share.
// Padding is [top bottom left right].
func (n *node) webNNWindow(kernel []int) window {
	padding := n.list("padding", 4, 0)
	return window{kernel: kernel, stride: n.list("strides", 2, 1), dilation: n.list("dilations", 2, 1),
		before: []int{padding[0], padding[2]}, behind: []int{padding[1], padding[3]}}
}
