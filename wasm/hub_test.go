//go:build !js

package wasm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"duet/model/hub/hubtest"
	"duet/model/shared"
	"duet/model/text"
	"duet/wasm"
	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// tower is a repository with weights of some bytes.
func tower(n int) map[string][]byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	weights := make([]byte, n)
	for i := range weights {
		weights[i] = byte(r.Uint32())
	}
	return map[string][]byte{"config.json": []byte(`{"model_type":"roberta"}`), "model.safetensors": weights, "tokenizer.json": []byte("{}"), "tf_model.h5": weights[:9]}
}

// TestTabFetchesTowers fetches towers from a hub on loopback into the origin's
// private files: over cuts, after the page was left, and not what is corrupt or
// has no room. Nothing but the worker for that can reach the hub.
func TestTabFetchesTowers(t *testing.T) {
	const small, known = "some/tower", "distilbert/distilroberta-base"
	s := hubtest.New(t)
	files := tower(3 << 20)
	s.Add(small, hubtest.Commit("1"), files)
	s.Add(known, hubtest.Commit("2"), tower(4<<20))
	server := httptest.NewServer(wasm.HandlerAt(tabFiles(t), s.URL))
	defer server.Close()
	page := browser.ForTest(t).MustOpen(t, server.URL)
	wait(t, page, `window.duetDropped && window.duetHub`)

	s.Set(func(f *hubtest.Faults) { f.Cuts = []int{1 << 20} })
	var last struct{ Done, Total int64 }
	eval(t, page, `await (async () => { let last; await duetHub.pull({name: 'some/tower'}, (p) => { last = p; }); return last; })()`, &last)
	if want := int64(3<<20 + len(files["config.json"]) + 2); last.Done != want || last.Total != want {
		t.Errorf("the last it tells is %+v, want %d", last, want)
	}
	var state struct {
		Here    bool
		Partial int64
	}
	eval(t, page, `await duetHub.state('some/tower')`, &state)
	if !state.Here {
		t.Error("it is not here")
	}
	var hashes map[string]string
	eval(t, page, `Object.fromEntries(await Promise.all((await duetHub.files('some/tower')).map(async ({path, blob}) =>
		[path, [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))].map((b) => b.toString(16).padStart(2, '0')).join('')])))`, &hashes)
	if len(hashes) != 3 {
		t.Errorf("it has %v", hashes)
	}
	for file, got := range hashes {
		sum := sha256.Sum256(files[file])
		if want := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has the hash %s, want %s", file, got, want)
		}
	}
	asked := s.Requests()
	if !slices.ContainsFunc(asked, func(r hubtest.Request) bool {
		return strings.HasPrefix(r.Range, "bytes=") && r.Host == hubtest.Host(s.StoreURL)
	}) {
		t.Errorf("after the cut it did not go on: %+v", asked)
	}
	for _, r := range asked {
		if r.Authorization != "" || r.Method == "OPTIONS" {
			t.Errorf("it asked %+v", r)
		}
	}
	if got := page.Errors(); len(got) > 1 { // of the cut the browser tells
		t.Errorf("the console tells of %q", got)
	}

	// The page sends nothing for it, and tells that it asked elsewhere.
	var m struct{ Sent, Elsewhere int64 }
	wait(t, page, `duetTraffic().elsewhere >= 5`)
	if eval(t, page, `duetTraffic()`, &m); m.Sent != 0 {
		t.Errorf("the meter is at %+v", m)
	}
	var reached string
	eval(t, page, `await fetch(`+quote(s.URL)+`).then(() => 'reached', () => 'kept from it')`, &reached)
	if reached != "kept from it" {
		t.Error("the page itself can reach the hub")
	}

	// Another one, left in the middle and gone on with in the app.
	s.Set(func(f *hubtest.Faults) { f.Pace = 25 * time.Millisecond })
	var why string
	eval(t, page, `await (async () => {
		const stop = new AbortController();
		return duetHub.pull({name: `+quote(known)+`}, (p) => { if (p.done > 600_000) stop.abort(); }, stop.signal).then(() => 'all', (e) => e.code);
	})()`, &why)
	if eval(t, page, `await duetHub.state(`+quote(known)+`)`, &state); why != "cancelled" || state.Here || state.Partial < 500_000 {
		t.Errorf("it was stopped with %q, and is %+v", why, state)
	}
	s.Set(func(f *hubtest.Faults) { f.Pace = 0 })
	s.Requests()
	if names := kept(t, page); !slices.Contains(names, "hub.js") || slices.Contains(names, "hubworker.js") {
		t.Errorf("for times without a network there is %v", names)
	}
	if err := page.Do(t.Context(), chromedp.Navigate(server.URL+"/?again")); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `navigator.serviceWorker.controller && window.duetDropped && window.duetHub`)
	p := &person{TB: t, page: page, began: time.Now()}
	p.click("button", "Close") // that it is slow in software: what is below it moves
	p.click("radio", "Models")
	p.click("button", "Go on "+known)
	wait(t, page, `duetHub.state(`+quote(known)+`).then((s) => s.here)`)
	p.find("text", "It is here.")
	if !slices.ContainsFunc(s.Requests(), func(r hubtest.Request) bool { return strings.HasPrefix(r.Range, "bytes=") }) {
		t.Error("it began anew")
	}

	// What is corrupt, gated, not there, or too large.
	s.Add("some/other", hubtest.Commit("3"), tower(1<<20))
	s.Set(func(f *hubtest.Faults) { f.Corrupt, f.Gated = true, map[string]bool{"some/gated": true} })
	s.Add("some/gated", hubtest.Commit("4"), tower(1000))
	for name, want := range map[string]string{"some/other": "corrupt", "some/gated": "gated", "nobody/nothing": "gated"} {
		eval(t, page, `await duetHub.pull({name: `+quote(name)+`}).then(() => 'all', (e) => e.code)`, &why)
		if eval(t, page, `await duetHub.state(`+quote(name)+`)`, &state); why != want || state.Here || state.Partial > 1000 {
			t.Errorf("%s: %q, want %q; it is %+v", name, why, want, state)
		}
	}
	// A file of its own, as torchvision's are.
	content := []byte("a checkpoint")
	sum := sha256.Sum256(content)
	checkpoint := `duetHub.pull({name: 'torchvision/toy', url: ` + quote(s.AddFile("/models/toy.pth", content)) + `, sha256: '` + hex.EncodeToString(sum[:]) + `'}).then(() => 'all', (e) => e.code)`
	s.Set(func(f *hubtest.Faults) { f.Corrupt, f.Closed = false, true })
	if eval(t, page, `await `+checkpoint, &why); why != "closed" {
		t.Errorf("where no page may read it it says %q", why)
	}
	s.Set(func(f *hubtest.Faults) { f.Closed = false })
	var paths []string
	eval(t, page, `await `+checkpoint, &why)
	if eval(t, page, `(await duetHub.files('torchvision/toy')).map((f) => f.path)`, &paths); why != "all" || !slices.Equal(paths, []string{"toy.pth"}) {
		t.Errorf("the checkpoint: %q, %q", why, paths)
	}
	eval(t, page, `await duetHub.remove('some/tower')`, nil)
	if eval(t, page, `await duetHub.state('some/tower')`, &state); state.Here || state.Partial != 0 {
		t.Errorf("after it was removed it is %+v", state)
	}
	leavePicture(t, page, "towers.png")
}

