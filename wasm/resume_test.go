//go:build !js

package wasm_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"duet/model/config"
	"duet/model/data"
	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// orders lets a test end the worker and lose its device, as crashes do.
const orders = `
const request = GPUAdapter.prototype.requestDevice;
let lent;
GPUAdapter.prototype.requestDevice = async function (...args) { return lent = await request.apply(this, args); };
new BroadcastChannel('orders').onmessage = ({data}) => {
	if (data === 'lose') lent.destroy();
	if (data === 'close') close();
	if (data === 'throw') setTimeout(() => { throw new Error('a crash'); });
};
`

// patched puts a script before the worker's own.
func patched(files fstest.MapFS, script string) fstest.MapFS {
	changed := fstest.MapFS{}
	for name, f := range files {
		changed[name] = f
	}
	changed["replay.js"] = &fstest.MapFile{Data: []byte("{" + script + "}\n" + string(files["replay.js"].Data))}
	return changed
}

// resumeSteps is long enough for several epochs.
const resumeSteps = 40

// resumeOptions are those of a training of little that nonetheless has all that
// is random: order, augmentation, dropout.
func resumeOptions(t *testing.T) string {
	t.Helper()
	c, err := config.Named("small")
	if err != nil {
		t.Fatal(err)
	}
	c.Vision.Width, c.Vision.Blocks = 4, []int{1, 1}
	c.Text.Hidden, c.Text.Layers, c.Text.Heads, c.Text.Intermediate, c.ProjectionDim = 16, 1, 2, 32, 16
	c.Text.VocabSize = 300
	c.Image.Size, c.Image.ResizeShort = 32, 32
	c.Augment = data.DefaultAugment()
	c.Recipe.Batch, c.Recipe.Warmup, c.Recipe.Dropout, c.Recipe.ClipNorm = 8, 5, 0.1, 1
	return fmt.Sprintf(`{config: %s, init: 'none', seed: 7, maxSteps: %d, saveEvery: 0.1, give: true}`, c.Marshal(), resumeSteps)
}

// watch has a page train or resume, told by a call that takes see; what it sees
// and comes to is in window.seen and window.ended.
func watch(t *testing.T, page *browser.Page, call string) {
	t.Helper()
	eval(t, page, `(() => {
		window.seen ??= [];
		window.ended = null;
		const see = (e) => { if (e.event === 'step') seen.push([e.step, e.loss]); else if (e.event !== 'features') seen.push(e.event); };
		(async () => {
			const {blob, files, ...end} = await `+call+`;
			const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
			window.ended = {...end, hash: hash.toHex?.() ?? [...hash].join(' '), files: files?.length};
		})().catch((e) => { window.ended = {code: e.code ?? e.name, message: e.message}; });
	})()`, nil)
}

// ending is what a training comes to.
type ending struct {
	Step          int
	ValTop1       float64 `json:"val_top1"`
	Hash          string
	Files         int
	Code, Message string
}

// losses are those that a page has seen since it was last asked, in order, as
// they were written.
type losses []struct {
	step int
	loss string
}

func seen(t *testing.T, page *browser.Page) (l losses, events []string) {
	t.Helper()
	var all []json.RawMessage
	eval(t, page, `window.seen?.splice(0) ?? []`, &all)
	for _, raw := range all {
		var step []json.Number
		if json.Unmarshal(raw, &step) != nil {
			events = append(events, strings.Trim(string(raw), `"`))
			continue
		}
		n, _ := step[0].Int64()
		l = append(l, struct {
			step int
			loss string
		}{int(n), step[1].String()})
	}
	return l, events
}

// stored lists the files of the trainings in the origin's private file system.
func stored(t *testing.T, page *browser.Page) (names []string) {
	t.Helper()
	eval(t, page, `await (async () => {
		const names = [];
		const walk = async (dir, path) => {
			for await (const [name, handle] of dir.entries()) {
				if (handle.kind === 'file') names.push(path + name);
				else await walk(handle, path + name + '/');
			}
		};
		await walk(await navigator.storage.getDirectory(), '');
		return names.filter((name) => name.startsWith('jobs/'));
	})()`, &names)
	return names
}

