//go:build !js

package wasm_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/app"
	"duet/gpu/gputest"
	"duet/model/data"
	"duet/model/fullsize"
	"duet/model/hub/hubtest"
	"duet/model/shared"
	"duet/wasm"
	"duet/wasm/browser"
)

// heapLimit is what the engine's heap may take in the tab, whatever it loads.
const heapLimit = 300e6

// TestFullInTab brings a ResNet-18 and a RoBERTa-base into a tab whose adapter
// binds no more than 128 MiB: joined as one model of half a gigabyte from the
// tab's own server, which then answers as it does here; and from a hub, over a
// cut, to start a training from.
func TestFullInTab(t *testing.T) {
	if os.Getenv("DUET_FULL") != "1" {
		t.Skip("of full size; make full runs it")
	}
	photo := shared.Path(t, "data", "photos", "carrots.jpg")
	vision, words := fullsize.Towers(t, 1)
	joined := filepath.Join(t.TempDir(), "full.zip")
	if _, err := app.Init(t.Context(), app.InitOptions{Vision: vision, Text: words, Classes: []string{"animal", "food", "room"}, Seed: 1, Out: joined}); err != nil {
		t.Fatal(err)
	}
	const caption = "orange carrots on a market stall"
	want := answerHere(t, joined, photo, caption)

	h := hubtest.New(t)
	read := func(dir string, names ...string) map[string][]byte {
		files := map[string][]byte{}
		for _, name := range names {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = content
		}
		return files
	}
	h.Add("some/words", hubtest.Commit("1"), read(words, "config.json", "model.safetensors", "vocab.json", "merges.txt"))
	pictures := map[string][]byte{"config.json": []byte(`{"architecture": "resnet18"}`), "model.safetensors": read(filepath.Dir(vision), filepath.Base(vision))[filepath.Base(vision)]}
	h.Add("some/pictures", hubtest.Commit("2"), pictures)

	files := http.NewServeMux()
	files.Handle("/", wasm.HandlerAt(tabFiles(t), h.URL))
	files.HandleFunc("/full.zip", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, joined) })
	files.HandleFunc("/photo.jpg", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, photo) })
	server := httptest.NewServer(files)
	defer server.Close()
	b := browser.ForTest(t)
	page := b.MustOpen(t, server.URL+"/?limits=default")
	wait(t, page, `window.duetDropped && window.duetHub`)

	type info struct {
		Heap   float64 `json:"heap_bytes"`
		GPU    float64 `json:"gpu_bytes"`
		Limits struct {
			Binding float64 `json:"maxStorageBufferBindingSize"`
		}
	}
	heap := func(after string) {
		var i info
		eval(t, page, `await duet.info()`, &i)
		t.Logf("after %s: the heap has taken %.0f MB at most, the adapter holds %.0f MB and binds %.0f MiB", after, i.Heap/1e6, i.GPU/1e6, i.Limits.Binding/(1<<20))
		if i.Heap >= heapLimit || i.Limits.Binding != 128<<20 {
			t.Errorf("after %s: a heap of %.0f bytes, bindings of %.0f", after, i.Heap, i.Limits.Binding)
		}
	}
	start := time.Now()
	eval(t, page, `await (async () => { await duet.load(await (await fetch('/full.zip')).blob()); })()`, nil)
	t.Logf("loaded in %v", time.Since(start).Round(time.Second))
	heap("loading")
	var got app.Answer
	eval(t, page, `await (async () => await duet.classify(await (await fetch('/photo.jpg')).blob(), '`+caption+`'))()`, &got)
	heap("an answer")
	for _, x := range want.Top {
		at := slices.IndexFunc(got.Top, func(y app.Score) bool { return y.Label == x.Label })
		if at < 0 || math.Abs(float64(got.Top[at].P-x.P)) > 1e-3 {
			t.Errorf("the tab answers %+v, the program %+v", got.Top, want.Top)
		}
	}

	// From the hub, over a cut; what is not what its hash says is refused.
	h.Set(func(f *hubtest.Faults) { f.Cuts = []int{200 << 20} })
	start = time.Now()
	eval(t, page, `await (async () => { await duetHub.pull({name: 'some/words'}); await duetHub.pull({name: 'some/pictures'}); })()`, nil)
	t.Logf("fetched both towers, over a cut, in %v", time.Since(start).Round(time.Second))
	var losses []float64
	eval(t, page, `await (async () => {
		const losses = [];
		const files = await duet.sample({n: 40});
		await duet.train(files, {towers: {vision: 'some/pictures', text: 'some/words'}, tune: 'head', batch: 8, maxSteps: 3, give: true},
			(e) => { if (e.event === 'step') losses.push(e.loss); });
		return losses;
	})()`, &losses)
	heap("a training of the head")
	if len(losses) != 3 || slices.ContainsFunc(losses, func(l float64) bool { return !(l > 0 && l < 10) }) {
		t.Errorf("losses %v", losses)
	}
	if lines := page.Errors(); len(lines) > 0 {
		t.Errorf("the page complains:\n%s", strings.Join(lines, "\n"))
	}
}

// answerHere asks the model natively.
func answerHere(t *testing.T, model, photo, caption string) app.Answer {
	t.Helper()
	device := gputest.OpenDefault(t)
	files, err := app.OpenFiles(model)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	m, err := app.Load(device, files)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	picture, err := data.DecodeFile(photo, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := app.NewClassifier(m)
	defer c.Release()
	a, err := c.Classify(t.Context(), photo, picture, caption, 3)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
