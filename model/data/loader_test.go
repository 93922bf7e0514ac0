package data

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// loaded is a copy of a batch.
type loaded struct {
	n        int
	pixels   []float32
	captions []string
	labels   []int
	index    []int
	next     int
}

func epoch(t testing.TB, l *Loader, epoch, start int) []loaded {
	t.Helper()
	var all []loaded
	for b, err := range l.Epoch(context.Background(), epoch, start) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, loaded{b.N, slices.Clone(b.Pixels), slices.Clone(b.Captions), slices.Clone(b.Labels), slices.Clone(b.Index), b.Next})
	}
	return all
}

func same(a, b loaded) bool {
	return a.n == b.n && a.next == b.next && slices.Equal(a.pixels, b.pixels) && slices.Equal(a.captions, b.captions) &&
		slices.Equal(a.labels, b.labels) && slices.Equal(a.index, b.index)
}

func sameAll(t *testing.T, what string, a, b []loaded) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d batches, want %d", what, len(a), len(b))
	}
	for i := range a {
		if !same(a[i], b[i]) {
			t.Errorf("%s: batch %d differs", what, i)
		}
	}
}

// captioned has n pictures of two classes with three captions each; those in
// bad cannot be decoded, though their headers are sound.
func captioned(t testing.TB, n int, bad ...int) *Collection {
	tr := tree{}
	table := "image,text,label"
	for i := range n {
		name := fmt.Sprintf("%02d.png", i)
		content := string(pngOf(drawn(uint64(i), 24, 20)))
		if slices.Contains(bad, i) {
			content = content[:len(content)-30]
		}
		tr[name] = content
		for _, c := range []string{"one", "two", "three"} {
			table += fmt.Sprintf("\n%s,%s %d,%d", name, c, i, i%2)
		}
	}
	tr["t.csv"] = table
	return tr.open(t, "t.csv", Options{})
}

