package shaders

import "strings"

// A MatmulShape describes C[z] = act(op(A[z]) · op(B[z]) · scale + bias + residual),
// with op(A) [M K], op(B) [K N] and C [M N]. Zero strides get their dense
// values, except ZA and ZB when Z > 1: there zero means that the operand is
// shared by all z.
type MatmulShape struct {
	M, N, K    int
	TA, TB     bool // A is stored [K M], B is stored [N K]
	LDA        int  // row strides in elements
	LDB        int
	LDC        int
	Z          int // batch, at least 1
	ZA, ZB, ZC int // strides from one z to the next
	OA, OB, OC int // offsets of the first element
	B          Format
	Target     Target
	Epilogue
}

func (s *MatmulShape) defaults() {
	pick := func(p *int, transposed bool, rows, cols int) {
		if *p == 0 {
			*p = cols
			if transposed {
				*p = rows
			}
		}
	}
	pick(&s.LDA, s.TA, s.M, s.K)
	pick(&s.LDB, s.TB, s.K, s.N)
	pick(&s.LDC, false, s.M, s.N)
	s.Z = max(s.Z, 1)
	if s.ZC == 0 {
		s.ZC = s.M * s.LDC
	}
}

// vec4 says whether every row of every operand starts on a multiple of four
// elements, so that no load or store of the kernel straddles one.
func (s *MatmulShape) vec4() bool {
	if s.TA && s.TB {
		return false
	}
	a, b := s.K, s.N
	if s.TA {
		a = s.M
	}
	if s.TB {
		b = s.K
	}
	return multiplesOf4(a, b, s.N, s.LDA, s.LDB, s.LDC, s.ZA, s.ZB, s.ZC, s.OA, s.OB, s.OC)
}

// Matmul multiplies matrices. Arguments: a, b, [scale [N]], [bias [N]],
// [residual, laid out as c], c.
func Matmul(s MatmulShape) Launch {
	s.defaults()
	return s.launch(false, s.Z, s.K)
}

// MatmulSplit computes C = op(A)·op(B) (Z = 1, no epilogue) as partial sums
// over ranges of K, for shapes with few tiles and a long K; the partials
// [splits M N] are added by [SplitSum]. Arguments: a, b, partials.
func MatmulSplit(s MatmulShape, splits int) Launch {
	s.defaults()
	if s.Z != 1 || s.Epilogue != (Epilogue{}) {
		panic("shaders: MatmulSplit takes neither a batch nor an epilogue")
	}
	step := ceilDiv(ceilDiv(s.K, splits), 4) * 4
	if s.staged() {
		step = ceilDiv(ceilDiv(s.K, splits), 32) * 32
	}
	s.LDC, s.OC, s.ZC = s.N, 0, s.M*s.N
	return s.launch(true, splits, step)
}

// Splits returns in how many ranges of K a product should be split so that an
// adapter has enough invocations: 1 where the tiles suffice.
func (s MatmulShape) Splits() int {
	s.defaults()
	if s.Z > 1 {
		return 1
	}
	if s.staged() {
		_, splits, _ := cut(s.M, s.N, s.K)
		return splits
	}
	if s.Epilogue != (Epilogue{}) {
		return 1 // a second pass over the results costs a CPU more
	}
	tiles := ceilDiv(s.M, 8) * ceilDiv(s.N, 8)
	return max(1, min(s.K/64, wantTiles/tiles))
}

func (s *MatmulShape) staged() bool { return s.Target == GPU && s.vec4() }

// wantTiles is the number of invocations below which splitting K pays. A CPU
// adapter needs few; a GPU is busy with some thousands.
const wantTiles = 2048

