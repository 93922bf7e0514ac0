package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func holdOut(t *testing.T, c *Collection, seed uint64, share float64) HeldOut {
	t.Helper()
	h, err := c.HoldOut(context.Background(), seed, share)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// sides maps every content to the splits that it occurs in.
func sides(t *testing.T, c *Collection) map[string]map[Split]bool {
	t.Helper()
	s := map[string]map[Split]bool{}
	for _, e := range c.Examples {
		h, err := e.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if s[h] == nil {
			s[h] = map[Split]bool{}
		}
		s[h][e.Split] = true
	}
	return s
}

// questions has 200 pictures of 150 contents, three rows each, of two answers
// and one rare one.
func questions() tree {
	tr := tree{}
	var rows strings.Builder
	rows.WriteString("image,question,answer\n")
	for i := range 200 {
		tr[fmt.Sprintf("p/%d.png", i)] = fmt.Sprintf("#%d", i%150)
		fmt.Fprintf(&rows, "p/%d.png,one,%s\np/%d.png,two,%s\n", i, []string{"yes", "no"}[i%2], i, []string{"yes", "no"}[i/2%2])
		if i%10 == 0 {
			fmt.Fprintf(&rows, "p/%d.png,three,rare\n", i)
		}
	}
	tr["t.csv"] = rows.String()
	return tr
}

func TestHoldOutKeepsPicturesOnOneSide(t *testing.T) {
	for seed := range uint64(5) {
		c := questions().open(t, "t.csv", Options{})
		h := holdOut(t, c, seed, 0)
		for hash, s := range sides(t, c) {
			if len(s) != 1 {
				t.Errorf("seed %d: content %.8s is on %d sides", seed, hash, len(s))
			}
		}
		var held SplitCount
		for _, s := range c.Report.Splits {
			if s.Split == Validation {
				held = s
			}
		}
		if math.Abs(float64(held.Pictures)-30) > 2 {
			t.Errorf("seed %d: %d of 200 pictures are held out, want 15 %%", seed, held.Pictures)
		}
		if rare := held.PerClass[slices.Index(c.Classes, "rare")]; rare < 2 || rare > 4 {
			t.Errorf("seed %d: %d of 20 rare rows are held out, want 3", seed, rare)
		}
		if h.Given || h.Seed != seed || h.Share != DefaultShare || !slices.IsSorted(h.Hashes) {
			t.Errorf("record %+v", h)
		}
		found, err := c.Find(context.Background(), h.Hashes)
		if err != nil {
			t.Fatal(err)
		}
		if want := c.Select(Validation); len(found) != len(want) || found[0].Source != want[0].Source {
			t.Errorf("seed %d: %d examples found by hash, want %d", seed, len(found), len(want))
		}
	}
}

func TestHoldOutIsStratified(t *testing.T) {
	tr := tree{}
	sizes := map[string]int{"a": 100, "b": 40, "c": 7, "d": 2, "e": 1}
	for class, n := range sizes {
		for i := range n {
			tr[fmt.Sprintf("train/%s/%d.png", class, i)] = fmt.Sprintf("#%s%d", class, i)
		}
	}
	seen := map[string]bool{}
	for seed := range uint64(8) {
		c := tr.open(t, ".", Options{})
		holdOut(t, c, seed, 0.15)
		held := map[string]int{}
		for _, e := range c.Select(Validation) {
			held[c.Classes[e.Label]]++
		}
		for class, n := range sizes {
			if want := 0.15 * float64(n); math.Abs(float64(held[class])-want) > 1 {
				t.Errorf("seed %d: %d of %d of class %s are held out, want %.1f", seed, held[class], n, class, want)
			}
		}
		if held["e"] != 0 {
			t.Errorf("seed %d: the only picture of a class is held out", seed)
		}
		seen[strings.Join(summary(c), "\n")] = true
		again := tr.open(t, ".", Options{})
		holdOut(t, again, seed, 0.15)
		equalLines(t, summary(again), summary(c))
	}
	if len(seen) < 8 {
		t.Errorf("8 seeds give %d splits", len(seen))
	}
}

func TestHoldOutOfGivenSplits(t *testing.T) {
	for _, c := range []struct {
		name  string
		table string
		given bool
		want  map[Split]int
		note  string
	}{
		{"training and validation", "0,train 1,train 2,val", true, map[Split]int{Train: 2, Validation: 1}, ""},
		{"training and test", "0,train 1,train 2,train 3,test", false, map[Split]int{Train: 2, Validation: 1, Test: 1}, "drawn for validation"},
		{"some without", "0,train 1, 2,dev", true, map[Split]int{Train: 2, Validation: 1}, "1 example without a split"},
		{"none", "0, 1, 2,", false, map[Split]int{Train: 2, Validation: 1}, "drawn for validation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := tree{"t.csv": "image,label,split"}
			for row := range strings.SplitSeq(c.table, " ") {
				n, split, _ := strings.Cut(row, ",")
				tr[n+".png"] = "#" + n
				tr["t.csv"] += "\n" + n + ".png,x," + split
			}
			got := tr.open(t, "t.csv", Options{})
			h := holdOut(t, got, 1, 0.3)
			for split, n := range c.want {
				if have := len(got.Select(split)); have != n {
					t.Errorf("%d examples for %s, want %d", have, split, n)
				}
			}
			if h.Given != c.given || len(h.Hashes) != 1 {
				t.Errorf("record %+v", h)
			}
			mustContain(t, got.Report.String(), c.note)
		})
	}
}