// TestTabTrainsFromTowers trains from two towers that were fetched, a RoBERTa's
// folder and a checkpoint of torchvision's kind; the app offers them.
func TestTabTrainsFromTowers(t *testing.T) {
	const words, pictures = "distilbert/distilroberta-base", "torchvision/resnet18"
	files := map[string][]byte{}
	for _, name := range []string{"config.json", "model.safetensors"} { // small ones in the places of large ones
		files[name] = shared.Read(t, "fixtures", "roberta_tiny_synthetic", name)
	}
	tokenizer, err := text.Train(t.Context(), slices.Values([]string{"is there a red square in the picture?", "yes it is"}), 300)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(files, tokenizer.Files())
	s := hubtest.New(t)
	s.Add(words, hubtest.Commit("1"), files)
	visual := shared.Read(t, "fixtures", "resnet18_width16", "model.pth")
	sum := sha256.Sum256(visual)
	server := httptest.NewServer(wasm.HandlerAt(tabFiles(t), s.URL))
	defer server.Close()
	page := browser.ForTest(t).MustOpen(t, server.URL)
	p := &person{TB: t, page: page, began: time.Now()}
	wait(t, page, `window.duetDropped && window.duetHub`)
	eval(t, page, `await duetHub.pull({name: `+quote(words)+`})`, nil)
	eval(t, page, `await duetHub.pull({name: `+quote(pictures)+`, url: `+quote(s.AddFile("/models/resnet18-f37072fd.pth", visual))+`, sha256: '`+hex.EncodeToString(sum[:])+`'})`, nil)
	p.step("fetched")

	var trained struct {
		Bytes, Steps, Step int
		Model              struct {
			Classes    []string
			Fusion     string
			Parameters int
			ImageSize  int `json:"image_size"`
		}
	}
	eval(t, page, `await (async () => {
		const files = await duet.sample({n: 12, task: 'rule'});
		const how = {towers: {vision: `+quote(pictures)+`, text: `+quote(words)+`}, tune: 'head', maxSteps: 2, batch: 4};
		const {bytes, steps} = await duet.estimate(files, how);
		const {blob, step} = await duet.train(files, {...how, give: true});
		return {bytes, steps, step, model: await duet.inspect(blob)};
	})()`, &trained)
	if m := trained.Model; trained.Bytes == 0 || trained.Step != 2 || len(m.Classes) < 2 || m.Fusion != "concat" || m.Parameters < 700_000 || m.ImageSize != 224 {
		t.Errorf("trained %+v", trained)
	}
	p.step("trained")

	eval(t, page, `(() => {
		window.asked = [];
		const {estimate, sample} = duet;
		duet.sample = (o) => sample({...o, n: 12}); // fewer than the app asks for
		duet.estimate = (files, o) => { asked.push(o.towers ?? o.init); return estimate(files, o); };
	})()`, nil)
	p.click("button", "Close")
	p.click("radio", "Train")
	p.click("button", "Use the sample collection")
	p.find("text", "Needs ")
	p.step("understood")
	p.click("radio", "resnet18 + distilroberta-base")
	wait(t, page, `asked[0] === 'current' && asked.at(-1).vision === `+quote(pictures)+` && asked.at(-1).text === `+quote(words))
	p.find("text", "Needs ")
	if errors := page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
}

