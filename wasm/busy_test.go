//go:build !js

package wasm_test

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"duet/assets"
	"duet/wasm/browser"
)

// memories makes a page tell how much memory Go has in it and in its worker:
// memory() gives both in bytes.
const memories = `(() => {
	const plain = WebAssembly.instantiateStreaming;
	let here = null;
	WebAssembly.instantiateStreaming = async (...args) => {
		const made = await plain(...args);
		here = made.instance.exports.mem;
		return made;
	};
	const channel = new BroadcastChannel('memory');
	if (globalThis.document) {
		let there = 0;
		channel.onmessage = ({ data }) => { there = data; };
		globalThis.memory = () => [here?.buffer.byteLength ?? 0, there];
	} else {
		setInterval(() => { if (here) channel.postMessage(here.buffer.byteLength); }, 200);
	}
})();
`

// TestManyPictures drops 2,000 pictures at once and goes through their table:
// Go's memory stays below 400 MB in the page and in the worker.
func TestManyPictures(t *testing.T) {
	const n, answered, bound = 2000, 150, 400 << 20
	glue := tabFiles(t)["wasm_exec.js"].Data
	files := packed(t, built.dir, "0", map[string][]byte{"wasm_exec.js": append([]byte(memories), glue...)})
	p := &person{TB: t, page: browser.ForTest(t).MustOpen(t, serve(t, files)), dir: t.TempDir(), began: time.Now()}
	var paths []string
	for i := range n {
		sample, err := assets.Draw("rule", 3, i, 160)
		p.must(err)
		var picture bytes.Buffer
		p.must(png.Encode(&picture, sample.Image))
		paths = append(paths, filepath.Join(p.dir, fmt.Sprintf("%04d.png", i)))
		p.must(os.WriteFile(paths[i], picture.Bytes(), 0o666))
	}
	p.step("drawn")
	p.must(p.page.Drop(t.Context(), "#giowindow", paths...))
	p.find("text", fmt.Sprintf("of %d pictures", n))
	p.step("listed")
	wait(t, p.page, fmt.Sprintf(`[...document.querySelectorAll('#mirror > :not([role])')].some((e) => parseInt(e.textContent) >= %d && e.textContent.includes('of %d pictures'))`, answered, n))
	p.step("some answered")
	for i := range 40 {
		p.must(p.page.Wheel(t.Context(), 740, 620, map[bool]float64{true: 3000, false: -2000}[i < 30]))
		time.Sleep(30 * time.Millisecond)
	}
	p.shot("many")
	var memory []int64
	eval(t, p.page, `memory()`, &memory)
	var rows int
	eval(t, p.page, `[...document.querySelectorAll('#mirror > [role=button]')].filter((e) => /^[0-9]{4}\.png/.test(e.textContent)).length`, &rows)
	t.Logf("%d pictures: Go has %.0f MB in the page and %.0f MB in the worker; %d rows are drawn", n, float64(memory[0])/1e6, float64(memory[1])/1e6, rows)
	if memory[0] == 0 || memory[1] == 0 || slices.Max(memory) > bound {
		t.Errorf("Go has %v bytes of memory", memory)
	}
	if rows == 0 || rows > 40 {
		t.Errorf("%d rows are drawn", rows)
	}
	if errors := p.page.Errors(); len(errors) > 0 {
		t.Errorf("the console tells of %q", errors)
	}
}

// BenchmarkTypingWhileTraining types 100 characters into the app while its
// worker trains the whole model, and tells how long it takes until a frame shows
// a key (the median, the 95th percentile and the longest time), and the longest
// task of the page meanwhile.
func BenchmarkTypingWhileTraining(b *testing.B) {
	p := &person{TB: b, page: browser.ForTest(b).MustOpen(b, serve(b, tabFiles(b))), dir: b.TempDir(), began: time.Now()}
	p.find("text", "slow, with the same answers")
	picture, _ := p.draw("a.png", 1)
	p.must(p.page.Drop(b.Context(), "#giowindow", picture))
	p.told("a.png: ")
	p.click("radio", "Train")
	p.click("button", "Use the sample collection")
	p.click("radio", "Thorough")
	p.find("text", "Needs ")
	p.click("button", "Start training")
	p.find("text", "Step 2") // not the first ones, which compile
	p.click("radio", "Classify")
	p.enter("a question or a caption")
	for b.Loop() {
		eval(b, p.page, `(() => {
			window.tasks = [];
			window.waits = [];
			window.observer?.disconnect();
			window.observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration)));
			observer.observe({ type: 'longtask' });
			const shown = () => [...document.querySelectorAll('#mirror > [role=textbox]')].map((e) => e.textContent).join();
			window.watched ??= (document.addEventListener('keydown', (event) => {
				const before = shown();
				const look = () => {
					if (shown() !== before) requestAnimationFrame(() => waits.push(performance.now() - event.timeStamp));
					else requestAnimationFrame(look);
				};
				look();
			}, true), true);
		})()`, nil)
		for i := range 100 {
			p.must(p.page.Type(b.Context(), "k"))
			wait(b, p.page, fmt.Sprintf(`waits.length > %d`, i))
		}
		var waits, tasks []float64
		eval(b, p.page, `waits`, &waits)
		eval(b, p.page, `[0, ...tasks]`, &tasks)
		slices.Sort(waits)
		b.ReportMetric(waits[len(waits)/2], "median-ms")
		b.ReportMetric(waits[len(waits)*95/100], "p95-ms")
		b.ReportMetric(waits[len(waits)-1], "longest-ms")
		b.ReportMetric(slices.Max(tasks), "longest-task-ms")
	}
	p.click("radio", "Train")
	p.find("button", "Stop and keep") // it is still under way
}
