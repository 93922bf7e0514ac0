package data

import (
	"archive/tar"
	"bytes"
	"context"
	"testing"
)

func TestOpenShards(t *testing.T) {
	names := "index\twnid\tnames\n0\tn0\tcrane, lifting machine\n1\tn1\tcrane, bird\n2\tn2\tgoldfish, Carassius\n"
	for _, c := range []struct {
		name, open string
		tree       tree
		want       []string
		classes    []string
		report     []string
	}{
		{name: "numbers with names", open: ".",
			tree: tree{"classes.tsv": names, "train-0.tar": tarOf([2]string{"a.png", "#a"}, [2]string{"a.cls", "2\n"}, [2]string{"b.png", "#b"}, [2]string{"b.cls", "0"}),
				"val-0.tar": tarOf([2]string{"d/a.png", "#c"}, [2]string{"d/a.cls", "1"})},
			want:    []string{"train-0.tar/a.png||goldfish|train", "train-0.tar/b.png||crane, lifting machine|train", "val-0.tar/d/a.png||crane, bird|val"},
			classes: []string{"crane, lifting machine", "crane, bird", "goldfish"}, report: []string{"names in classes.tsv", "the shards' names"}},
		{name: "numbers alone", open: "x.tar", tree: tree{"x.tar": tarOf([2]string{"a.png", "#a"}, [2]string{"a.cls", "10"}, [2]string{"b.png", "#b"}, [2]string{"b.cls", "9"})},
			want: []string{"x.tar/a.png||10|", "x.tar/b.png||9|"}, classes: []string{"9", "10"}},
		{name: "texts", open: "train.tar", tree: tree{"train.tar": tarOf([2]string{"a.txt", " one\n"}, [2]string{"a.json", `{"caption":["two","three"],"label":"x"}`}, [2]string{"a.png", "#a"},
			[2]string{"b.seg.png", "#no"}, [2]string{"b.png", "#b"}, [2]string{"b.json", `{"label":"y"}`}, [2]string{"README", "x"})},
			want: []string{"train.tar/a.png|one/two/three|x|", "train.tar/b.png||y|"}, classes: []string{"x", "y"}, report: []string{"caption of .json entries", "label of .json entries"}},
		{name: "samples that cannot be used", open: "x.tar", tree: tree{"classes.tsv": names, "x.tar": tarOf(
			[2]string{"ok.png", "#a"}, [2]string{"ok.cls", "0"}, [2]string{"far.png", "#b"}, [2]string{"far.cls", "3"}, [2]string{"word.png", "#c"}, [2]string{"word.cls", "cat"},
			[2]string{"none.cls", "0"}, [2]string{"two.png", "#d"}, [2]string{"two.jpg", "#d"}, [2]string{"../evil.png", "#e"}, [2]string{"../evil.cls", "0"}, [2]string{"bad.png", "x"}, [2]string{"bad.cls", "0"},
			[2]string{"ok.png", "#f"}, [2]string{"ok.cls", "1"}, [2]string{"plain.png", "#g"}, [2]string{"json.png", "#h"}, [2]string{"json.json", "{"})},
			want: []string{"x.tar/ok.png||crane, lifting machine|"}, classes: []string{"crane, lifting machine", "crane, bird", "goldfish"},
			report: []string{"x.tar/far: class 3 is not in classes.tsv", `x.tar/word: .cls holds "cat"`, "x.tar/none: the sample has no picture", "x.tar/two: it has two pictures",
				"x.tar/../evil: its name", "x.tar/bad: picture x.tar/bad.png: no picture format", "x.tar/ok: the key stands in the shard before", "x.tar/plain: the row has no label", "x.tar/json: .json holds no JSON object"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.tree.open(t, c.open, Options{})
			equalLines(t, summary(got), c.want)
			equalLines(t, got.Classes, c.classes)
			mustContain(t, got.Report.String(), c.report...)
			for _, e := range got.Examples {
				if _, err := e.Picture.Decode(0); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestOpenShardsRefuses(t *testing.T) {
	var links bytes.Buffer
	w := tar.NewWriter(&links)
	w.WriteHeader(&tar.Header{Name: "a.png", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	w.Close()
	good := tarOf([2]string{"a.png", "#a"}, [2]string{"a.cls", "0"})
	for name, c := range map[string]struct {
		tree tree
		want string
	}{
		"empty":            {tree{"x.tar": tarOf()}, "the tar is empty"},
		"no tar":           {tree{"x.tar": "hello"}, "not a usable tar"},
		"cut in a picture": {tree{"x.tar": good[:600]}, "cut short or broken"},
		"link":             {tree{"x.tar": links.String()}, "is a link or a device"},
		"names twice":      {tree{"x.tar": good, "classes.tsv": "index\tname\n0\ta\n0\tb\n"}, "classes.tsv: line 3: class 0 stands twice"},
		"names missing":    {tree{"x.tar": good, "classes.tsv": "index\tname\n1\ta\n"}, "some are missing"},
		"names unnumbered": {tree{"x.tar": good, "classes.tsv": "index\tname\nx\ta\n"}, "no class number"},
		"names broken":     {tree{"x.tar": good, "classes.tsv": "index\tname\n0\n"}, "line 2: 1 field"},
		"no names":         {tree{"x.tar": good, "classes.tsv": "a\tb\n0\t1\n"}, "columns index and name"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Open(context.Background(), c.tree.fs(), "x.tar", Options{})
			if err == nil {
				t.Fatalf("accepted: %s", got.Report.String())
			}
			mustContain(t, err.Error(), c.want)
		})
	}
}
