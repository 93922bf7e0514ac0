//go:build !js

package gpu_test

import (
	"testing"
	"time"

	"duet/gpu/gputest"
	"duet/shaders"
)

// TestKernelsCompile builds every kernel with the native library's compiler,
// naga, at WebGPU's default limits.
func TestKernelsCompile(t *testing.T) {
	d := gputest.OpenDefault(t)
	all := shaders.All()
	if len(all) == 0 {
		t.Fatal("shaders.All lists no kernels")
	}
	begun := time.Now()
	for _, k := range all {
		if err := d.Prepare([]shaders.Kernel{k}); err != nil {
			t.Error(err)
		}
		if n := len(k.Storage()); n > d.Info().Limits.StorageBuffers {
			t.Errorf("kernel %s binds %d storage buffers", k.Name, n)
		}
	}
	t.Logf("%d kernels in %v", len(all), time.Since(begun))
}