func (s MatmulShape) launch(split bool, z, step int) Launch {
	var flags []string
	for _, f := range []struct {
		on   bool
		name string
	}{{s.TA, "TA"}, {s.TB, "TB"}, {split, "SPLIT"}} {
		if f.on {
			flags = append(flags, f.name)
		}
	}
	wide, edge, tiles := 0, 8, 64 // an invocation's tile, and how many a workgroup has
	if s.staged() {
		if wide, _, _ = cut(s.M, s.N, s.K); s.Z > 1 {
			wide = side(s.M, s.N, s.Z)
		}
		edge, tiles = wide, 1
	}
	k := tileKernel("matmul", wide, s.B, s.Epilogue, s.vec4(), flags, func(c Call) { matmulTwin(c, s.TA, s.TB, s.B, split, s.Epilogue) })
	tm, tn := ceilDiv(s.M, edge), ceilDiv(s.N, edge)
	return Launch{
		Kernel: k,
		Groups: Spread(ceilDiv(tm*tn*z, tiles)),
		Params: params(s.M, s.N, s.K, s.LDA, s.LDB, s.LDC, s.ZA, s.ZB, s.ZC, s.OA, s.OB, s.OC, tm, tn, tm*tn*z, step),
		Flops:  2 * float64(s.M) * float64(s.N) * float64(s.K) * float64(s.Z),
	}
}

func matmulTwin(c Call, ta, tb bool, format Format, split bool, e Epilogue) {
	m, n, k := c.U(0), c.U(1), c.U(2)
	lda, ldb, ldc := c.U(3), c.U(4), c.U(5)
	za, zb, zc := c.U(6), c.U(7), c.U(8)
	oa, ob, oc := c.U(9), c.U(10), c.U(11)
	step := c.U(15)
	a, b := c.Buffers[0].F(), format.unscaled(c.Buffers[1])
	out, finish := epilogueTwin(c, 2, e)
	row := make([]float64, n)
	for z := range c.U(14) / (c.U(12) * c.U(13)) {
		begin, end := 0, k
		ka, kb := oa+z*za, ob+z*zb
		if split {
			begin, end = z*step, min((z+1)*step, k)
			ka, kb = oa, ob
		}
		for i := range m {
			clear(row)
			for p := begin; p < end; p++ {
				x := ka + i*lda + p
				if ta {
					x = ka + p*lda + i
				}
				if tb {
					for j := range row {
						row[j] += float64(a[x]) * float64(b[kb+j*ldb+p])
					}
				} else {
					for j := range row {
						row[j] += float64(a[x]) * float64(b[kb+p*ldb+j])
					}
				}
			}
			for j, sum := range row {
				o := oc + z*zc + i*ldc + j
				out[o] = finish(o, j, sum)
			}
		}
	}
}

// SplitSum adds the partial results [splits rows columns] of a split kernel and
// finishes them. Arguments: partials, [scale [columns]], [bias [columns]],
// [residual], y [rows columns].
func SplitSum(splits, rows, columns int, e Epilogue) Launch {
	width := widthOf(columns)
	if e == (Epilogue{}) {
		width = widthOf(rows * columns)
	}
	k := variant("splitsum", width, []string{when(e.Scale, "SCALE"), when(e.Bias, "BIAS"), when(e.Residual, "RESIDUAL"), when(e.act() != "identity", strings.ToUpper(e.act()))},
		[]string{"x", when(e.Scale, "scale"), when(e.Bias, "bias"), when(e.Residual, "residual"), "y"}, map[string]string{"ACT": e.act()}, splitSumTwin(width, e))
	n := rows * columns
	return Launch{Kernel: k, Groups: Spread(ceilDiv(n/width, 64)), Params: params(n/width, splits, max(columns/width, 1)), Flops: float64(splits) * float64(n)}
}

func splitSumTwin(width int, e Epilogue) func(Call) {
	return func(c Call) {
		x := c.Buffers[0].F()
		y, finish := epilogueTwin(c, 1, e)
		n, columns := width*c.U(0), width*c.U(2)
		for i := range n {
			sum := 0.0
			for s := range c.U(1) {
				sum += float64(x[s*n+i])
			}
			y[i] = finish(i, i%columns, sum)
		}
	}
}
