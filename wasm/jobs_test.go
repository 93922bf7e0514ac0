//go:build !js

package wasm_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"duet/wasm/browser"
)

// TestTabStartsAgain starts the engine again where it could not start, where it
// ended and where it lost its adapter; the model in use stays.
func TestTabStartsAgain(t *testing.T) {
	files := patched(tabFiles(t), `navigator.gpu.requestAdapter = async () => null;`)
	page := browser.ForTest(t).MustOpen(t, serve(t, files)+"bare.html")
	outcome := func(call string) (s string) {
		t.Helper()
		eval(t, page, `await `+call+`.then((info) => 'the model ' + info.model.name, (e) => e.code)`, &s)
		return s
	}
	if got := []string{outcome(`duet.ready`), outcome(`duet.info()`), outcome(`duet.start()`)}; strings.Join(got, " ") != "no-adapter no-adapter no-adapter" {
		t.Errorf("without an adapter: %q", got)
	}
	files["replay.js"] = patched(files, orders)["replay.js"]
	files["replay.js"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(files["replay.js"].Data), "async () => null", "GPU.prototype.requestAdapter"))}
	if got := outcome(`duet.start()`); got != "the model default" {
		t.Fatalf("with an adapter: %s", got)
	}
	if got := outcome(`duet.export('default').then((blob) => duet.load(new File([blob], 'mine.zip')))`); got != "the model mine.zip" {
		t.Fatal(got)
	}
	for _, order := range []string{"close", "lose"} {
		eval(t, page, `new BroadcastChannel('orders').postMessage('`+order+`')`, nil)
		var file string
		eval(t, page, `await (async () => {
			const canvas = new OffscreenCanvas(40, 40);
			canvas.getContext('2d').fillRect(0, 0, 20, 20);
			const picture = new File([await canvas.convertToBlob()], 'dark.png');
			return (await duet.classify(picture, 'what is this?')).file;
		})().catch((e) => e.code + ': ' + e.message)`, &file)
		if file != "dark.png" {
			t.Errorf("after %s: %s", order, file)
		}
		if got := outcome(`duet.info()`); got != "the model mine.zip" {
			t.Errorf("after %s: %s", order, got)
		}
	}
}

