package model_test

import "math"

// A head64 is the head of a model in plain float64: from the two projected
// vectors through the fusion to the loss, f = GELU(W·z + b), logits = C·f + c,
// with z = [v;t] or [v;t;v∘t]. It is written independently of the engine.
type head64 struct {
	product bool
	v, t    [][]float64 // [B D]
	targets []int32

	w, b   []float64 // fusion [D len(z)], [D]
	cw, cb []float64 // classifier [classes D], [classes]
}

// A pass64 is what a forward and backward pass gives; gradients are of the mean loss.
type pass64 struct {
	loss          float64
	logits, fused [][]float64
	dv, dt        [][]float64
	dw, db        []float64
	dcw, dcb      []float64
}

// erf-form GELU and its derivative Φ(x) + x·φ(x).
func gelu64(x float64) (y, dy float64) {
	phi := 0.5 * (1 + math.Erf(x/math.Sqrt2))
	return x * phi, phi + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
}

func (h *head64) input(i int) []float64 {
	z := append(append([]float64{}, h.v[i]...), h.t[i]...)
	if h.product {
		for k, v := range h.v[i] {
			z = append(z, v*h.t[i][k])
		}
	}
	return z
}

// affine returns w·x + b.
func affine(w, x, b []float64) []float64 {
	y := append([]float64{}, b...)
	for o := range y {
		for k, v := range x {
			y[o] += w[o*len(x)+k] * v
		}
	}
	return y
}

// run computes the loss, and its gradients by the chain rule, example by example.
func (h *head64) run() pass64 {
	p := pass64{dw: make([]float64, len(h.w)), db: make([]float64, len(h.b)), dcw: make([]float64, len(h.cw)), dcb: make([]float64, len(h.cb))}
	n := float64(len(h.v))
	for i := range h.v {
		z := h.input(i)
		a := affine(h.w, z, h.b)
		f, slope := make([]float64, len(a)), make([]float64, len(a))
		for o, x := range a {
			f[o], slope[o] = gelu64(x)
		}
		logits := affine(h.cw, f, h.cb)
		loss, dlogits := crossEntropy64(logits, int(h.targets[i]))
		p.loss += loss / n

		df := make([]float64, len(f))
		for c, d := range dlogits {
			d /= n
			p.dcb[c] += d
			for o := range f {
				p.dcw[c*len(f)+o] += d * f[o]
				df[o] += d * h.cw[c*len(f)+o]
			}
		}
		dz := make([]float64, len(z))
		for o := range f {
			d := df[o] * slope[o]
			p.db[o] += d
			for k := range z {
				p.dw[o*len(z)+k] += d * z[k]
				dz[k] += d * h.w[o*len(z)+k]
			}
		}
		d := len(h.v[i])
		dv, dt := dz[:d:d], dz[d:2*d:2*d]
		if h.product {
			for k, g := range dz[2*d:] {
				dv[k] += g * h.t[i][k]
				dt[k] += g * h.v[i][k]
			}
		}
		p.logits, p.fused = append(p.logits, logits), append(p.fused, f)
		p.dv, p.dt = append(p.dv, dv), append(p.dt, dt)
	}
	return p
}

// crossEntropy64 returns −log softmax(x)[y] and its gradient.
func crossEntropy64(x []float64, y int) (loss float64, dx []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, v)
	}
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	for c, v := range x {
		p := math.Exp(v-top) / sum
		if c == y {
			loss = -math.Log(p)
			p--
		}
		dx = append(dx, p)
	}
	return loss, dx
}

// trajectory trains fusion and classifier with Adam at 1e-3 while v and t stay,
// and returns the loss before each step and after the last.
func (h *head64) trajectory(steps int) []float64 {
	weights := [][]float64{h.w, h.b, h.cw, h.cb}
	var m, v [4][]float64
	for i, w := range weights {
		m[i], v[i] = make([]float64, len(w)), make([]float64, len(w))
	}
	losses := []float64{h.run().loss}
	for step := 1; step <= steps; step++ {
		p := h.run()
		for i, g := range [][]float64{p.dw, p.db, p.dcw, p.dcb} {
			for j := range g {
				m[i][j] = 0.9*m[i][j] + 0.1*g[j]
				v[i][j] = 0.999*v[i][j] + 0.001*g[j]*g[j]
				mean, square := m[i][j]/(1-math.Pow(0.9, float64(step))), v[i][j]/(1-math.Pow(0.999, float64(step)))
				weights[i][j] -= 1e-3 * mean / (math.Sqrt(square) + 1e-8)
			}
		}
		losses = append(losses, h.run().loss)
	}
	return losses
}
