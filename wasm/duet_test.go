//go:build !js

package wasm_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// all returns what the first group of a pattern matches, sorted, once each.
func all(pattern, text string) []string {
	var list []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// part returns what lies between begin and the next end.
func part(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, begin)
	inside, _, ok2 := strings.Cut(after, end)
	if !ok || !ok2 {
		t.Fatalf("nothing between %q and %q", begin, end)
	}
	return inside
}

func read(t *testing.T, paths ...string) string {
	t.Helper()
	var all strings.Builder
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// lacks tells which of want are not in got.
func lacks(t *testing.T, where string, want, got []string) {
	t.Helper()
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s lacks %s", where, name)
		}
	}
}

// TestInterface compares what window.duet has with its types and its page of
// documentation.
func TestInterface(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("node is not installed (make deps)")
	}
	// A window that is not secure starts no engine.
	output, err := exec.Command(node, "--input-type=module", "-e",
		`globalThis.window = globalThis; const module = await import('./duet.js'); await duet.ready.catch(() => {}); console.log(JSON.stringify([Object.keys(duet), Object.keys(module)]));`).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var has [2][]string // window.duet and the module
	if err := json.Unmarshal(output, &has); err != nil {
		t.Fatal(err)
	}
	types, page := read(t, "duet.d.ts"), read(t, "duet.html")
	typed := all(`(?m)^  (?:readonly )?(\w+)[(:]`, part(t, types, "export interface Duet {", "\n}"))
	told := all(`<dt><code>(\w+)(?:\(.*\))?</code></dt>`, page)
	if len(has[0]) < 12 {
		t.Errorf("window.duet has %v", has[0])
	}
	lacks(t, "duet.d.ts", has[0], typed)
	lacks(t, "duet.html", has[0], told)
	lacks(t, "window.duet", typed, has[0])
	lacks(t, "window.duet", told, has[0])
	exports := all(`(?m)^export (?:default |class |function )(\w+)`, types)
	lacks(t, "the module", slices.DeleteFunc(exports, func(s string) bool { return s == "duet" }), has[1])
	lacks(t, "duet.d.ts", slices.DeleteFunc(has[1], func(s string) bool { return s == "default" }), exports)
}

// TestInterfaceDetails compares the codes of errors and the options of a
// training with those of the engine.
func TestInterfaceDetails(t *testing.T) {
	sources, err := filepath.Glob("../cmd/duet/*_js.go")
	if err != nil {
		t.Fatal(err)
	}
	engine := read(t, sources...)
	types, page := read(t, "duet.d.ts"), read(t, "duet.html")
	used := append(all(`(?:fail\(|Code(?:: | = ))"([\w-]+)"`, engine), all(`code: '([\w-]+)'`, read(t, "duet.js"))...)
	typed := all(`\| '([\w-]+)'`, part(t, types, "export type DuetErrorCode =", ";"))
	told := all(`<code>([\w-]+)</code>`, page[strings.Index(page, "Codes of errors"):])
	lacks(t, "duet.d.ts", used, typed)
	lacks(t, "duet.html", used, told)
	lacks(t, "the engine", typed, used)

	options := all(`json:"(\w+)"`, part(t, engine, "type trainOptions struct", "\n}")+part(t, engine, "type dataOptions struct", "\n}"))
	typed = all(`(?m)^  (\w+)\?:`, part(t, types, "export interface TrainOptions", "\n}")+part(t, types, "export interface DataOptions", "\n}"))
	typed = slices.DeleteFunc(typed, func(s string) bool { return s == "signal" || s == "job" || s == "note" }) // duet.js takes them out
	lacks(t, "duet.d.ts", options, typed)
	lacks(t, "the engine", typed, options)
	lacks(t, "duet.html", options, all(`<code>(\w+)(?:: true)?</code>`, page))
}
