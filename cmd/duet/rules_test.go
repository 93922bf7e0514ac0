//go:build !js

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms gives, for each top-level folder, the folders of this module that its
// packages may import (itself apart). ARCHITECTURE.md says why.
var rooms = map[string][]string{
	"shaders": {},
	"assets":  {},
	"gpu":     {"shaders"},
	"model":   {"gpu", "shaders", "assets"},
	"app":     {"model", "gpu", "shaders", "assets"},
	"wasm":    {},
	"cmd":     {"app", "model", "gpu", "shaders", "assets", "wasm"},
}

// guests gives the folders that may import a module, tests included.
var guests = []struct {
	module string
	rooms  []string
	why    string
}{
	{"github.com/cogentcore/webgpu", []string{"gpu"}, "the WebGPU binding has bugs that gpu works around; everything else uses gpu.Backend"},
	{"gioui.org", []string{"app", "cmd"}, "the engine must run without a window: in a worker, on the command line, in tests"},
	{"github.com/chromedp", []string{"wasm"}, "only tests drive a browser, through wasm/browser"},
}

// A listed package, as go list prints it.
type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// forTests reports whether the package serves tests: it imports testing.
func (p listed) forTests() bool { return slices.Contains(p.Imports, "testing") }

// room is the top-level folder of a package of this module, or empty.
func room(importPath string) string {
	inside, ok := strings.CutPrefix(importPath, "duet/")
	if !ok {
		return ""
	}
	folder, _, _ := strings.Cut(inside, "/")
	return folder
}

// listPackages lists every package of the module as built for the platform.
func listPackages(t *testing.T, goos, goarch string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "duet/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=1")
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, output)
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestRulesOfImports(t *testing.T) {
	for _, platform := range [][2]string{{"linux", "amd64"}, {"windows", "amd64"}, {"darwin", "arm64"}, {"js", "wasm"}} {
		t.Run(platform[0], func(t *testing.T) {
			packages := listPackages(t, platform[0], platform[1])
			if len(packages) < 5 {
				t.Fatalf("go list found %d packages", len(packages))
			}
			var forTests []string
			for _, p := range packages {
				if p.forTests() {
					forTests = append(forTests, p.ImportPath)
				}
			}
			for _, p := range packages {
				for _, complaint := range broken(p, forTests) {
					t.Error(complaint)
				}
			}
		})
	}
}

// broken tells which rules a package breaks. The packages of forTests serve
// tests: they may import what tests may, and nothing that ships may use them.
func broken(p listed, forTests []string) (complaints []string) {
	here := room(p.ImportPath)
	allowed, known := rooms[here]
	if !known {
		return []string{p.ImportPath + " is in a folder that the rules do not know: packages live in app gpu shaders model assets wasm cmd"}
	}
	for _, imported := range p.Imports {
		if p.forTests() {
			break
		}
		if there := room(imported); there != "" && there != here && !slices.Contains(allowed, there) {
			complaints = append(complaints, p.ImportPath+" imports "+imported+", but "+here+" may import only "+
				strings.Join(append([]string{"the standard library", "modules"}, allowed...), ", ")+" (ARCHITECTURE.md, rooms)")
		}
	}
	for _, guest := range guests {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if within(imported, guest.module) && !slices.Contains(guest.rooms, here) {
				complaints = append(complaints, p.ImportPath+" imports "+imported+", but only "+
					strings.Join(guest.rooms, " and ")+" may: "+guest.why)
			}
		}
	}
	// What is imported may not bring along what is forbidden.
	for _, dependency := range p.Deps {
		if within(dependency, "gioui.org") && slices.Contains([]string{"shaders", "assets", "gpu", "model"}, here) ||
			within(dependency, "github.com/cogentcore/webgpu") && slices.Contains([]string{"shaders", "assets"}, here) {
			complaints = append(complaints, p.ImportPath+" depends on "+dependency+" through something it imports (go list -deps shows the way)")
		}
		if p.ImportPath == "duet/cmd/tab" && slices.Contains([]string{"duet/app", "duet/gpu", "duet/model", "net/http"}, dependency) {
			complaints = append(complaints, "the window in the tab depends on "+dependency+", which its engine's worker has already: what the engine tells is in duet/model/report")
		}
		if p.ImportPath == "duet/cmd/duet" && slices.Contains(forTests, dependency) {
			complaints = append(complaints, "the program depends on "+dependency+", which imports testing: it is for tests only")
		}
	}
	return complaints
}

