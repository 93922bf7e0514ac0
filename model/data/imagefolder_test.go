package data

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenFolder(t *testing.T) {
	for _, c := range []struct {
		name    string
		tree    tree
		options Options
		want    []string // of summary
		classes string
		report  []string // parts of the report
	}{
		{
			name: "folder per class",
			tree: tree{"dog/2.png": "#a", "cat/1.png": "#b", "cat/x.JPG": "#c", "README.md": "x"},
			want: []string{"cat/1.png||cat|", "cat/x.JPG||cat|", "dog/2.png||dog|"}, classes: "cat dog",
			report: []string{"a folder per class", "deepest folder", "splits: none given"},
		}, {
			name:   "split folders",
			tree:   tree{"train/cat/1.png": "#a", "train/dog/1.png": "#b", "validation/cat/2.png": "#c", "test/dog/3.png": "#d"},
			want:   []string{"test/dog/3.png||dog|test", "train/cat/1.png||cat|train", "train/dog/1.png||dog|train", "validation/cat/2.png||cat|val"},
			report: []string{"ImageFolder with a folder per class", "validation (val)"}, classes: "cat dog",
		}, {
			name: "nested folders, deepest",
			tree: tree{"train/fruit/apple/1.png": "#a", "train/fruit/pear/1.png": "#b", "train/juice/1.png": "#c"},
			want: []string{"train/fruit/apple/1.png||apple|train", "train/fruit/pear/1.png||pear|train", "train/juice/1.png||juice|train"}, classes: "apple juice pear",
		}, {
			name: "nested folders, level 1", options: Options{ClassLevel: 1},
			tree: tree{"train/fruit/apple/1.png": "#a", "train/fruit/pear/1.png": "#b", "train/juice/1.png": "#c", "train/0.png": "#d"},
			want: []string{"train/fruit/apple/1.png||fruit|train", "train/fruit/pear/1.png||fruit|train", "train/juice/1.png||juice|train"}, classes: "fruit juice",
			report: []string{"level 1", "train/0.png: the picture lies above class level 1"},
		}, {
			name: "same deepest name",
			tree: tree{"a/red/1.png": "#a", "b/red/1.png": "#b", "b/blue/1.png": "#c"},
			want: []string{"a/red/1.png||red|", "b/blue/1.png||blue|", "b/red/1.png||red|"}, classes: "blue red",
			report: []string{`class "red" joins the folders a/red and b/red`},
		}, {
			name: "metadata beats folder names",
			tree: tree{
				"train/cat/1.png": "#a", "train/dog/2.png": "#b",
				"train/metadata.jsonl": `{"file_name":"cat/1.png","label":"tom"}` + "\n" + `{"file_name":"dog/2.png","label":"rex"}`,
			},
			want: []string{"train/cat/1.png||tom|train", "train/dog/2.png||rex|train"}, classes: "rex tom",
			report: []string{"ImageFolder with metadata", "column label of train/metadata.jsonl"},
		}, {
			name: "metadata without labels in class folders",
			tree: tree{
				"train/cat/1.png": "#a", "train/dog/2.png": "#b", "train/dog/3.png": "#c",
				"train/metadata.csv": "file_name,text\ncat/1.png,a cat\ndog/2.png,a dog\n",
			},
			want: []string{"train/cat/1.png|a cat|cat|train", "train/dog/2.png|a dog|dog|train"}, classes: "cat dog",
			report: []string{"since train/metadata.csv has no labels", "1 picture in train without a row"},
		}, {
			name: "metadata in one split, folders in the other",
			tree: tree{
				"train/cat/1.png": "#a", "train/dog/2.png": "#b",
				"train/metadata.jsonl": `{"file_name":"cat/1.png","label":"cat"}` + "\n" + `{"file_name":"dog/2.png","label":"dog"}`,
				"val/cat/1.png":        "#c",
			},
			want:   []string{"train/cat/1.png||cat|train", "train/dog/2.png||dog|train", "val/cat/1.png||cat|val"},
			report: []string{"no metadata file in val"}, classes: "cat dog",
		}, {
			name: "JSONL beats CSV",
			tree: tree{
				"1.png": "#a", "2.png": "#b", "metadata.csv": "file_name,label\n1.png,x\n2.png,y\n",
				"metadata.jsonl": `{"file_name":"1.png","label":"p"}` + "\n" + `{"file_name":"2.png","label":"q"}`,
			},
			want: []string{"1.png||p|", "2.png||q|"}, classes: "p q",
			report: []string{"1 table not used: metadata.csv"},
		}, {
			name: "folder names beat a stray table",
			tree: tree{"cat/1.png": "#a", "dog/2.png": "#b", "labels.csv": "file_name,label\ncat/1.png,x\ndog/2.png,y\n"},
			want: []string{"cat/1.png||cat|", "dog/2.png||dog|"}, classes: "cat dog",
			report: []string{"1 table not used: labels.csv"},
		}, {
			name: "a table in each class's folder",
			tree: tree{"cat/1.png": "#a", "dog/2.png": "#b", "cat/metadata.jsonl": `{"file_name":"1.png","text":"x"}`, "dog/metadata.jsonl": `{"file_name":"2.png","text":"y"}`},
			want: []string{"cat/1.png|x|cat|", "dog/2.png|y|dog|"}, classes: "cat dog",
			report: []string{"an ImageFolder with metadata", "column text of metadata.jsonl in 2 folders", "since metadata.jsonl in 2 folders has no labels"},
		}, {
			name: "a table in some classes' folders, not of all pictures",
			tree: tree{
				"train/cat/1.png": "#a", "train/cat/2.png": "#b", "train/dog/3.png": "#c", "val/cat/4.png": "#d", "val/dog/5.png": "#e",
				"train/cat/metadata.csv": "file_name,text\n2.png,two\n", "val/dog/metadata.jsonl": `{"file_name":"5.png","text":"five"}`,
			},
			want:   []string{"train/cat/2.png|two|cat|train", "val/dog/5.png|five|dog|val", "train/cat/1.png||cat|train", "train/dog/3.png||dog|train", "val/cat/4.png||cat|val"},
			report: []string{"2 pictures in train without a row in train/cat/metadata.csv: read without words", "column text of train/cat/metadata.csv"}, classes: "cat dog",
		}, {
			name: "a table with labels in each folder",
			tree: tree{
				"a/1.png": "#a", "a/2.png": "#b", "b/3.png": "#c",
				"a/metadata.jsonl": `{"file_name":"1.png","label":"tom"}`, "b/metadata.jsonl": `{"file_name":"3.png","label":"rex"}`,
			},
			want: []string{"a/1.png||tom|", "b/3.png||rex|"}, classes: "rex tom",
			report: []string{"1 picture in . without a row in metadata.jsonl in 2 folders: not used", "column label of metadata.jsonl in 2 folders"},
		}, {
			name: "metadata beside the folders beats those in them",
			tree: tree{
				"cat/1.png": "#a", "dog/2.png": "#b", "cat/metadata.jsonl": `{"file_name":"1.png","text":"x"}`,
				"metadata.jsonl": `{"file_name":"cat/1.png","text":"p"}` + "\n" + `{"file_name":"dog/2.png","text":"q"}`,
			},
			want: []string{"cat/1.png|p|cat|", "dog/2.png|q|dog|"}, classes: "cat dog",
			report: []string{"1 table not used: cat/metadata.jsonl"},
		}, {
			name: "a folder's metadata beats that below it, and JSONL CSV",
			tree: tree{
				"cat/1.png": "#a", "dog/old/2.png": "#b", "dog/old/metadata.jsonl": `{"file_name":"2.png","text":"x"}`,
				"dog/metadata.jsonl": `{"file_name":"old/2.png","text":"y"}`, "dog/metadata.csv": "file_name,text\nold/2.png,z\n",
			},
			options: Options{ClassLevel: 1},
			want:    []string{"dog/old/2.png|y|dog|", "cat/1.png||cat|"}, classes: "cat dog",
			report: []string{"2 tables not used: dog/metadata.csv, dog/old/metadata.jsonl"},
		}, {
			name: "metadata of something else in a class's folder",
			tree: tree{"cat/1.png": "#a", "dog/2.png": "#b", "cat/metadata.csv": "camera,lens\nx,y\n", "dog/metadata.jsonl": "{"},
			want: []string{"cat/1.png||cat|", "dog/2.png||dog|"}, classes: "cat dog",
			report: []string{"a folder per class", "2 tables not used: cat/metadata.csv, dog/metadata.jsonl; a metadata.jsonl is read beside the folders"},
		}, {
			name: "a table where there are no class folders",
			tree: tree{"images/1.png": "#a", "images/2.png": "#b", "images/3.png": "#c", "t.csv": "image,class\n1.png,x\n2.png,y\n"},
			want: []string{"images/1.png||x|", "images/2.png||y|"}, classes: "x y",
			report: []string{"a table in the folder", "lie in images/", "1 picture without a row"},
		}, {
			name: "metadata beside the split folders",
			tree: tree{"train/1.png": "#a", "val/2.png": "#b", "metadata.csv": "file_name,label\ntrain/1.png,x\nval/2.png,y\n"},
			want: []string{"train/1.png||x|train", "val/2.png||y|val"}, classes: "x y",
			report: []string{"a table in the folder", "the folders train, val"},
		}, {
			name: "tables named after splits",
			tree: tree{"1.png": "#a", "2.png": "#b", "dev.tsv": "image\tlabel\n2.png\ty\n", "my_train.tsv": "image\tlabel\n1.png\tx\n"},
			want: []string{"2.png||y|val", "1.png||x|train"}, classes: "x y",
			report: []string{"the name of dev.tsv"},
		}, {
			name: "splits below another folder, with years",
			tree: tree{"images/train2017/a/1.png": "#a", "images/train2017/b/1.png": "#b", "images/val2017/a/2.png": "#c"},
			want: []string{"images/train2017/a/1.png||a|train", "images/train2017/b/1.png||b|train", "images/val2017/a/2.png||a|val"}, classes: "a b",
		}, {
			name: "a class named test",
			tree: tree{"cat/1.png": "#a", "dog/1.png": "#b", "test/1.png": "#c"},
			want: []string{"cat/1.png||cat|", "dog/1.png||dog|", "test/1.png||test|"}, classes: "cat dog test",
		}, {
			name: "a class named train",
			tree: tree{"bus/1.png": "#a", "car/1.png": "#b", "train/1.png": "#c"},
			want: []string{"bus/1.png||bus|", "car/1.png||car|", "train/1.png||train|"}, classes: "bus car train",
		}, {
			name: "outside the split folders",
			tree: tree{"train/cat/1.png": "#a", "train/dog/1.png": "#b", "iconic/cat.png": "#c"},
			want: []string{"train/cat/1.png||cat|train", "train/dog/1.png||dog|train"}, classes: "cat dog",
			report: []string{"1 picture in iconic outside the split folders"},
		}, {
			name: "no labels",
			tree: tree{"1.png": "#a", "sub/.hidden.png": "#b"},
			want: []string{"1.png||-|"}, report: []string{"nothing names a class", "classes: none"},
		}, {
			name: "one class",
			tree: tree{"cat/1.png": "#a"},
			want: []string{"cat/1.png||cat|"}, classes: "cat", report: []string{"there is one class only (cat)"},
		}, {
			name: "numeric classes", tree: tree{"10/1.png": "#a", "9/1.png": "#b"},
			want: []string{"10/1.png||10|", "9/1.png||9|"}, classes: "9 10",
		}, {
			name: "unreadable pictures",
			tree: tree{"cat/1.png": "#a", "cat/2.png": "not a picture", "dog/1.png": "#b", "dog/3.jpg": "", "dog/4.tiff": "II*\x00"},
			want: []string{"cat/1.png||cat|", "dog/1.png||dog|"}, classes: "cat dog",
			report: []string{"left out: 3 rows, 3 pictures", "cat/2.png: no picture format", "dog/3.jpg: the file is empty", "dog/4.tiff: this format"},
		}, {
			name: "classes alike", tree: tree{"Cat/1.png": "#a", "cat/1.png": "#b"},
			want: []string{"Cat/1.png||Cat|", "cat/1.png||cat|"}, classes: "Cat cat",
			report: []string{`classes "Cat" and "cat" differ in case or spaces only`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.tree.open(t, ".", c.options)
			equalLines(t, summary(got), c.want)
			if classes := strings.Join(got.Classes, " "); classes != c.classes {
				t.Errorf("classes %q, want %q", classes, c.classes)
			}
			mustContain(t, got.Report.String(), c.report...)
		})
	}
}

func TestOpenFolderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		tree tree
		want string
	}{
		"nothing":         {tree{"notes.txt": "x"}, "holds no pictures"},
		"unusable tables": {tree{"a.tsv": "one\ttwo\n1\t2\n"}, "a.tsv"},
		"several tables":  {tree{"1.png": "#a", "a.csv": "image,label\n1.png,x\n", "b.csv": "image,label\n1.png,x\n"}, ""},
		"all unreadable":  {tree{"cat/1.png": "x", "dog/1.png": "y"}, "cat/1.png"},
		"metadata's rows": {tree{"train/metadata.jsonl": `{"file_name":"1.png"}`}, "train/1.png"},
		"bare names":      {tree{"metadata.jsonl": `{"file_name":"1.png"}`, "cat/1.png": "#a"}, "a table's paths count from the folder that it lies in"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Open(context.Background(), c.tree.fs(), ".", Options{})
			if name == "several tables" {
				if err != nil {
					t.Fatal(err)
				}
				mustContain(t, got.Report.String(), "there are several tables (a.csv, b.csv): name one")
				return
			}
			if err == nil {
				t.Fatalf("accepted: %s", got.Report.String())
			}
			mustContain(t, err.Error(), c.want)
		})
	}
}

// shuffledFS lists folders backwards.
type shuffledFS struct{ MapFS }

