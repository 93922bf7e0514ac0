//go:build !js

package app

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/assets"
	"duet/model/data"
	"duet/model/shared"
)

// hostile returns the folder of malformed files, or skips.
func hostile(t testing.TB) string {
	t.Helper()
	return shared.Path(t, "fixtures", "hostile")
}

type hostileCase struct {
	file, kind string
	allowed    []string
}

func hostileCases(t testing.TB, dir string) (cases []hostileCase) {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(dir, "hostile.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		if f := strings.Split(line, "\t"); i > 0 {
			cases = append(cases, hostileCase{f[0], f[1], strings.Split(f[2], "|")})
		}
	}
	if len(cases) < 100 {
		t.Fatalf("only %d cases", len(cases))
	}
	return cases
}

// TestCheckHostileFiles runs every malformed file through its reader, with the
// kind found by name and content and with the table's.
func TestCheckHostileFiles(t *testing.T) {
	dir := hostile(t)
	before := tree(t, dir)
	for _, c := range hostileCases(t, dir) {
		t.Run(c.file, func(t *testing.T) {
			kind, err := ParseKind(c.kind)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			if found := KindOf(path); found != kind {
				t.Errorf("taken for a %q, want a %s", found, kind)
			}
			start := time.Now()
			f := Check(t.Context(), path, kind, "", data.Options{})
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if !slices.Contains(c.allowed, string(f.Verdict)) {
				t.Errorf("%s, allowed %v: %s", f.Verdict, c.allowed, f.Reason)
			}
			if f.Verdict == data.Refuse && !strings.Contains(f.Reason, filepath.Base(path)) {
				t.Errorf("the reason does not name the file: %s", f.Reason)
			}
		})
	}
	if after := tree(t, dir); after != before {
		t.Errorf("the folder was changed:\n%s\nbefore\n%s", after, before)
	}
}

func TestCheckNamesWhatIsNotFinite(t *testing.T) {
	f := Check(t.Context(), filepath.Join(hostile(t), "safetensors", "nan_weights.safetensors"), "", "", data.Options{})
	if f.Verdict != data.Accept || !strings.Contains(f.Reason, "not finite: ") {
		t.Errorf("%s: %s", f.Verdict, f.Reason)
	}
}

// TestCheckONNX checks an export, whole, cut short, with more behind it, and with
// metadata of other classes.
func TestCheckONNX(t *testing.T) {
	x := exportDefault(t)
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := x.Save(path, ExportONNX, PartAll, false); err != nil {
		t.Fatal(err)
	}
	check := func() data.Finding { return Check(t.Context(), path, "", "", data.Options{}) }
	whole := read(t, path)
	for _, want := range []string{"an ONNX model of opset 17 by Duet", "pixel_values float32 [batch 3 64 64], input_ids int64 [batch tokens]", "to logits float32 [batch 170]",
		fmt.Sprintf("%d tensors with %d values", len(x.tensors), x.Parameters(PartAll))} {
		if f := check(); f.Verdict != data.Accept || f.Kind != KindONNX || !strings.Contains(f.Reason, want) {
			t.Errorf("%s: %s; want %q", f.Verdict, f.Reason, want)
		}
	}
	for _, damaged := range []struct {
		content []byte
		want    string
	}{
		{whole[:len(whole)-1], "cut short"},
		{append(slices.Clone(whole), "hello"...), "something was added"},
		{bytes.Replace(whole, []byte(`"3":"`), []byte(`"2":"`), 1), `"2"`},
		{bytes.Replace(whole, []byte("\x0a\x08id2label"), []byte("\x0a\x08id3label"), 1), "its metadata id2label"},
		{nil, "no ONNX file"},
	} {
		if err := os.WriteFile(path, damaged.content, 0o666); err != nil {
			t.Fatal(err)
		}
		if f := check(); f.Verdict != data.Refuse || !strings.Contains(f.Reason, damaged.want) || !strings.Contains(f.Reason, "m.onnx") {
			t.Errorf("%s: %s; want %q", f.Verdict, f.Reason, damaged.want)
		}
	}
}

// tree lists a folder's files with their sizes and times.
func tree(t *testing.T, dir string) string {
	var s strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&s, path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.String()
}

// peakVariable tells a copy of the test program to check everything.
const peakVariable = "DUET_APP_PEAK"

// TestCheckStaysWithinMemory runs all checks but that of the picture of 100
// megapixels in a process of its own and asks for the memory that its runtime
// took from the system, which includes what it gave back.
func TestCheckStaysWithinMemory(t *testing.T) {
	dir := hostile(t)
	if os.Getenv(peakVariable) != "" {
		for _, c := range hostileCases(t, dir) {
			if strings.Contains(c.file, "10000x10000") {
				continue
			}
			kind, err := ParseKind(c.kind)
			if err != nil {
				t.Fatal(err)
			}
			Check(t.Context(), filepath.Join(dir, c.file), kind, "", data.Options{})
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Printf("peak MiB %d\n", m.Sys>>20)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCheckStaysWithinMemory$", "-test.v")
	cmd.Env = append(os.Environ(), peakVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, ok := strings.Cut(string(out), "peak MiB ")
	var mib int
	if _, err := fmt.Sscan(rest, &mib); !ok || err != nil {
		t.Fatalf("no peak in\n%s", out)
	}
	t.Logf("peak %d MiB", mib)
	if mib > 256 {
		t.Errorf("peak %d MiB, want at most 256", mib)
	}
}

func TestKindOf(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("model/config.json", "{}")
	write("pictures/cat/a.jpg", "")
	photo, _, ok := assets.DemoPhoto()
	if !ok {
		photo = []byte("\x89PNG\r\n\x1a\n0000")
	}
	tests := []struct {
		name, path string
		want       data.Kind
	}{
		{"folder with a config.json", filepath.Join(dir, "model"), KindModel},
		{"other folder", filepath.Join(dir, "pictures"), data.KindCollection},
		{"zip", write("m.zip", "PK\x03\x04"), KindModel},
		{"zip without an ending", write("m", "PK\x03\x04"), KindModel},
		{"PyTorch's zip without an ending", write("w", "PK\x03\x04"+strings.Repeat("\x00", 26)+"archive/data.pkl"), KindCheckpoint},
		{"pickle without an ending", write("weights", "\x80\x02}q\x00."), KindCheckpoint},
		{"safetensors without an ending", write("tensors", "\x10\x00\x00\x00\x00\x00\x00\x00{}              "), KindCheckpoint},
		{"ONNX", write("m.onnx", ""), KindONNX},
		{"an export without an ending", write("export", "\x08\x08\x12\x04duet"), KindONNX},
		{"picture without an ending", write("photo", string(photo)), data.KindPicture},
		{"table", write("rows.CSV", "a,b\n"), data.KindTable},
		{"vocabulary", write("vocab.json", "{}"), KindTokenizer},
		{"tokenizer by content", write("t.json", `{"model":{"merges":[]}}`), KindTokenizer},
		{"configuration", write("c.json", `{"model_type":"roberta"}`), KindConfig},
		{"nothing known", write("notes", "hello"), ""},
		{"missing", filepath.Join(dir, "missing"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := KindOf(test.path); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	for _, path := range []string{filepath.Join(dir, "notes"), filepath.Join(dir, "missing")} {
		if f := Check(t.Context(), path, "", "", data.Options{}); f.Verdict != data.Refuse || !strings.Contains(f.Reason, filepath.Base(path)) {
			t.Errorf("%s: %s", f.Verdict, f.Reason)
		}
	}
}
