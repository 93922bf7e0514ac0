package shaders_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duet/shaders"
	"duet/wasm/tint"
)

// Tint, the browser's compiler, accepts every kernel under WebGPU's default limits.
func TestKernelsCompileWithTint(t *testing.T) {
	sources := map[string]string{}
	for _, k := range shaders.All() {
		name := k.Name
		for i := 2; sources[name] != "" && sources[name] != k.Source; i++ {
			name = fmt.Sprintf("%s (%d)", k.Name, i)
		}
		sources[name] = k.Source
	}
	t.Logf("%d kernels", len(sources))
	tint.Test(t, sources)
}

func TestKernelsFollowTheConventions(t *testing.T) {
	for _, k := range shaders.All() {
		if k.Reference == nil {
			t.Errorf("%s has no twin", k.Name)
		}
		if n := len(k.Storage()); n > 8 {
			t.Errorf("%s binds %d storage buffers, more than WebGPU's default of 8", k.Name, n)
		}
		if n := k.Workgroup[0] * k.Workgroup[1] * k.Workgroup[2]; n > 256 {
			t.Errorf("%s has workgroups of %d, more than WebGPU's default of 256", k.Name, n)
		}
		if last := k.Bindings[len(k.Bindings)-1]; k.HasParams() && (last.Access != shaders.Uniform || last.Name != "P") {
			t.Errorf("%s: its last binding is %s, want the uniform P", k.Name, last.Name)
		}
		// Workgroup memory is for GPUs: CPU adapters pay for barriers.
		for _, banned := range []string{"workgroupBarrier", "var<workgroup>", "storageBarrier", "atomic", "override"} {
			if strings.Contains(k.Source, banned) && !((strings.Contains(k.Name, "staged") || strings.Contains(k.Name, "+group")) && strings.Contains(banned, "orkgroup")) {
				t.Errorf("%s uses %s", k.Name, banned)
			}
		}
	}
}

// TestAllIsAll checks that every WGSL file is part of a kernel that All lists,
// or of a file that is.
func TestAllIsAll(t *testing.T) {
	var kernels, files strings.Builder
	for _, k := range shaders.All() {
		kernels.WriteString(k.Source)
	}
	names, err := filepath.Glob("*.wgsl")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files.Write(source)
		longest := "" // without directives: its own
		for line := range strings.Lines(string(source)) {
			if line = strings.TrimSpace(line); len(line) > len(longest) && !strings.ContainsAny(line, "#{$") {
				longest = line
			}
		}
		if longest == "" || !strings.Contains(kernels.String(), longest) {
			t.Errorf("All holds no kernel with %q of %s", longest, name)
		}
	}
	names, err = filepath.Glob("shared/*.wgsl")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d shared files, %v", len(names), err)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files.Write(source)
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".wgsl")
		if !strings.Contains(files.String(), fmt.Sprintf("#import %q", name)) && !strings.Contains(files.String(), fmt.Sprintf("#paste %q", name)) {
			t.Errorf("no file imports or pastes %s", name)
		}
	}
}
