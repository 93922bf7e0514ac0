package assets

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readFiles returns the contents of all files under dir by their relative paths.
func readFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = os.ReadFile(filepath.Join(dir, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestWriteCollection(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "drawn")
	const n, seed, size = 700, 12, 32
	sum, err := WriteCollection(context.Background(), dir, DefaultTask, n, seed, size)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Rows != n || sum.TrainRows+sum.ValidationRows != n || sum.Pictures != sum.TrainPictures+sum.ValidationPictures {
		t.Fatalf("counts do not add up: %+v", sum)
	}
	if share := float64(sum.ValidationRows) / n; share < 0.1 || share > 0.2 {
		t.Errorf("%.2f of the rows are for validation", share)
	}
	files := readFiles(t, dir)
	if readme := string(files["README.md"]); !strings.Contains(readme, "CC0-1.0") || !strings.Contains(readme, "--seed 12 --size 32") {
		t.Errorf("README.md names no licence or no command:\n%s", readme)
	}
	type line struct{ FileName, Text, Label string }
	rows, sides, pictures := map[line]bool{}, map[string]string{}, 0
	for _, side := range []string{"train", "validation"} {
		lines := bufio.NewScanner(bytes.NewReader(files[side+"/metadata.jsonl"]))
		for lines.Scan() {
			var l struct {
				FileName string `json:"file_name"`
				Text     string `json:"text"`
				Label    string `json:"label"`
			}
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				t.Fatal(err)
			}
			if other := sides[l.FileName]; other != "" && other != side {
				t.Fatalf("%s is in %s and in %s", l.FileName, other, side)
			}
			if sides[l.FileName] == "" {
				pictures++
			}
			sides[l.FileName] = side
			rows[line(l)] = true
		}
	}
	if pictures != sum.Pictures || len(files) != pictures+3 {
		t.Fatalf("%d pictures in the tables, %d files; counted %d", pictures, len(files), sum.Pictures)
	}
	for i := range n {
		s, err := Draw(DefaultTask, seed, i, size)
		if err != nil {
			t.Fatal(err)
		}
		name := s.ID + ".png"
		if !rows[line{name, s.Text, s.Label}] {
			t.Fatalf("row %d is missing: %s %q %q", i, name, s.Text, s.Label)
		}
		img, err := png.Decode(bytes.NewReader(files[sides[name]+"/"+name]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if i%50 == 0 {
			for p := range size * size {
				if x, y := p%size, p/size; s.Image.NRGBAAt(x, y).R != uint8(first(img.At(x, y).RGBA())>>8) {
					t.Fatalf("%s differs from what Draw draws at (%d, %d)", name, x, y)
				}
			}
		}
	}
	again := filepath.Join(t.TempDir(), "again")
	if _, err := WriteCollection(context.Background(), again, DefaultTask, n, seed, size); err != nil {
		t.Fatal(err)
	}
	for path, data := range readFiles(t, again) {
		if !bytes.Equal(data, files[path]) {
			t.Fatalf("%s differs from one run to the next", path)
		}
	}
}

func first(r, _, _, _ uint32) uint32 { return r }

// TestValidationIsBalancedToo: the property of TestBalance holds for the side that figures are reported on.
func TestValidationIsBalancedToo(t *testing.T) {
	for _, task := range allTasks() {
		var held []drawnRow
		for i, r := range task.rows(1, 20000) {
			if at := task.locate(i); at.validation() {
				held = append(held, r)
			}
		}
		majority := bestGuess(held, func(drawnRow) string { return "" })
		byText, byPicture := bestGuess(held, func(r drawnRow) string { return r.text }), bestGuess(held, func(r drawnRow) string { return r.picture })
		if share := float64(len(held)) / 20000; share < 0.12 || share > 0.17 || byText > majority+0.05 || byPicture > majority+0.05 {
			t.Errorf("%s: %.3f held back; majority %.3f, words %.3f, picture %.3f", task.name, share, majority, byText, byPicture)
		}
	}
}

func TestWriteCollectionLeavesOtherFilesAlone(t *testing.T) {
	write := func(dir string) error {
		_, err := WriteCollection(context.Background(), dir, "rule", 40, 1, MinSize)
		return err
	}
	put := func(t *testing.T, path string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("mine"), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		refused bool
	}{
		{"a new folder", func(*testing.T, string) {}, false},
		{"an empty folder", func(t *testing.T, dir string) {
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"an earlier drawing", func(t *testing.T, dir string) {
			if _, err := WriteCollection(context.Background(), dir, "count", 90, 3, MinSize); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a folder of pictures", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "train", "cat.png")) }, true},
		{"a file", func(t *testing.T, dir string) { put(t, dir) }, true},
		{"a drawing with a file beside", func(t *testing.T, dir string) {
			if err := write(dir); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, "notes.txt"))
		}, true},
		{"a drawing with a picture added", func(t *testing.T, dir string) {
			if err := write(dir); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, "train", "cat.png"))
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "out")
			c.prepare(t, dir)
			var before map[string][]byte
			if c.refused && c.name != "a file" {
				before = readFiles(t, dir)
			}
			err := write(dir)
			if c.refused != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if c.refused && !strings.Contains(err.Error(), dir) {
				t.Errorf("the error names no folder: %v", err)
			}
			for path, data := range before {
				if now, err := os.ReadFile(filepath.Join(dir, path)); err != nil || !bytes.Equal(now, data) {
					t.Errorf("%s was touched: %v", path, err)
				}
			}
			if !c.refused {
				if _, err := os.Stat(filepath.Join(dir, "train", "rule-1-000000.png")); err != nil {
					t.Error(err)
				}
			}
			if left, _ := os.ReadDir(parent); len(left) != 1 {
				t.Errorf("something was left beside the folder: %v", left)
			}
		})
	}
}

func TestWriteCollectionStops(t *testing.T) {
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := WriteCollection(ctx, filepath.Join(parent, "out"), "color", 100, 1, MinSize); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("half a collection was left: %v", left)
	}
	for _, n := range []int{0, -5, MaxRows + 1} {
		if _, err := WriteCollection(context.Background(), filepath.Join(parent, "out"), "color", n, 1, MinSize); err == nil {
			t.Errorf("%d rows were accepted", n)
		}
	}
}
