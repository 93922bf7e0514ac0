//go:build !js

package data

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/model/shared"
)

// hostileCase is a row of hostile.tsv.
type hostileCase struct {
	file    string
	kind    Kind
	allowed []string
}

func hostileCases(t testing.TB) []hostileCase {
	t.Helper()
	table, err := os.ReadFile(shared.Path(t, "fixtures", "hostile", "hostile.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []hostileCase
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) < 3 {
			continue
		}
		kind := Kind(f[1])
		if f[1] == "image" {
			kind = KindPicture
		}
		if slices.Contains([]Kind{KindPicture, KindTable, KindTar}, kind) {
			cases = append(cases, hostileCase{f[0], kind, strings.Split(f[2], "|")})
		}
	}
	if len(cases) < 75 {
		t.Fatalf("%d cases of pictures, tables and tars", len(cases))
	}
	return cases
}

func TestHostileFiles(t *testing.T) {
	for _, c := range hostileCases(t) {
		t.Run(c.file, func(t *testing.T) {
			path := shared.Path(t, "fixtures", "hostile", c.file)
			var f Finding
			took := time.Hour
			for range 3 { // the best of three, since the limit is the reader's and the machine may be busy
				start := time.Now()
				f = Check(t.Context(), path, c.kind, "", Options{})
				if took = min(took, time.Since(start)); took < 2*time.Second {
					break
				}
			}
			if took > 2*time.Second {
				t.Errorf("took %v, want at most 2 s", took)
			}
			if !slices.Contains(c.allowed, string(f.Verdict)) {
				t.Errorf("%s, allowed %v: %s", f.Verdict, c.allowed, f.Reason)
			}
			if f.Verdict == Refuse && !strings.Contains(f.Reason, filepath.Base(path)) {
				t.Errorf("the reason does not name the file: %s", f.Reason)
			}
			if (f.Verdict == Partial || f.Verdict == Refuse && c.kind == KindTable) && f.Report != nil && len(f.Report.Skipped) == 0 {
				t.Errorf("%s without a row: %s", f.Verdict, f.Reason)
			}
		})
	}
}

// peakVariable tells a copy of the test program what to measure.
const peakVariable = "DUET_DATA_PEAK"

// peak runs a part of the tests in a process of its own and returns the memory
// that its Go runtime took from the system, in MiB: its peak, since the runtime
// counts what it gave back too.
func peak(t *testing.T, part string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPeakPart$", "-test.v")
	cmd.Env = append(os.Environ(), peakVariable+"="+part)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, ok := strings.Cut(string(out), "peak MiB ")
	var mib int
	if _, err := fmt.Sscan(rest, &mib); !ok || err != nil {
		t.Fatalf("no peak in\n%s", out)
	}
	return mib
}

// TestPeakPart is what peak runs; by itself it does nothing.
func TestPeakPart(t *testing.T) {
	part := os.Getenv(peakVariable)
	switch {
	case part == "":
		return
	case part == "hostile":
		for _, c := range hostileCases(t) {
			if strings.Contains(c.file, "10000x10000") { // the 100-megapixel file
				continue
			}
			Check(t.Context(), shared.Path(t, "fixtures", "hostile", c.file), c.kind, "", Options{})
		}
	default:
		if f := Check(t.Context(), part, KindPicture, "", Options{}); f.Verdict != Accept {
			t.Fatalf("%s: %s", f.Verdict, f.Reason)
		}
		p := NewPrep(224)
		if err := p.Tensor(decodeFile(t, part), make([]float32, p.Len())); err != nil {
			t.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("peak MiB %d\n", m.Sys>>20)
}

func TestHostileFilesStayWithinMemory(t *testing.T) {
	shared.Path(t, "fixtures", "hostile", "hostile.tsv")
	mib := peak(t, "hostile")
	t.Logf("peak of all hostile pictures, tables and tars but the 100-megapixel one: %d MiB", mib)
	if mib > 256 {
		t.Errorf("peak %d MiB, want at most 256", mib)
	}
}

// A photograph of 60 megapixels is decoded once, at 1.5 bytes a pixel, and
// resized row by row.
func TestLargeJPEG(t *testing.T) {
	if testing.Short() {
		t.Skip("makes and reads a JPEG of 60 megapixels")
	}
	m := image.NewYCbCr(image.Rect(0, 0, 9000, 6672), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i/97 ^ i>>13)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = uint8(i>>9), uint8(i>>11)
	}
	path := filepath.Join(t.TempDir(), "large.jpg")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(f, m, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	mib := peak(t, path)
	t.Logf("a JPEG of %.1f megapixels is accepted, decoded again and prepared in %v; peak %d MiB",
		9000*6672/1e6, time.Since(start).Round(time.Millisecond), mib)
	if mib > 256 {
		t.Errorf("peak %d MiB, want at most 256", mib)
	}
}
