//go:build !js

package wasm_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"duet/app"
	"duet/assets"
	"duet/gpu"
	"duet/gpu/gputest"
	"duet/model/checkpoint"
	"duet/model/data"
	"duet/wasm/browser"
)

// TestTabTrainsAndAgrees trains in the tab on a folder dropped on the page,
// then asks the tab and, with the model that the tab exports, this program about
// the same pictures and words.
func TestTabTrainsAndAgrees(t *testing.T) {
	files := tabFiles(t)
	device := gputest.Open(t)
	folder := filepath.Join(t.TempDir(), "drawn")
	if _, err := assets.WriteCollection(t.Context(), folder, assets.DefaultTask, 96, 3, 64); err != nil {
		t.Fatal(err)
	}
	page := browser.ForTest(t).MustOpen(t, serve(t, files)+"bare.html")
	eval(t, page, `await duet.ready`, nil)
	trainByHand(t, page, folder)
	var info struct{ Model *struct{ Classes []string } }
	eval(t, page, `await duet.info()`, &info)
	if info.Model == nil || len(info.Model.Classes) < 2 {
		t.Fatalf("after training, info is %+v", info)
	}

	pictures, err := filepath.Glob(filepath.Join(folder, "validation", "*.png"))
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	native := exported(t, page, device)
	low, high := float32(1), float32(0)
	for i, caption := range []string{"is there a red circle?", "", "what is the shape on the left?"} {
		p := compare(t, page, native, pictures[i%len(pictures)], caption)
		low, high = min(low, p), max(high, p)
	}
	if high-low < 5e-3 {
		t.Errorf("every answer has a probability of about %.4f: agreement on it proves little", high)
	}
}

// trainByHand drops the folder on the page and trains some steps, by the keys.
func trainByHand(t *testing.T, page *browser.Page, folder string) {
	t.Helper()
	eval(t, page, `(() => {
		document.querySelector('#training').open = true;
		document.querySelector('#start-from').value = 'none';
		document.querySelector('#steps').value = 12;
		window.seen = [];
		const train = duet.train;
		duet.train = (f, o, onEvent) => train(f, {...o, imageSize: 32, batch: 8, lr: 0.003}, (e) => { seen.push(e); onEvent(e); });
	})()`, nil)
	if err := page.Drop(t.Context(), "#folder-drop", folder); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `!document.querySelector('#train').disabled`)
	eval(t, page, `document.querySelector('#train').click()`, nil)
	wait(t, page, `/^Done/.test(document.querySelector('#training-says').textContent) || document.querySelector('#problem .problem')`)
	var events []struct {
		Event            string
		Step, Steps      int
		Loss             float64
		ValLoss          float64 `json:"val_loss"`
		Report           *data.Report
		LR, ExamplesPerS float64
	}
	eval(t, page, `seen`, &events)
	steps, kinds := 0, []string{}
	for _, e := range events {
		if len(kinds) == 0 || kinds[len(kinds)-1] != e.Event {
			kinds = append(kinds, e.Event)
		}
		switch e.Event {
		case "collection":
			if e.Report == nil || e.Report.Examples != 96 {
				t.Errorf("the collection's report is %+v", e.Report)
			}
		case "step":
			steps++
			if e.Step != steps || e.Steps != 12 || !(e.Loss > 0) {
				t.Errorf("step %d: %+v", steps, e)
			}
		case "epoch":
			if !(e.ValLoss > 0) {
				t.Errorf("epoch: %+v", e)
			}
		}
	}
	if got, want := strings.Join(kinds, " "), "collection plan step epoch step epoch done"; got != want || steps != 12 {
		var problem string
		eval(t, page, `document.querySelector('#problem').innerText`, &problem)
		t.Fatalf("events %s with %d steps, want %s with 12; the page says %q", got, steps, want, problem)
	}
}

