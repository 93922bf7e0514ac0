package gpu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"

	"duet/shaders"
)

// SelfTest runs a few representative kernels on a backend and on the CPU twins
// and returns an error that names the first kernel whose results are wrong:
// some drivers miscompile shaders. It takes a fraction of a second; run it once
// per adapter, before trusting it.
func SelfTest(ctx context.Context, b Backend) error {
	p := selfTestProgram(b.Info().Target)
	r := rand.New(rand.NewPCG(1, 2)) // the test is the same every time
	inputs := map[string][]byte{}
	for _, spec := range p.Buffers {
		if spec.Kind == External {
			values := make([]float32, spec.Words)
			for i := range values {
				values[i] = 2*r.Float32() - 1
			}
			inputs[spec.Name] = Floats(values)
		}
	}
	if d, ok := b.(*Device); ok { // all at once: browsers compile in parallel
		var kernels []shaders.Kernel
		for _, x := range p.Dispatch {
			kernels = append(kernels, x.Kernel)
		}
		if err := d.Prepare(kernels); err != nil {
			return fmt.Errorf("gpu: self-test: %w", err)
		}
	}
	// Adapters may contract multiply-add and round exp their own way.
	tolerance := func(string) (float64, float64) { return 1e-4, 1e-6 }
	c, err := Diff(ctx, p, NewReference(), b, DiffOptions{Inputs: inputs, Tolerance: tolerance})
	if err != nil {
		return fmt.Errorf("gpu: self-test of %s: %w", b.Info().Name, err)
	}
	if d := c.First(); d != nil {
		return fmt.Errorf("gpu: self-test: %s computes wrong results (the CPU comes first): %v; update its driver or choose another adapter with %s",
			b.Info().Name, d, AdapterVariable)
	}
	return nil
}

// selfTest is SelfTest, which goes over to the kernels for CPUs where those for
// GPUs compute wrong results: some drivers do badly with workgroup memory alone.
func selfTest(ctx context.Context, b Backend, choose func(shaders.Target)) error {
	err := SelfTest(ctx, b)
	if err == nil || b.Info().Target != shaders.GPU || os.Getenv(KernelsVariable) != "" || ctx.Err() != nil {
		return err
	}
	choose(shaders.CPU)
	if SelfTest(ctx, b) != nil {
		return err // of the kernels that suit the adapter
	}
	return nil
}

// selfTestProgram is a small network: a convolution, a linear layer and a
// gradient of it, an activation, a normalisation. Their variants are those that
// models use most: what is compiled here need not be compiled again.
func selfTestProgram(target shaders.Target) *Program {
	p := &Program{Name: "self-test"}
	conv := shaders.Conv2DShape{Images: 2, IH: 9, IW: 7, IC: 4, OH: 5, OW: 4, OC: 12, KH: 3, KW: 3, SY: 2, SX: 2, PY: 1, PX: 1, DY: 1, DX: 1, Target: target}
	pixels := conv.Images * conv.OH * conv.OW
	x := p.External("x", conv.Images*conv.IH*conv.IW*conv.IC)
	w := p.External("w", conv.OC*conv.KH*conv.KW*conv.IC)
	y := p.Temp("y", pixels*conv.OC)
	p.Add("convolution", shaders.Conv2D(conv, shaders.Epilogue{Bias: true, Act: "relu"}), x, w, p.External("shift", conv.OC), y)

	linear := shaders.MatmulShape{M: pixels, N: 20, K: conv.OC, TB: true, Target: target, Epilogue: shaders.Epilogue{Bias: true, Act: "gelu"}}
	z := p.Temp("z", pixels*linear.N)
	p.Add("linear layer", shaders.Matmul(linear), y, p.External("weight", linear.N*linear.K), p.External("bias", linear.N), z)

	gradient := shaders.MatmulShape{M: linear.N, N: conv.OC, K: pixels, TA: true, Target: target}
	p.Add("weight gradient", shaders.Matmul(gradient), z, y, p.Temp("dw", linear.N*conv.OC))
	p.Add("activation", shaders.Unary("tanh", pixels*linear.N), z, p.Temp("tanh", pixels*linear.N))

	norm := shaders.LayerNormShape{Rows: pixels, D: linear.N, Eps: 1e-5, Target: target}
	p.Add("normalisation", shaders.LayerNorm(norm), z, p.External("gamma", norm.D), p.External("beta", norm.D),
		p.Temp("normal", pixels*norm.D), p.Temp("mean", pixels), p.Temp("rstd", pixels))
	if target == shaders.GPU { // what has most to do with workgroup memory: wide tiles, attention
		wide := shaders.MatmulShape{M: 832, N: 832, K: 4, TB: true, Target: target}
		p.Add("wide product", shaders.Matmul(wide), p.External("rows", wide.M*wide.K), p.External("columns", wide.N*wide.K), p.Temp("product", wide.M*wide.N))
		attention := shaders.AttentionShape{B: 1, H: 1, HKV: 1, TQ: pixels, TK: pixels, HeadDim: linear.N, Scale: 0.2, Target: target}
		p.Add("attention", shaders.Attention(attention), z, z, z, p.Temp("attended", pixels*linear.N), p.Temp("lse", pixels))
	}
	return p
}
