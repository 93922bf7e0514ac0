//go:build !js

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// A source is a package as go list prints it.
type source struct {
	ImportPath, Dir   string
	GoFiles, CgoFiles []string
	ImportMap         map[string]string // where it is not what is written
}

// TestRulesOfPlatforms checks the types of the whole program as built for systems
// that the tests do not run on. It needs no C compiler for them: what is in C, and
// what Go calls there, is not looked at.
func TestRulesOfPlatforms(t *testing.T) {
	for _, platform := range [][2]string{{"windows", "amd64"}, {"darwin", "arm64"}} {
		t.Run(platform[0], func(t *testing.T) {
			sources := listSources(t, platform[0], platform[1])
			if len(sources) < 200 {
				t.Fatalf("go list found %d packages", len(sources))
			}
			for _, err := range checkTypes(sources, platform[1]) {
				t.Error(err)
			}
		})
	}
}

// listSources lists the program's packages as built for a platform, each after
// what it imports.
func listSources(t *testing.T, goos, goarch string) (all []source) {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,ImportMap", "duet/cmd/duet")
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=1")
	output, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, output)
	}
	for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
		var s source
		if err := decoder.Decode(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// checkTypes tells what is wrong in this module's packages. Of others only what
// they export is looked at.
func checkTypes(all []source, goarch string) (wrong []error) {
	known := map[string]*types.Package{"unsafe": types.Unsafe}
	fset := token.NewFileSet()
	for _, s := range all {
		if s.ImportPath == "unsafe" {
			continue
		}
		ours := room(s.ImportPath) != ""
		var files []*ast.File
		for _, name := range slices.Concat(s.GoFiles, s.CgoFiles) {
			f, err := parser.ParseFile(fset, filepath.Join(s.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				wrong = append(wrong, err)
			}
			files = append(files, f)
		}
		config := types.Config{FakeImportC: true, IgnoreFuncBodies: !ours, Sizes: types.SizesFor("gc", goarch),
			Importer: imports{s.ImportMap, known},
			Error: func(err error) {
				if ours && !ofC.MatchString(err.Error()) {
					wrong = append(wrong, err)
				}
			}}
		known[s.ImportPath], _ = config.Check(s.ImportPath, fset, files, nil)
	}
	return wrong
}

// ofC matches what is only wrong because C is not looked at: a type of C's is
// invalid, and a package's own C, which cgo lets be, is declared twice.
var ofC = regexp.MustCompile(`invalid type|C already declared|other declaration of C$`)

// imports gives a package what it imports.
type imports struct {
	renamed map[string]string
	known   map[string]*types.Package
}

func (i imports) Import(path string) (*types.Package, error) {
	if renamed, ok := i.renamed[path]; ok {
		path = renamed
	}
	if p := i.known[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("no package %s", path)
}

// TestPlatformsAreChecked proves that a mistake for one platform is found.
func TestPlatformsAreChecked(t *testing.T) {
	dir := t.TempDir()
	text := "package p\n\nimport \"C\"\n\nfunc f() int { C.anything(); return \"\" }\n"
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong := checkTypes([]source{{ImportPath: "duet/p", Dir: dir, CgoFiles: []string{"p.go"}}}, "amd64"); len(wrong) != 1 {
		t.Errorf("found %v", wrong)
	}
}