// exported takes the model that the tab exports into use here.
func exported(t *testing.T, page *browser.Page, device gpu.Backend) *app.Classifier {
	t.Helper()
	var encoded string
	eval(t, page, `await duet.export().then((blob) => new Promise((resolve) => {
		const reader = new FileReader();
		reader.onload = () => resolve(reader.result.split(',')[1]);
		reader.readAsDataURL(blob);
	}))`, &encoded)
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	files, err := checkpoint.OpenModelZip(bytes.NewReader(content), int64(len(content)), "the tab's model")
	if err != nil {
		t.Fatal(err)
	}
	m, err := app.Load(device, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	classifier := app.NewClassifier(m)
	t.Cleanup(classifier.Release)
	t.Logf("the exported model is %.1f MB, %d classes", float64(len(content))/1e6, len(m.Labels))
	return classifier
}

// compare drops a picture on the page, with words, and compares the answer
// shown with the native one. It returns the best probability.
func compare(t *testing.T, page *browser.Page, native *app.Classifier, picture, caption string) float32 {
	t.Helper()
	eval(t, page, `(() => {
		document.querySelector('#caption').value = `+quote(caption)+`;
		window.answer = null;
		window.plainClassify ??= duet.classify;
		duet.classify = async (...args) => { window.answer = await plainClassify(...args); return window.answer; };
	})()`, nil)
	if err := page.Drop(t.Context(), "#drop", picture); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `window.answer && document.querySelector('#answer .verdict strong') && !document.querySelector('#result[aria-busy]')`)
	var got app.Answer
	eval(t, page, `window.answer`, &got)
	decoded, err := data.DecodeFile(picture, 0)
	if err != nil {
		t.Fatal(err)
	}
	want, err := native.Classify(t.Context(), filepath.Base(picture), decoded, caption, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got.File != want.File || got.Caption != caption || got.Sure != want.Sure || len(got.Top) != len(want.Top) {
		t.Fatalf("the tab answers %+v, natively %+v", got, want)
	}
	worst := 0.0
	for i := range want.Top {
		off := math.Abs(float64(got.Top[i].P - want.Top[i].P))
		worst = max(worst, off)
		if (i == 0 && got.Top[i].Label != want.Top[i].Label) || !(off <= 1e-3) {
			t.Errorf("class %d is %+v in the tab, %+v natively", i+1, got.Top[i], want.Top[i])
		}
	}
	var shown string
	eval(t, page, `document.querySelector('#answer').innerText`, &shown)
	if !strings.Contains(shown, want.Top[0].Label) || strings.Contains(shown, "not sure") == want.Sure {
		t.Errorf("the page shows %q for %+v", shown, want)
	}
	t.Logf("%q: %s with %.4f, largest difference %.2g", caption, want.Top[0].Label, want.Top[0].P, worst)
	return want.Top[0].P
}

// TestTabRefuses gives the tab what it cannot use.
func TestTabRefuses(t *testing.T) {
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t))+"bare.html")
	eval(t, page, `await duet.ready`, nil)
	note := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(note, []byte("words, not pixels"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := page.Drop(t.Context(), "#drop", note); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `document.querySelector('#problem .problem')`)
	var shown string
	eval(t, page, `document.querySelector('#problem').innerText`, &shown)
	if !strings.Contains(shown, "not a picture") || !strings.Contains(shown, "JPEG") {
		t.Errorf("a text file gives %q", shown)
	}
	for _, test := range []struct{ name, call, code, message, reason string }{
		{"a text is no picture", `duet.classify(new Blob(['words']), '')`, "not-a-picture", "picture", "picture"},
		{"no blob", `duet.classify('cat.jpg', '')`, "not-a-picture", "Blob", ""},
		{"an unknown option", `duet.classify(new Blob(['x']), '', {tops: 3})`, "options", "tops", ""},
		{"unknown inputs", `duet.classify(new Blob(['x']), '', {inputs: 'sound'})`, "options", "sound", ""},
		{"no files", `duet.train([], {})`, "files", "no files", ""},
		{"a path that leads out", `duet.train({'../a.png': new Blob(['x'])}, {})`, "files", "../a.png", ""},
		{"nothing to learn", `duet.train({'a/1.png': new Blob(['x']), 'b/2.png': new Blob(['y'])}, {})`, "files", "no row is usable", "no-rows"},
		{"a misspelt flag", `duet.train({'a.png': new Blob(['x'])}, {learningRate: 1})`, "options", "learningRate", ""},
		{"an unknown configuration", `duet.train({'a.png': new Blob(['x'])}, {config: 'huge'})`, "options", "huge", ""},
		{"a function among the options", `duet.train({'a.png': new Blob(['x'])}, {lr: () => 1})`, "options", "train", ""},
		{"no model", `duet.load(new Blob(['PK']))`, "not-a-model", "model.zip", "model"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got struct{ Code, Message, Reason string }
			eval(t, page, `await `+test.call+`.then((r) => ({message: 'accepted: ' + JSON.stringify(r)}), (e) => ({code: e.code, message: e.message, reason: e.reason}))`, &got)
			if got.Code != test.code || got.Reason != test.reason || !strings.Contains(got.Message, test.message) {
				t.Errorf("got %+v, want %+v", got, test)
			}
		})
	}
	var alive struct{ Adapter string }
	if eval(t, page, `await duet.info()`, &alive); alive.Adapter == "" {
		t.Error("the engine is gone")
	}
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// TestTabStops trains by the API on pictures that the page draws: stops, goes
// on from what was learnt, evaluates, and puts the exported model back.
func TestTabStops(t *testing.T) {
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t))+"bare.html")
	eval(t, page, `await duet.ready.then(async () => {
		window.files = {};
		for (let i = 0; i < 12; i++) {
			const canvas = new OffscreenCanvas(40, 40);
			const pen = canvas.getContext('2d');
			pen.fillStyle = i % 2 ? '#d03020' : '#2040d0';
			pen.fillRect(i, i, 20, 20);
			files['mine/' + (i % 2 ? 'red' : 'blue') + '/' + i + '.png'] = await canvas.convertToBlob();
		}
		window.options = {init: 'none', inputs: 'image', imageSize: 32, batch: 4, seed: 5};
	})`, nil)

	var stopped struct {
		Stop, Again bool
		Busy        string
		During      app.Answer
		Done        struct {
			Event   string
			Step    int
			Stopped bool
		}
	}
	eval(t, page, `await (async () => {
		await duet.train(files, {...options, maxSteps: 2});
		const out = {};
		let step;
		const third = new Promise((resolve) => { step = resolve; });
		const training = duet.train(files, {...options, maxSteps: 100000, epochs: 100000}, (e) => { if (e.step >= 3) step(); });
		await third;
		out.busy = await duet.train(files, options).catch((e) => e.code);
		out.during = await duet.classify(files['mine/red/1.png'], '');
		out.stop = await duet.stop();
		out.done = await training;
		out.again = await duet.stop();
		return out;
	})()`, &stopped)
	if !stopped.Stop || stopped.Again || stopped.Busy != "busy" || !stopped.Done.Stopped || stopped.Done.Step < 3 || len(stopped.During.Top) != 2 {
		t.Errorf("stopping gave %+v", stopped)
	}

	var after struct {
		Before, After int64
		Name          string
		N             int
		Same          bool
	}
	eval(t, page, `await (async () => {
		const before = await duet.info();
		await duet.train(files, {...options, init: 'current', maxSteps: 3, name: 'two colours'});
		const answer = await duet.classify(files['mine/red/3.png'], '');
		const evaluation = await duet.evaluate(files, {split: 'all'});
		const blob = await duet.export();
		const info = await duet.load(blob);
		const again = await duet.classify(files['mine/red/3.png'], '');
		return {before: before.gpu_bytes, after: info.gpu_bytes, name: info.model.name, n: evaluation.n,
			same: JSON.stringify(answer) === JSON.stringify(again)};
	})()`, &after)
	if after.Name != "model.zip" || after.N != 12 || !after.Same {
		t.Errorf("going on gave %+v", after)
	}
	// The answer's program is compiled by now, which it was not before.
	if after.After > after.Before+8<<20 {
		t.Errorf("the device's memory grew from %d to %d bytes", after.Before, after.After)
	}
	t.Logf("stopped after %d steps; %.1f MB on the device, then %.1f MB", stopped.Done.Step, float64(after.Before)/1e6, float64(after.After)/1e6)
}