func (s shuffledFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := s.MapFS.ReadDir(name)
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return entries, err
}

func TestOrderDoesNotDependOnTheFileSystem(t *testing.T) {
	tr := tree{"b/2.png": "#a", "a/1.png": "#b", "a/10.png": "#c", "c/x/1.png": "#d", "a-b/1.png": "#e"}
	a := tr.open(t, ".", Options{})
	b, err := Open(context.Background(), shuffledFS{tr.fs()}, ".", Options{})
	if err != nil {
		t.Fatal(err)
	}
	equalLines(t, summary(b), summary(a))
	equalLines(t, b.Classes, a.Classes)
}

func TestNamesAndLinksStayInTheFolder(t *testing.T) {
	secret := tree{"secret.png": "#s", "more/1.png": "#m"}.write(t)
	dir := tree{
		"cat/1.png": "#a", "dog/1.png": "#b",
		"t.csv": "image,label\n../secret.png,x\n" + filepath.ToSlash(secret) + "/secret.png,x\ncat/1.png,y\ncat/link.png,z\ncat/inside.png,w\n",
	}.write(t)
	for link, target := range map[string]string{
		"cat/link.png": filepath.Join(secret, "secret.png"), "cat/inside.png": "../dog/1.png",
		"dog/loop.png": "loop.png", "bird": filepath.Join(secret, "more"), "fish": ".",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("links cannot be made here: %v", err)
		}
	}
	c, err := OpenPath(context.Background(), dir, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	equalLines(t, summary(c), []string{"cat/1.png||cat|", "cat/inside.png||cat|", "dog/1.png||dog|"})
	mustContain(t, c.Report.String(), "cat/link.png: a link leads out of the collection's folder", "dog/loop.png:", "bird: a link to a folder is not followed", "fish: a link to a folder")
	c, err = OpenPath(context.Background(), filepath.Join(dir, "t.csv"), "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	equalLines(t, summary(c), []string{"cat/1.png||y|", "cat/inside.png||w|"})
	mustContain(t, c.Report.String(), "t.csv line 2: picture \"../secret.png\": the path leads out", "t.csv line 3: picture", "an absolute path", "t.csv line 5: picture cat/link.png: a link leads out")
	if text := c.Report.String(); strings.Contains(text, "cat/1.png:") {
		t.Errorf("a usable picture is reported: %s", text)
	}
}

func TestOpenStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, tree{"a/1.png": "#a", "b/1.png": "#b"}.fs(), ".", Options{}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
