package tint

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"duet/wasm/node"
)

const scale = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= arrayLength(&x)) { return; }
  y[id.x] = 2.0 * x[id.x];
}`

// shader returns a kernel with the given declarations, workgroup size and body.
func shader(declarations, workgroup, body string) string {
	return fmt.Sprintf(`
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
%s
@compute @workgroup_size(%s)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  %s
}`, declarations, workgroup, body)
}

// buffers returns n-1 more storage buffers and a body that reads each.
func buffers(n int) string {
	var declarations, body strings.Builder
	for i := 1; i < n; i++ {
		fmt.Fprintf(&declarations, "@group(0) @binding(%d) var<storage, read> b%d: array<f32>;\n", i, i)
		fmt.Fprintf(&body, "out[id.x] += b%d[id.x];\n", i)
	}
	return shader(declarations.String(), "64", body.String())
}

func TestCheck(t *testing.T) {
	Test(t, map[string]string{"scale": scale})
	tests := []struct {
		name, source string
		want         string // part of the message; empty: accepted
	}{
		{"plain kernel", scale, ""},
		{"eight storage buffers", buffers(8), ""},
		{"16 KiB of workgroup memory", shader("var<workgroup> w: array<f32, 4096>;", "64", "w[id.x % 64u] = 1.0; out[id.x] = w[0];"), ""},
		{"256 invocations", shader("", "16, 16", "out[id.x] = 1.0;"), ""},

		{"syntax error", shader("", "64", "out[id.x] = ;"), "syntax error:6:15: error: "},
		{"barrier after a return that is not uniform",
			shader("", "64", "if (id.x > 3u) { return; }\n workgroupBarrier();\n out[id.x] = 1.0;"), "must only be called from uniform control flow"},
		{"constant index out of range", shader("var<workgroup> w: array<f32, 4>;", "4", "out[id.x] = w[4];"), "index 4 out of bounds"},
		{"nine storage buffers", buffers(9), "number of storage buffers (9)"},
		{"more than 16 KiB of workgroup memory", shader("var<workgroup> w: array<f32, 4097>;", "64", "w[id.x % 64u] = 1.0; out[id.x] = w[0];"), "workgroup storage"},
		{"more than 256 invocations", shader("", "16, 17", "out[id.x] = 1.0;"), "workgroup invocations (272)"},
		{"no entry point", "fn helper() {}", "entry point"},
		{"two entry points", scale + strings.NewReplacer("main", "other", "@group(0) @binding(0) var<storage, read> x: array<f32>;", "",
			"@group(0) @binding(1) var<storage, read_write> y: array<f32>;", "").Replace(scale), "entry point"},
		{"f16 without the feature", "enable f16;\n" + scale, "f16"},
		{"an undeclared name", shader("", "64", "out[id.x] = nowhere;"), "nowhere"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Check(map[string]string{test.name: test.source})
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && err == nil:
				t.Error("accepted")
			case test.want != "" && !strings.Contains(err.Error(), test.want):
				t.Errorf("error lacks %q: %v", test.want, err)
			}
		})
	}
}

func TestCheckNamesEveryFault(t *testing.T) {
	Test(t, map[string]string{"scale": scale})
	err := Check(map[string]string{"good": scale, "first": "fn f( {}", "second": buffers(9)})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"first:1:7: error: ", "second:0:0: error: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good:") {
		t.Errorf("error blames a sound kernel: %v", err)
	}
}

func TestCheckOfNothing(t *testing.T) {
	Test(t, map[string]string{"scale": scale})
	if err := Check(nil); err != nil {
		t.Error(err)
	}
}

func TestUnavailable(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := Check(map[string]string{"scale": scale}); !errors.Is(err, node.ErrUnavailable) {
		t.Errorf("without node: %v, want ErrUnavailable", err)
	}
	t.Chdir(t.TempDir())
	if err := Check(map[string]string{"scale": scale}); err == nil {
		t.Error("outside the module: accepted")
	}
}
