package shaders

// BatchNormGradPartial sums what dγ and dβ need over chunks of rows.
// Arguments: x [Rows C], mean [C], then
//   - without ReLU: dy, parts;
//   - ReLU: rstd, γ, β, dy, parts (the mask follows from x);
//   - ReLU and Residual: dy, y, dr, parts: the mask follows from the output y,
//     and dr [Rows C] receives the masked gradient, which is the residual's and
//     the dy of BatchNormGrad.
//
// Frozen takes the running mean and variance in place of mean and rstd.
func BatchNormGradPartial(s BatchNormShape) Launch {
	width, maskX, maskY := widthOf(s.C), s.maskX(), s.maskY()
	flags := []string{when(s.Frozen && maskX, "FROZEN"), when(maskX, "MASK_X"), when(maskY, "MASK_Y")}
	bindings := []string{"x", "mean", when(maskX, "spread"), when(maskX, "gamma"), when(maskX, "beta"),
		"dy", when(maskY, "y"), when(maskY, "dr"), "parts"}
	k := variant("batchnorm_grad_partial", width, flags, bindings, nil, func(c Call) {
		s := s.of(c, width)
		t := taker{c: c}
		x, mean, spread, gamma, beta := t.f(), t.f(), t.ifF(maskX), t.ifF(maskX), t.ifF(maskX)
		dy, y, dr, parts := t.f(), t.ifF(maskY), t.ifF(maskY), t.f()
		chunks, _ := s.chunks()
		for k := range chunks {
			begin, end := s.chunk(k)
			for ch := range s.C {
				sum, product := 0.0, 0.0
				for i := begin*s.C + ch; i < end*s.C; i += s.C {
					g := float64(dy[i])
					if maskX && s.normalized(i, x, mean, spread, gamma, beta) <= 0 || maskY && y[i] <= 0 {
						g = 0
					}
					if maskY {
						dr[i] = float32(g)
					}
					sum += g
					product += g * (float64(x[i]) - float64(mean[ch]))
				}
				parts[k*s.C+ch] = float32(sum)
				parts[(chunks+k)*s.C+ch] = float32(product)
			}
		}
	})
	chunks, _ := s.chunks()
	return s.launch(k, chunks, 4)
}

// BatchNormGradSums finishes dγ and dβ and prepares BatchNormGrad. Arguments:
// parts, mean [C], rstd [C] (Frozen: the running mean and variance), γ [C],
// β [C], dγ [C], dβ [C], and unless Frozen coefficients (CoefficientWords).
func BatchNormGradSums(s BatchNormShape) Launch {
	width := widthOf(s.C)
	bindings := []string{"parts", "mean", "spread", "gamma", "beta", "dgamma", "dbeta", when(!s.Frozen, "coef")}
	k := variant("batchnorm_grad_sums", width, []string{when(s.Frozen, "FROZEN")}, bindings, nil, func(c Call) {
		s := s.of(c, width)
		t := taker{c: c}
		parts, mean, spread, gamma, beta := t.f(), t.f(), t.f(), t.f(), t.f()
		dgamma, dbeta, coef := t.f(), t.f(), t.ifF(!s.Frozen)
		chunks, _ := s.chunks()
		for ch := range s.C {
			sum, product := 0.0, 0.0
			for k := range chunks {
				sum += float64(parts[k*s.C+ch])
				product += float64(parts[(chunks+k)*s.C+ch])
			}
			rstd := s.rstd(spread[ch])
			dgamma[ch], dbeta[ch] = float32(product*rstd), float32(sum)
			if s.Frozen {
				continue
			}
			scale, m := float64(gamma[ch])*rstd, float64(s.Rows)
			for i, v := range []float64{float64(mean[ch]), scale, float64(beta[ch]), -scale * rstd * rstd * product / m, -scale * sum / m} {
				coef[i*s.C+ch] = float32(v)
			}
		}
	})
	l := s.launch(k, 1, 0)
	l.Flops = float64(s.PartialWords())
	return l
}

// BatchNormGrad computes dx. Arguments:
//   - batch statistics: x [Rows C], coefficients, dy [Rows C], dx [Rows C];
//   - Frozen: running variance [C], γ [C], dy, dx;
//   - Frozen with ReLU and no Residual: x, running mean [C], running variance,
//     γ, β, dy, dx.
//
// With ReLU and Residual, dy is the dr of BatchNormGradPartial, masked already.
func BatchNormGrad(s BatchNormShape) Launch {
	width, maskX, frozen := widthOf(s.C), s.maskX(), s.Frozen
	flags := []string{when(frozen, "FROZEN"), when(maskX, "MASK_X")}
	bindings := []string{when(!frozen || maskX, "x"), when(!frozen, "coef"), when(frozen && maskX, "mean"), when(frozen, "spread"),
		when(frozen, "gamma"), when(frozen && maskX, "beta"), "dy", "dx"}
	k := variant("batchnorm_grad", width, flags, bindings, nil, func(c Call) {
		s := s.of(c, width)
		t := taker{c: c}
		x, coef, mean, spread := t.ifF(!frozen || maskX), t.ifF(!frozen), t.ifF(frozen && maskX), t.ifF(frozen)
		gamma, beta, dy, dx := t.ifF(frozen), t.ifF(frozen && maskX), t.f(), t.f()
		for i := range s.Rows * s.C {
			ch, g := i%s.C, float64(dy[i])
			if frozen {
				if maskX && s.normalized(i, x, mean, spread, gamma, beta) <= 0 {
					g = 0
				}
				dx[i] = float32(float64(gamma[ch]) * s.rstd(spread[ch]) * g)
				continue
			}
			k := func(row int) float64 { return float64(coef[row*s.C+ch]) }
			d := float64(x[i]) - k(0)
			if maskX && d*k(1)+k(2) <= 0 {
				g = 0
			}
			dx[i] = float32(k(1)*g + k(3)*d + k(4))
		}
	})
	return s.launch(k, s.elementwise(), 6)
}

// batchNormVariants lists the kernels of batch normalisation.
func batchNormVariants() []Kernel {
	var list []Kernel
	for _, c := range []int{4, 3} {
		for bits := range 8 {
			s := BatchNormShape{Rows: 1, C: c, ReLU: bits&1 != 0, Residual: bits&2 != 0, Frozen: bits&4 != 0}
			list = append(list, BatchNorm(s).Kernel, BatchNormGradPartial(s).Kernel, BatchNormGradSums(s).Kernel, BatchNormGrad(s).Kernel)
			s.Momentum = float32(bits & 1)
			list = append(list, BatchNormPartial(s).Kernel, BatchNormStatistics(s).Kernel)
		}
	}
	return list
}