// TestSha256 compares the tab's SHA-256 of what comes in pieces with node's.
func TestSha256(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	output, err := exec.Command("node", "-e", `
		require('vm').runInThisContext(require('fs').readFileSync('sha256.js', 'utf8'));
		const { createHash } = require('crypto');
		let compared = 0;
		for (let n = 0; n < 2000; n = n < 260 ? n + 1 : n + 97) for (const piece of [1, 37, 64, 1000]) {
			const bytes = Uint8Array.from({ length: n }, (_, i) => i * 31 + n);
			const sum = new Sha256();
			for (let i = 0; i < n; i += piece) sum.add(bytes.subarray(i, i + piece));
			const want = createHash('sha256').update(bytes).digest('hex');
			if (sum.hex() !== want) throw new Error(n + ' bytes in pieces of ' + piece);
			compared++;
		}
		console.log(compared);`).CombinedOutput()
	if err != nil || strings.TrimSpace(string(output)) != "1112" {
		t.Errorf("%v: %s", err, output)
	}
}

// TestTabHasNoRoom is told of a small quota, and asks the hub for no weights.
func TestTabHasNoRoom(t *testing.T) {
	s := hubtest.New(t)
	s.Add("some/tower", hubtest.Commit("1"), tower(1<<20))
	files := with(t, [3]string{"meter.js", `StorageManager.prototype.estimate = async () => ({ quota: 20_000_000, usage: 19_500_000 });`})
	server := httptest.NewServer(wasm.HandlerAt(files, s.URL))
	defer server.Close()
	page := browser.ForTest(t).MustOpen(t, server.URL)
	wait(t, page, `window.duetHub`)
	var why [2]string
	eval(t, page, `await duetHub.pull({name: 'some/tower'}).then(() => [], (e) => [e.code, e.message])`, &why)
	if why[0] != "room" || !strings.Contains(why[1], "2 MB are still to come") {
		t.Errorf("it says %q", why)
	}
	if slices.ContainsFunc(s.Requests(), func(r hubtest.Request) bool { return r.Host == hubtest.Host(s.StoreURL) }) {
		t.Error("it fetched weights nevertheless")
	}
}