// TestTabDraws has the page draw a collection and train the default model's head
// on it: each picture and text goes through the towers once.
func TestTabDraws(t *testing.T) {
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t))+"bare.html")
	eval(t, page, `await duet.ready`, nil)
	eval(t, page, `(() => { document.querySelector('#training').open = true; document.querySelector('#sample').click(); })()`, nil)
	wait(t, page, `/shapes: \d+ files/.test(document.querySelector('#folder-name').textContent)`)
	var out struct {
		Report struct {
			Examples, Pictures int
			Classes            []string
		}
		Features struct{ Done, Total int }
		End      struct{ Step int }
	}
	eval(t, page, `await (async () => {
		const files = await duet.sample({n: 120, task: 'rule', seed: 4});
		const report = await duet.check(files);
		let features = {};
		const end = await duet.train(files, {tune: 'head', maxSteps: 6}, (e) => { if (e.event === 'features') features = e; });
		return {report, features, end};
	})()`, &out)
	if r := out.Report; r.Examples != 120 || len(r.Classes) != 4 || r.Pictures == 0 {
		t.Errorf("the report is %+v", r)
	}
	if f := out.Features; f.Done != f.Total || f.Total <= out.Report.Pictures {
		t.Errorf("%d of %d pictures and texts went through the towers", f.Done, f.Total)
	}
	if out.End.Step != 6 {
		t.Errorf("%d steps", out.End.Step)
	}
}
