//go:build !js

package hub

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"duet/model/hub/hubtest"
)

// childVariable names the cache and the endpoint of a hub to pull from: the
// program is then not a test but one that pulls.
const childVariable = "DUET_TEST_PULL"

func TestMain(m *testing.M) {
	if dir, endpoint, ok := strings.Cut(os.Getenv(childVariable), "|"); ok {
		_, err := (&Hub{Endpoint: endpoint, Cache: dir}).Pull(context.Background(), roberta, quiet)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program is another program that pulls what h would.
func program(t *testing.T, h *Hub) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), childVariable+"="+h.Cache+"|"+h.Endpoint)
	c.Stdout = os.Stderr
	return c
}

// fetches says which ranges of the weights were asked for.
func fetches(s *hubtest.Hub) (ranges []string) {
	for _, r := range s.Requests() {
		if strings.HasPrefix(r.Path, "/blobs/") && r.Method == "GET" {
			ranges = append(ranges, r.Range)
		}
	}
	return ranges
}

// TestKilled kills a program while the weights arrive: nothing counts, and the
// next one goes on.
func TestKilled(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	s.Set(func(f *hubtest.Faults) { f.Pace = 50 * time.Millisecond })
	h := at(t, s)
	c := program(t, h)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); h.Partial(roberta) < 200_000; time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("nothing arrives")
		}
	}
	c.Process.Kill()
	c.Wait()
	had := h.Partial(roberta)
	if _, ok := h.Find(roberta); ok || had < 200_000 || had >= 700_001 {
		t.Fatalf("after it was killed %d bytes are there, found: %v", had, ok)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Cache, "models--*", "refs", "*")); len(left) > 0 {
		t.Errorf("there is a ref to what is not whole: %v", left)
	}
	s.Set(func(f *hubtest.Faults) { f.Pace = 0 })
	s.Requests()
	pulled(t, h, roberta)
	if got, want := fetches(s), []string{fmt.Sprintf("bytes=%d-", had)}; !slices.Equal(got, want) {
		t.Errorf("the next one asked for %q, want %q", got, want)
	}
}

// TestSeveralPrograms pull the same at once: it is fetched once.
func TestSeveralPrograms(t *testing.T) {
	s := hubtest.New(t)
	s.Add(roberta, commit, aRepo())
	s.Set(func(f *hubtest.Faults) { f.Pace = 20 * time.Millisecond })
	h := at(t, s)
	var work sync.WaitGroup
	for range 3 {
		c := program(t, h)
		work.Go(func() {
			if err := c.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if got := fetches(s); len(got) != 1 {
		t.Errorf("the weights were fetched %d times", len(got))
	}
	if _, ok := h.Find(roberta); !ok {
		t.Error("it is not found")
	}
}