func newLoader(t testing.TB, c *Collection, o LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(c.Examples, NewPrep(16), o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEvaluationIsInOrder(t *testing.T) {
	c := captioned(t, 10)
	l := newLoader(t, c, LoaderOptions{Batch: 4})
	all := epoch(t, l, 0, 0)
	if len(all) != 3 || l.Len() != 3 {
		t.Fatalf("%d batches, Len %d, want 3", len(all), l.Len())
	}
	p := NewPrep(16)
	i := 0
	for _, b := range all {
		for k := range b.n {
			want := make([]float32, p.Len())
			m, err := c.Examples[i].Picture.Decode(0)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Tensor(m, want); err != nil {
				t.Fatal(err)
			}
			if b.index[k] != i || b.labels[k] != i%2 || b.captions[k] != fmt.Sprintf("one %d", i) || !slices.Equal(b.pixels[k*p.Len():][:p.Len()], want) {
				t.Errorf("example %d: index %d, label %d, caption %q", i, b.index[k], b.labels[k], b.captions[k])
			}
			i++
		}
	}
	last := all[2]
	if last.n != 2 || last.next != 10 || slices.ContainsFunc(last.pixels[2*p.Len():], func(v float32) bool { return v != 0 }) {
		t.Errorf("the last batch has %d examples, next %d, or is not zero behind them", last.n, last.next)
	}
}

func TestTrainingIsAFunctionOfSeedAndEpoch(t *testing.T) {
	c := captioned(t, 30, 11)
	o := LoaderOptions{Batch: 4, Train: true, Seed: 5, Augment: everything(), Workers: 1, Prefetch: 1}
	want := epoch(t, newLoader(t, c, o), 2, 0)
	for name, change := range map[string]func(*LoaderOptions){
		"again":             func(*LoaderOptions) {},
		"workers":           func(o *LoaderOptions) { o.Workers, o.Prefetch = 7, 20 },
		"cache":             func(o *LoaderOptions) { o.Cache = NewCache(1 << 20) },
		"cache half full":   func(o *LoaderOptions) { o.Cache = NewCache(12_000) },
		"defaults in these": func(o *LoaderOptions) { o.Workers, o.Prefetch = 0, 0 },
	} {
		o := o
		change(&o)
		l := newLoader(t, c, o)
		epoch(t, l, 0, 0) // an epoch before leaves no trace
		sameAll(t, name, epoch(t, l, 2, 0), want)
	}
	o.Seed = 6
	if other := epoch(t, newLoader(t, c, o), 2, 0); same(other[0], want[0]) {
		t.Error("another seed gives the same batch")
	}
	o.Seed = 5
	if other := epoch(t, newLoader(t, c, o), 3, 0); same(other[0], want[0]) {
		t.Error("another epoch gives the same batch")
	}
	var seen []int
	for _, b := range want {
		seen = append(seen, b.index...)
	}
	slices.Sort(seen)
	if len(seen) != 29 || len(slices.Compact(seen)) != 29 || slices.Contains(seen, 11) {
		t.Errorf("an epoch visits %v", seen)
	}
}

func TestResumeInsideAnEpoch(t *testing.T) {
	c := captioned(t, 30, 3, 4, 17)
	l := newLoader(t, c, LoaderOptions{Batch: 4, Train: true, Seed: 1, Augment: DefaultAugment()})
	all := epoch(t, l, 1, 0)
	for k := range all {
		rest := epoch(t, newLoader(t, c, l.options), 1, all[k].next)
		sameAll(t, fmt.Sprintf("from batch %d", k+1), rest, all[k+1:])
	}
}

func TestCaptionsAreSampled(t *testing.T) {
	c := captioned(t, 12)
	l := newLoader(t, c, LoaderOptions{Batch: 12, Train: true, Seed: 3})
	counts := map[string]int{}
	for e := range 100 {
		for _, b := range epoch(t, l, e, 0) {
			for k, caption := range b.captions {
				word, number, _ := strings.Cut(caption, " ")
				if number != fmt.Sprint(b.index[k]) {
					t.Fatalf("example %d has the caption %q", b.index[k], caption)
				}
				counts[word]++
			}
		}
	}
	for _, word := range []string{"one", "two", "three"} {
		if n := counts[word]; n < 330 || n > 470 {
			t.Errorf("%q was chosen %d times of 1200, want about 400", word, n)
		}
	}
}

func TestUnreadablePicturesAreSkipped(t *testing.T) {
	c := captioned(t, 9, 0, 4)
	l := newLoader(t, c, LoaderOptions{Batch: 3})
	for range 2 {
		var seen []int
		for _, b := range epoch(t, l, 0, 0) {
			seen = append(seen, b.index...)
		}
		if !slices.Equal(seen, []int{1, 2, 3, 5, 6, 7, 8}) {
			t.Errorf("an epoch visits %v", seen)
		}
	}
	skipped := l.Skipped()
	slices.SortFunc(skipped, func(a, b Skip) int { return a.Line - b.Line })
	if len(skipped) != 2 {
		t.Fatalf("skipped %v", skipped)
	}
	mustContain(t, skipped[1].String(), "t.csv line 14: picture 04.png: not a usable png")

	all := captioned(t, 2, 0, 1)
	for _, err := range newLoader(t, all, LoaderOptions{Batch: 1}).Epoch(context.Background(), 0, 0) {
		if err == nil {
			t.Fatal("a batch of unreadable pictures")
		}
		mustContain(t, err.Error(), "no example is usable", "00.png")
	}
}

func TestDropLast(t *testing.T) {
	l := newLoader(t, captioned(t, 10), LoaderOptions{Batch: 4, DropLast: true, Train: true})
	if all := epoch(t, l, 0, 0); len(all) != 2 || l.Len() != 2 || all[1].n != 4 {
		t.Errorf("%d batches, Len %d, want 2", len(all), l.Len())
	}
}

func TestExamplesWithoutPictures(t *testing.T) {
	c := tree{"t.csv": "text,label\ngood,1\nbad,0\n"}.open(t, "t.csv", Options{})
	all := epoch(t, newLoader(t, c, LoaderOptions{Batch: 2}), 0, 0)
	if len(all) != 1 || !slices.Equal(all[0].captions, []string{"good", "bad"}) || slices.ContainsFunc(all[0].pixels, func(v float32) bool { return v != 0 }) {
		t.Errorf("%+v", all)
	}
}

func TestLoaderStops(t *testing.T) {
	c := captioned(t, 40)
	before := runtime.NumGoroutine()
	l := newLoader(t, c, LoaderOptions{Batch: 2, Train: true, Workers: 4, Prefetch: 8})
	for range l.Epoch(context.Background(), 0, 0) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	batches := 0
	var last error
	for _, err := range l.Epoch(ctx, 0, 0) {
		if last = err; err == nil {
			if batches++; batches == 3 {
				cancel()
			}
		}
	}
	if !errors.Is(last, context.Canceled) || batches > 10 {
		t.Errorf("%d batches, then %v", batches, last)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines are left, %d were there before", runtime.NumGoroutine(), before)
}

func TestCacheBudget(t *testing.T) {
	c := captioned(t, 20)
	one := int64(4 * 16 * 19) // 24 × 20 resized to 19 × 16
	cache := NewCache(5*one + one/2)
	l := newLoader(t, c, LoaderOptions{Batch: 4, Cache: cache})
	epoch(t, l, 0, 0)
	if cache.Used() != 5*one {
		t.Errorf("%d bytes are kept, want %d", cache.Used(), 5*one)
	}
	sameAll(t, "from the cache", epoch(t, l, 0, 0), epoch(t, newLoader(t, c, LoaderOptions{Batch: 4}), 0, 0))
}

func TestNewLoaderRefuses(t *testing.T) {
	c := captioned(t, 2)
	prep := NewPrep(16)
	for name, f := range map[string]func() error{
		"no examples": func() error { _, err := NewLoader(nil, prep, LoaderOptions{Batch: 1}); return err },
		"no batch":    func() error { _, err := NewLoader(c.Examples, prep, LoaderOptions{}); return err },
		"preparation": func() error { _, err := NewLoader(c.Examples, Prep{}, LoaderOptions{Batch: 1}); return err },
		"augmentation": func() error {
			_, err := NewLoader(c.Examples, prep, LoaderOptions{Batch: 1, Augment: Augment{Flip: 2}})
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
