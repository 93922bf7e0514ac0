package data

import (
	"context"
	"slices"
	"testing"
)

// asked returns three pictures with five, one and three rows, and the first of
// them once more as a copy with two rows.
func asked(t *testing.T) []Example {
	c := captioned(t, 3)
	var list []Example
	for i, rows := range []int{5, 1, 3} {
		for range rows {
			list = append(list, c.Examples[i])
		}
	}
	for range 2 {
		e := c.Examples[0]
		e.Copy = 1
		list = append(list, e)
	}
	return list
}

func TestPerPicture(t *testing.T) {
	examples := asked(t)
	for _, test := range []struct {
		n    int
		want [][]int
	}{
		{1, [][]int{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10}}},
		{2, [][]int{{0, 1}, {2, 3}, {4}, {5}, {6, 7}, {8}, {9, 10}}},
		{4, [][]int{{0, 1, 2, 3}, {4}, {5}, {6, 7, 8}, {9, 10}}},
		{8, [][]int{{0, 1, 2, 3, 4}, {5}, {6, 7, 8}, {9, 10}}},
	} {
		if got := perPicture(examples, test.n); !slices.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("at most %d a picture: %v, want %v", test.n, got, test.want)
		}
		if n := Units(examples, test.n); n != len(test.want) {
			t.Errorf("at most %d a picture: %d units, want %d", test.n, n, len(test.want))
		}
	}
}

// TestBatchesPerPicture holds every batch's rows to the picture they belong to,
// and every row to coming once an epoch, from any place that it starts at.
func TestBatchesPerPicture(t *testing.T) {
	const per = 4
	examples := asked(t)
	prep := NewPrep(16)
	l, err := NewLoader(examples, prep, LoaderOptions{Batch: 2, PerPicture: per, Train: true, Seed: 3, Augment: DefaultAugment()})
	if err != nil {
		t.Fatal(err)
	}
	for e := range 3 {
		all := epoch(t, l, e, 0)
		seen := make([]int, len(examples))
		for _, b := range all {
			if len(b.labels) != b.n*per || len(b.captions) != b.n*per || len(b.pixels) != 2*prep.Len() {
				t.Fatalf("%d pictures with %d labels, %d captions and %d pixels", b.n, len(b.labels), len(b.captions), len(b.pixels))
			}
			for i, index := range b.index {
				first := b.index[i/per*per]
				switch {
				case index < 0:
					if b.labels[i] != -1 || b.captions[i] != "" {
						t.Errorf("no row, but label %d and words %q", b.labels[i], b.captions[i])
					}
				case examples[index].Picture != examples[first].Picture || examples[index].Copy != examples[first].Copy:
					t.Errorf("rows %d and %d share a tensor, but not a picture", index, first)
				case b.labels[i] != examples[index].Label || !slices.Contains(examples[index].Captions, b.captions[i]):
					t.Errorf("row %d has label %d and words %q", index, b.labels[i], b.captions[i])
				default:
					seen[index]++
				}
			}
		}
		if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
			t.Errorf("epoch %d: rows came %v times", e, seen)
		}
		for i, b := range all[:len(all)-1] {
			sameAll(t, "resumed", epoch(t, l, e, b.next), all[i+1:])
		}
	}
}

// TestPlainIsNotAugmented compares a plain example's tensor in training with
// that of evaluation, beside one that is augmented.
func TestPlainIsNotAugmented(t *testing.T) {
	c := captioned(t, 2)
	c.Examples[0].Plain = true
	examples := c.Examples[:2]
	tensors := func(o LoaderOptions) [2][]float32 {
		l, err := NewLoader(examples, NewPrep(16), o)
		if err != nil {
			t.Fatal(err)
		}
		var out [2][]float32
		for b, err := range l.Epoch(context.Background(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			for i, index := range b.Index {
				n := len(b.Pixels) / 2
				out[index] = slices.Clone(b.Pixels[i*n : (i+1)*n])
			}
		}
		return out
	}
	still := tensors(LoaderOptions{Batch: 2})
	changed := tensors(LoaderOptions{Batch: 2, Train: true, Seed: 1, Augment: DefaultAugment(), Cache: NewCache(1 << 20)})
	if !slices.Equal(still[0], changed[0]) {
		t.Error("a plain picture was augmented")
	}
	if slices.Equal(still[1], changed[1]) {
		t.Error("the other was not")
	}
}
