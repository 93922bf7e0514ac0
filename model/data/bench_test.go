package data

import (
	"context"
	"testing"

	"duet/model/shared"
)

// benchmarkLoader reports pictures a second for a whole pipeline at 64 pixels.
func benchmarkLoader(b *testing.B, folder string, o LoaderOptions) {
	c, err := OpenPath(context.Background(), shared.Path(b, "data", folder), "", Options{})
	if err != nil {
		b.Fatal(err)
	}
	o.Batch = 32
	examples := c.Examples
	if len(examples) > 4000 {
		examples = examples[:4000]
	}
	l, err := NewLoader(examples, NewPrep(64), o)
	if err != nil {
		b.Fatal(err)
	}
	if o.Cache != nil { // measure what comes from the cache
		for _, err := range l.Epoch(context.Background(), 0, 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for batch, err := range l.Epoch(context.Background(), 0, 0) {
			if err != nil {
				b.Fatal(err)
			}
			n += batch.N
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pictures/s")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkLoader(b *testing.B) {
	for _, c := range []struct {
		name, folder string
		o            LoaderOptions
	}{
		{"easy_vqa_png64", "easy_vqa", LoaderOptions{Train: true}},
		{"easy_vqa_png64_cached", "easy_vqa", LoaderOptions{Train: true, Cache: NewCache(1 << 30)}},
		{"easy_vqa_png64_cached_augmented", "easy_vqa", LoaderOptions{Train: true, Augment: DefaultAugment(), Cache: NewCache(1 << 30)}},
		{"caltech101_webp", "caltech101", LoaderOptions{Train: true}},
		{"caltech101_webp_augmented", "caltech101", LoaderOptions{Train: true, Augment: DefaultAugment()}},
		{"caltech101_webp_cached_augmented", "caltech101", LoaderOptions{Train: true, Augment: DefaultAugment(), Cache: NewCache(1 << 30)}},
		{"grocery_jpeg_augmented", "grocery_store", LoaderOptions{Train: true, Augment: DefaultAugment()}},
		{"tiny_imagenet_webp_tar", "tiny_imagenet", LoaderOptions{Train: true}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkLoader(b, c.folder, c.o) })
	}
}