// TestTabJobs trains in one tab what another must leave alone, ends it in every
// way, and trains where there is no room.
func TestTabJobs(t *testing.T) {
	address := serve(t, tabFiles(t)) + "bare.html"
	b := browser.ForTest(t)
	page := b.MustOpen(t, address)
	other := b.MustOpen(t, address)
	eval(t, page, `await (async () => {
		window.options = {...`+resumeOptions(t)+`, maxSteps: 100000, epochs: 100000};
		window.files = [...await duet.sample({n: 60, task: 'rule', seed: 4, size: 32})];
		window.code = (promise) => promise.then(() => 'done', (e) => e.code);
		window.begun = (run) => new Promise((resolve) => {
			window.running = run((e) => { if (e.event === 'step' && e.step >= 2) resolve(e.step); });
		});
	})()`, nil)
	say := func(page *browser.Page, call, want string) {
		t.Helper()
		var got string
		if eval(t, page, `String(await (`+call+`))`, &got); got != want {
			t.Errorf("%s gives %s, want %s", call, got, want)
		}
	}
	eval(t, other, `(() => { window.code = (promise) => promise.then(() => 'done', (e) => e.code); })()`, nil)

	say(page, `code(duet.train(files, {...options, job: '../up'}))`, "options")
	say(page, `code(duet.train(files, {...options, job: 'odd', learningRate: 1}))`, "options")
	say(page, `code(duet.resume('odd'))`, "no-job")
	eval(t, page, `await (async () => { window.end = new AbortController(); await begun((e) => duet.train(files, {...options, job: 'long', note: {of: 'mine'}, signal: end.signal}, e)); })()`, nil)
	say(page, `code(duet.train(files, {...options, job: 'second'}))`, "busy")
	say(page, `code(duet.discard('long'))`, "busy")
	for _, p := range []*browser.Page{page, other} {
		say(p, `(await duet.jobs()).length`, "0")
	}
	say(other, `code(duet.resume('long'))`, "busy")
	say(other, `code(duet.discard('long'))`, "busy")
	say(page, `(end.abort(), code(running))`, "cancelled")

	var jobs []struct {
		ID   string
		Note struct{ Of string }
		Step int
		Done bool
	}
	if eval(t, other, `await duet.jobs()`, &jobs); len(jobs) != 1 || jobs[0].ID != "long" || jobs[0].Note.Of != "mine" || jobs[0].Step < 2 || jobs[0].Done {
		t.Errorf("interrupted: %+v", jobs)
	}
	say(page, `code(duet.train(files, {...options, job: 'long'}))`, "options")
	eval(t, page, `await begun((e) => duet.resume('long', e))`, nil)
	say(page, `duet.stop()`, "true")
	say(page, `(async () => { const r = await running; return [r.stopped, r.step > 2, r.blob.size > 1000, r.files.length === files.length]; })()`, "true,true,true,true")
	say(page, `duet.discard('long', {keepFiles: true})`, "undefined")
	say(page, `(async () => (await running).files[0].blob.text().then((s) => s.length > 0))()`, "true")
	if names := stored(t, page); len(names) != 1 || names[0] != "jobs/long/files" {
		t.Errorf("discarded but for its files: %q", names)
	}
	say(other, `(await duet.jobs()).length`, "0")
	if names := stored(t, page); len(names) != 1 {
		t.Errorf("another tab removes what this one reads: %q", names)
	}
	page.Close()
	wait(t, other, `duet.jobs().then(async () => { for await (const id of (await (await navigator.storage.getDirectory()).getDirectoryHandle('jobs')).keys()) return false; return true; })`)

	eval(t, other, `(() => { window.unkept = []; navigator.storage.estimate = async () => ({quota: 1000, usage: 0}); })()`, nil)
	say(other, `(async () => {
		const files = [...await duet.sample({n: 60, task: 'rule', seed: 4, size: 32})];
		const end = await duet.train(files, {...`+resumeOptions(t)+`, maxSteps: 2, job: 'full'}, (e) => { if (e.event === 'unkept') unkept.push(e.message); });
		return [end.step, unkept.length, /room/.test(unkept[0]), (await duet.jobs()).length];
	})()`, "2,1,true,0")
	if names := stored(t, other); len(names) > 0 {
		t.Errorf("without room there is %q", names)
	}
}

// TestTabCancels ends calls early, and asks several times about the same files.
func TestTabCancels(t *testing.T) {
	page := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t))+"bare.html")
	var out struct {
		Before, Early, During, After string
		Estimates                    []struct {
			Bytes, Steps int
			Seconds      float64
		}
		Took      []float64
		Here, Now int
	}
	eval(t, page, `await (async () => {
		const out = {took: []};
		const files = await duet.sample({n: 600, task: 'rule'});
		const code = (promise) => promise.then(() => 'done', (e) => e.code);
		const end = new AbortController();
		const check = code(duet.check(files, {signal: end.signal}));
		end.abort();
		out.early = await check;
		out.before = await code(duet.check(files, {signal: end.signal}));
		const late = new AbortController();
		const stale = code(duet.check([...files].reverse(), {signal: late.signal}));
		setTimeout(() => late.abort(), 1);
		out.during = await stale;
		out.after = await code(duet.check(files));
		out.estimates = [];
		for (const tune of ['head', 'all', 'last']) {
			const begun = performance.now();
			out.estimates.push(await duet.estimate(files, {tune}));
			out.took.push(performance.now() - begun);
		}
		out.here = (await duet.check(files)).examples;
		files.splice(10, 10);
		out.now = (await duet.check(files)).examples;
		return out;
	})()`, &out)
	if out.Before != "cancelled" || out.Early != "cancelled" || out.During != "cancelled" || out.After != "done" {
		t.Errorf("cancelling gives %+v", out)
	}
	for i, e := range out.Estimates {
		if e.Bytes <= 0 || e.Steps <= 0 || !(e.Seconds > 0) {
			t.Errorf("estimate %d is %+v", i, e)
		}
	}
	if len(out.Took) != 3 || out.Took[1] > out.Took[0] || out.Took[2] > out.Took[0] {
		t.Errorf("the estimates take %v ms: the speed is measured once", out.Took)
	}
	if out.Here != 600 || out.Now >= out.Here {
		t.Errorf("%d examples, and without some of the files %d", out.Here, out.Now)
	}
	t.Logf("%+v", out)
}
