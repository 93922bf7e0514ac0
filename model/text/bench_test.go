package text

import (
	"bufio"
	"compress/gzip"
	"os"
	"slices"
	"strings"
	"testing"

	"duet/model/shared"
)

// captions are the 25,014 COCO captions of the shared data.
func captions(b *testing.B) (lines []string, size int64) {
	b.Helper()
	f, err := os.Open(shared.Path(b, "data", "text", "coco_val2017_captions.txt.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	scanner := bufio.NewScanner(z)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
		size += int64(len(scanner.Text()))
	}
	if err := scanner.Err(); err != nil {
		b.Fatal(err)
	}
	return lines, size
}

func BenchmarkEncode(b *testing.B) {
	tok := roberta(b)
	lines, size := captions(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			tok.Encode(line, 64)
		}
	}
}

// BenchmarkMerge has every word merged anew, without the cache.
func BenchmarkMerge(b *testing.B) {
	tok := roberta(b)
	lines, size := captions(b)
	b.SetBytes(size)
	for b.Loop() {
		for _, line := range lines {
			PreTokenizer{}.pieces(line, func(p piece) bool {
				tok.model.tokenize(line[p.start:p.end])
				return true
			})
		}
	}
}

func BenchmarkLongWord(b *testing.B) {
	tok := roberta(b)
	word := strings.Repeat("incomprehensibilities", 1<<20/21)
	b.SetBytes(int64(len(word)))
	for b.Loop() {
		tok.model.tokenize(word)
	}
}

func BenchmarkDecode(b *testing.B) {
	tok := roberta(b)
	lines, size := captions(b)
	var ids [][]int32
	for _, line := range lines {
		ids = append(ids, tok.Encode(line, 0))
	}
	b.SetBytes(size)
	for b.Loop() {
		for _, e := range ids {
			tok.Decode(e)
		}
	}
}

func BenchmarkTrain(b *testing.B) {
	lines, size := captions(b)
	b.SetBytes(size)
	for b.Loop() {
		if _, err := Train(b.Context(), slices.Values(lines), 8000); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	files := roberta(b).Files()
	for _, name := range []string{tokenizerName, vocabName} {
		b.Run(name, func(b *testing.B) {
			fsys := asFS(files)
			if name == vocabName {
				delete(fsys, tokenizerName)
			}
			b.SetBytes(int64(len(files[name])))
			for b.Loop() {
				if _, err := Load(fsys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkClean(b *testing.B) {
	lines, size := captions(b)
	b.SetBytes(size)
	c := DefaultCleaning()
	for b.Loop() {
		for _, line := range lines {
			c.Apply(line)
		}
	}
}