func within(importPath, module string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// TestRulesAreHeld proves that each rule can be broken.
func TestRulesAreHeld(t *testing.T) {
	tests := []struct {
		name string
		p    listed
		want string
	}{
		{"kernels know no executor", listed{ImportPath: "duet/shaders", Imports: []string{"duet/gpu"}}, "shaders may import only"},
		{"assets are a leaf", listed{ImportPath: "duet/assets", Imports: []string{"duet/model/text"}}, "assets may import only"},
		{"gpu knows no model", listed{ImportPath: "duet/gpu", Imports: []string{"duet/model/graph"}}, "gpu may import only"},
		{"model and the binding", listed{ImportPath: "duet/model/train", Imports: []string{"github.com/cogentcore/webgpu/wgpu"}}, "only gpu may"},
		{"a test and the binding", listed{ImportPath: "duet/shaders", XTestImports: []string{"github.com/cogentcore/webgpu/wgpu"}}, "only gpu may"},
		{"model and the window", listed{ImportPath: "duet/model", Deps: []string{"gioui.org/app"}}, "depends on gioui.org/app"},
		{"an unknown folder", listed{ImportPath: "duet/internal/x"}, "do not know"},
		{"a test may reach further", listed{ImportPath: "duet/shaders", XTestImports: []string{"duet/wasm/tint"}}, ""},
		{"the program and a test's help", listed{ImportPath: "duet/cmd/duet", Deps: []string{"duet/wasm/browser"}}, "for tests only"},
		{"the tab's window carries no engine", listed{ImportPath: "duet/cmd/tab", Deps: []string{"duet/model/report", "duet/gpu"}}, "has already"},
		{"the tab's window", listed{ImportPath: "duet/cmd/tab", Deps: []string{"duet/model/report", "duet/app/ui"}}, ""},
		{"a test's help may reach further", listed{ImportPath: "duet/gpu/gputest/tab", Imports: []string{"duet/wasm", "testing"}}, ""},
		{"model on gpu", listed{ImportPath: "duet/model/train", Imports: []string{"duet/gpu", "duet/model/graph", "fmt"}, Deps: []string{"github.com/cogentcore/webgpu/wgpu"}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(broken(test.p, []string{"duet/wasm/browser"}), "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRulesOfPackageLock(t *testing.T) {
	for _, file := range trackedFiles(t) {
		if filepath.Base(file) != "package-lock.json" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(`"resolved"`)) {
			t.Errorf("%s holds download addresses, which tie it to one registry: wasm/.npmrc leaves them out, so run npm there", file)
		}
	}
}

// machinePath matches an absolute path of somebody's machine at the beginning
// of a word. (The parentheses keep it from matching itself.)
var machinePath = regexp.MustCompile(`(?m)(^|[\s"'=(,:\x60])/((work|root)/|(home|Users)/[a-z]|tmp/[a-z])`)

func TestRulesOfPaths(t *testing.T) {
	for _, file := range trackedFiles(t) {
		content, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		if at := machinePath.FindIndex(content); at != nil && !binary(content) {
			line := 1 + bytes.Count(content[:at[1]], []byte("\n"))
			t.Errorf("%s:%d holds a path of one machine (%s): other machines have none such", file, line, bytes.TrimSpace(content[at[0]:at[1]]))
		}
	}
	for text, want := range map[string]bool{
		"see /" + "work/main": true, `"/` + `root/go"`: true, "cd /" + "home/ada": true, "x=/" + "tmp/x": true,
		"a/work/b": false, "/workgroup": false, "net/http": false,
	} {
		if machinePath.MatchString(text) != want {
			t.Errorf("%q: matched %v", text, !want)
		}
	}
}

// binary reports whether content is not text, by git's own rule.
func binary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0
}

// root is the repository's root, seen from this package.
var root = filepath.Join("..", "..")

// trackedFiles lists what git tracks. Outside a checkout, as in a source
// archive, it skips the test; in CI that is a failure.
func trackedFiles(t *testing.T) []string {
	t.Helper()
	output, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("not a git checkout: ", err)
	}
	if err != nil {
		t.Fatal("git ls-files: ", err)
	}
	return strings.FieldsFunc(string(output), func(r rune) bool { return r == 0 })
}