// TestClone holds out of a copy, which leaves the original as it was.
func TestClone(t *testing.T) {
	c := questions().open(t, ".", Options{})
	before := fmt.Sprint(c.Examples, c.Report)
	clone := c.Clone()
	holdOut(t, clone, 1, 0.5)
	clone.Report.Note("a note")
	if fmt.Sprint(c.Examples, c.Report) != before {
		t.Error("the original has changed")
	}
	if len(clone.Select(Validation)) == 0 || len(clone.Report.Notes) == len(c.Report.Notes) {
		t.Errorf("the copy has not: %+v", clone.Report)
	}
}

func TestHoldOutRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		tree  tree
		share float64
		want  string
	}{
		"no training split": {tree{"test/a/1.png": "#1", "test/b/1.png": "#2"}, 0, "only splits test (2)"},
		"all alike":         {tree{"a/1.png": "#1", "a/2.png": "#1", "b/1.png": "#2"}, 0, "nothing can be held out"},
		"share":             {tree{"a/1.png": "#1", "b/2.png": "#2"}, 1, "between 0 and 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.tree.open(t, ".", Options{}).HoldOut(context.Background(), 1, c.share)
			if err == nil {
				t.Fatal("accepted")
			}
			mustContain(t, err.Error(), c.want)
		})
	}
}

func TestContentAcrossGivenSplitsIsReported(t *testing.T) {
	c := tree{"train/a/1.png": "#1", "train/b/2.png": "#2", "val/a/3.png": "#1", "val/b/4.png": "#4"}.open(t, ".", Options{})
	mustContain(t, c.Report.String(), "1 picture of a content that another file has too", "1 picture content on both sides", "train/a/1.png (train) = val/a/3.png (val)")
	holdOut(t, c, 1, 0)
	if len(c.Select(Train)) != 2 || len(c.Select(Validation)) != 2 {
		t.Error("the given splits have changed")
	}
}

func TestWordsAloneStayOnOneSide(t *testing.T) {
	table := "text,label"
	for i := range 60 {
		table += fmt.Sprintf("\nwords %d,%d", i%30, i%2)
	}
	c := tree{"t.csv": table}.open(t, "t.csv", Options{})
	h := holdOut(t, c, 3, 0)
	for hash, s := range sides(t, c) {
		if len(s) != 1 {
			t.Errorf("words %.8s are on %d sides", hash, len(s))
		}
	}
	if n := len(h.Hashes); n < 3 || n > 6 {
		t.Errorf("%d of 30 texts are held out", n)
	}
}

func TestVerifyLeavesOutWhatCannotBeDecoded(t *testing.T) {
	cut := string(pngOf(drawn(9, 80, 80)))
	c := tree{"a/1.png": "#1", "b/2.png": "#2", "b/cut.png": cut[:len(cut)/2]}.open(t, ".", Options{})
	if len(c.Examples) != 3 {
		t.Fatalf("%d examples: a header that is sound should pass", len(c.Examples))
	}
	if err := c.Verify(context.Background()); err != nil {
		t.Fatal(err)
	}
	equalLines(t, summary(c), []string{"a/1.png||a|", "b/2.png||b|"})
	mustContain(t, c.Report.String(), "left out: 1 row, 1 picture", "b/cut.png: not a usable png")
	if c.Report.Pictures != 2 || c.Report.SkippedPictures != 1 {
		t.Errorf("%+v", c.Report)
	}
}
