package shaders

// AttentionGradStats prepares the gradient. Arguments: o [B TQ H Dv],
// lse [B H TQ], do [B TQ H Dv], [lengths [B] uint32], stats (StatsWords: lse,
// Σ do∘o, number of keys).
func AttentionGradStats(s AttentionShape) Launch {
	s.defaults()
	flags := []string{when(s.Lengths, "LENGTHS")}
	bindings := []string{"o", "lse", "do", when(s.Lengths, "lengths"), "stats"}
	l := s.launch("attention_grad_stats", s.TQ, s.H, 0, flags, bindings, nil, func(a attentionTwin) {
		o, lse, grad := a.f(), a.f(), a.f()
		keys, stats := a.keys(a.lengths()), a.f()
		a.queries(func(b, h, t, row int) {
			at := a.o(b, h, t)
			stats[row], stats[a.rows()+row] = lse[row], float32(dot(o[at:], grad[at:], a.ValueDim))
		})
		for b := range a.B {
			stats[2*a.rows()+b] = float32(keys(b))
		}
	})
	l.Groups, l.Flops = Spread(ceilDiv(s.rows(), 64)), 2*float64(s.rows()*s.ValueDim)
	return l
}

// AttentionGradQ computes dq. Arguments: q, k, v, do [B TQ H Dv], stats,
// [mask [B|1 H|1 TQ TK]], dq.
func AttentionGradQ(s AttentionShape) Launch {
	s.defaults()
	bindings := []string{"q", "k", "v", "do", "stats", when(s.Mask, "mask"), "dq"}
	flops := float64(4*s.HeadDim + 2*s.ValueDim)
	constants := map[string]string{"ROWS": "q", "COLUMNS": "k", "ROWS_V": "grad", "COLUMNS_V": "v"}
	return s.launch("attention_grad_q", s.TQ, s.H, flops, []string{when(s.Mask, "MASK")}, bindings, constants, func(a attentionTwin) {
		q, k, v, grad, stats, mask, dq := a.f(), a.f(), a.f(), a.f(), a.f(), a.ifF(a.Mask), a.f()
		sums := make([]float64, len(dq))
		at := func(b, h, t int) int { return a.DQ.head(b*a.TQ+t, h, a.HeadDim) }
		a.weights(q, k, v, grad, stats, mask, func(b, h, t, j int, _, ds float64) {
			for i := range a.HeadDim {
				sums[at(b, h, t)+i] += ds * float64(a.Scale) * float64(k[a.k(b, h, j)+i])
			}
		})
		a.queries(func(b, h, t, _ int) { narrow(dq, sums, at(b, h, t), a.HeadDim) })
	})
}

// AttentionGradKV computes dk and dv. Arguments: q, k, v, do [B TQ H Dv], stats,
// [mask [B|1 H|1 TQ TK]], dk, dv, or with PackedKV one buffer for both.
func AttentionGradKV(s AttentionShape) Launch {
	s.defaults()
	flags := []string{when(s.Mask, "MASK"), when(s.PackedKV, "PACKED")}
	bindings := []string{"q", "k", "v", "do", "stats", when(s.Mask, "mask"), "dk", when(!s.PackedKV, "dv")}
	flops := float64(4*s.HeadDim + 4*s.ValueDim)
	constants := map[string]string{"ROWS": "k", "COLUMNS": "q", "ROWS_V": "v", "COLUMNS_V": "grad", "DV_OUT": "dv"}
	if s.PackedKV {
		constants["DV_OUT"] = "dk"
	}
	return s.launch("attention_grad_kv", s.TK, s.HKV, flops, flags, bindings, constants, func(a attentionTwin) {
		q, k, v, grad, stats, mask, dk := a.f(), a.f(), a.f(), a.f(), a.f(), a.ifF(a.Mask), a.f()
		dv := dk
		if !a.PackedKV {
			dv = a.f()
		}
		sumK, sumV := make([]float64, len(dk)), make([]float64, len(dv))
		atK := func(b, kv, j int) int { return a.DK.head(b*a.TK+j, kv, a.HeadDim) }
		atV := func(b, kv, j int) int { return a.DV.head(b*a.TK+j, kv, a.ValueDim) }
		a.weights(q, k, v, grad, stats, mask, func(b, h, t, j int, p, ds float64) {
			kv := h * a.HKV / a.H
			for i := range a.HeadDim {
				sumK[atK(b, kv, j)+i] += ds * float64(a.Scale) * float64(q[a.q(b, h, t)+i])
			}
			for i := range a.ValueDim {
				sumV[atV(b, kv, j)+i] += p * float64(grad[a.o(b, h, t)+i])
			}
		})
		for i := range a.B * a.HKV * a.TK {
			b, kv, j := i/(a.HKV*a.TK), i/a.TK%a.HKV, i%a.TK
			narrow(dk, sumK, atK(b, kv, j), a.HeadDim)
			narrow(dv, sumV, atV(b, kv, j), a.ValueDim)
		}
	})
}

// narrow stores n sums from element at on.
func narrow(out []float32, sums []float64, at, n int) {
	for i := at; i < at+n; i++ {
		out[i] = float32(sums[i])
	}
}

// attentionVariants lists the kernels of attention.
func attentionVariants() []Kernel {
	var list []Kernel
	for _, d := range []int{4, 3} {
		for _, b := range []int{64, 8, 4, 1} { // tiles of 8, 4, 2 and 1
			for bits := range 4 {
				s := AttentionShape{B: b, H: 2, HKV: 2, TQ: 16, TK: 16, HeadDim: d, Lengths: bits&1 != 0, Mask: bits&2 != 0, PackedKV: bits&1 != 0}
				list = append(list, Attention(s).Kernel, AttentionGradQ(s).Kernel, AttentionGradKV(s).Kernel)
				if s.Target = GPU; b == 1 && d == 4 {
					s.HeadDim = 64
					list = append(list, Attention(s).Kernel, AttentionGradQ(s).Kernel, AttentionGradKV(s).Kernel)
				}
			}
		}
		s := AttentionShape{B: 1, H: 1, HKV: 1, TQ: 1, TK: 1, HeadDim: d}
		list = append(list, AttentionGradStats(s).Kernel)
		s.Lengths = true
		list = append(list, AttentionGradStats(s).Kernel)
	}
	return list
}