// TestTabResumes interrupts trainings at random steps, by leaving the page, by
// closing it, by ending the worker, by an uncaught error in it and by losing the
// adapter: every loss is that of the undisturbed training to the bit, and so is
// the model.
func TestTabResumes(t *testing.T) {
	address := serve(t, fs.FS(patched(tabFiles(t), orders))) + "bare.html"
	b := browser.ForTest(t)
	page := b.MustOpen(t, address)
	options := resumeOptions(t)
	begun := time.Now()
	eval(t, page, `await duet.ready`, nil)
	t.Logf("the engine starts in %v", time.Since(begun).Round(time.Millisecond))
	const sample = `duet.sample({n: 120, task: 'rule', seed: 4, size: 32})`

	begun = time.Now()
	watch(t, page, `duet.train(await `+sample+`, {...`+options+`, job: 'undisturbed'}, see)`)
	wait(t, page, `window.ended`)
	var want ending
	eval(t, page, `window.ended`, &want)
	whole := map[int]string{}
	first, _ := seen(t, page)
	for _, l := range first {
		whole[l.step] = l.loss
	}
	if want.Code != "" || want.Step != resumeSteps || len(whole) != resumeSteps || len(first) != resumeSteps || want.Hash == "" {
		t.Fatalf("the undisturbed training ends with %+v after %d losses", want, len(first))
	}
	t.Logf("the undisturbed training takes %v", time.Since(begun).Round(time.Millisecond))
	eval(t, page, `await duet.discard('undisturbed')`, nil)
	if names := stored(t, page); len(names) > 0 {
		t.Errorf("after it was discarded there is %q", names)
	}

	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	kinds := []string{"leave", "lose", "close", "shut", "throw"}
	trials, resumed := 0, 0
	for training := range 2 {
		id := fmt.Sprint("training-", training)
		files := `await ` + sample
		if training > 0 { // else it is drawn again
			files = `[...await ` + sample + `]`
		}
		random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		got := map[int]string{}
		check := func() (from int) {
			part, _ := seen(t, page)
			for _, l := range part {
				if whole[l.step] != l.loss {
					t.Fatalf("seed %d: %s: the loss of step %d is %s, undisturbed %s", seed, id, l.step, l.loss, whole[l.step])
				}
				got[l.step] = l.loss
			}
			if len(part) > 0 {
				from = part[0].step
			}
			return from
		}
		watch(t, page, `duet.train(`+files+`, {...`+options+`, job: '`+id+`'}, see)`)
		at := 0
		for _, kind := range kinds {
			at += 1 + random.IntN(resumeSteps/len(kinds)-1)
			wait(t, page, fmt.Sprintf(`window.ended || seen.some((e) => e[0] >= %d)`, at))
			check()
			trials++
			anew := kind == "leave" || kind == "shut"
			switch kind {
			case "leave":
				if err := page.Do(t.Context(), chromedp.Navigate(address+"?again")); err != nil {
					t.Fatal(err)
				}
			case "shut":
				page.Close()
				page = b.MustOpen(t, address)
			default:
				eval(t, page, `new BroadcastChannel('orders').postMessage('`+kind+`')`, nil)
			}
			if anew {
				var jobs []struct {
					ID   string
					Step int
					Done bool
				}
				wait(t, page, `window.duet && (await duet.jobs()).length > 0`)
				eval(t, page, `await duet.jobs()`, &jobs)
				if len(jobs) != 1 || jobs[0].ID != id || jobs[0].Done {
					t.Fatalf("after %s: %+v", kind, jobs)
				}
				watch(t, page, `duet.resume('`+id+`', see)`)
			}
			wait(t, page, `window.ended || seen.includes('collection') && seen.some((e) => e[0] > 0)`)
			var early *ending
			if eval(t, page, `window.ended`, &early); early != nil {
				t.Fatalf("seed %d: %s: %s at step %d: the training ends with %+v", seed, id, kind, at, *early)
			}
			from := check()
			if from > 1 {
				resumed++
			}
			t.Logf("%s: %s at step %d, goes on with step %d", id, kind, at, from)
		}
		wait(t, page, `window.ended`)
		check()
		var end ending
		eval(t, page, `window.ended`, &end)
		if len(got) != len(whole) || end.Code != "" || end.Step != want.Step || end.ValTop1 != want.ValTop1 || end.Hash != want.Hash {
			t.Errorf("seed %d: %s: %d losses, ends with %+v, undisturbed %+v", seed, id, len(got), end, want)
		}
		eval(t, page, `await duet.discard('`+id+`')`, nil)
		if names := stored(t, page); len(names) > 0 {
			t.Errorf("%s: after it was discarded there is %q", id, names)
		}
	}
	t.Logf("%d interruptions, %d of them resumed from a state, the others begun anew", trials, resumed)
	if trials < 10 || resumed < trials/2 {
		t.Errorf("seed %d: only %d resumptions after %d interruptions", seed, resumed, trials)
	}
}
