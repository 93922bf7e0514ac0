//go:build !js

package wasm_test

import (
	"testing"

	"duet/wasm/browser"
)

// BenchmarkStart opens the app in a browser that has never seen it, with the
// files packed as make wasm packs them, and drops a picture at once. It reports
// the milliseconds from the beginning of the navigation to the app's first frame,
// to the engine's being ready, and to the first answer. Run it with
//
//	go test -run '^$' -bench Start -benchtime 3x ./wasm
func BenchmarkStart(b *testing.B) {
	tabFiles(b)
	address := serve(b, packed(b, built.dir, "9", nil))
	picture, caption := drawSample(b, b.TempDir())
	var sum, most struct{ Frame, Ready, Answer, Drawn float64 }
	for b.Loop() {
		chromium, err := browser.Start(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		page := chromium.MustOpen(b, address)
		eval(b, page, `void (window.marks = new Promise((done) => {
			const begin = () => {
				const classify = duet.classify;
				let ready = 0;
				duet.ready.then(() => { ready = performance.now(); });
				duet.classify = async (...args) => {
					const a = await classify(...args);
					const answer = performance.now();
					requestAnimationFrame(() => requestAnimationFrame(() => done({
						frame: performance.getEntriesByName('duet-first-frame')[0].startTime, ready, answer, drawn: performance.now() })));
					return a;
				};
			};
			if (window.duet) begin(); else setTimeout(begin, 50);
		}))`, nil)
		if err := page.Drop(b.Context(), "#giowindow", picture, caption); err != nil {
			b.Fatal(err)
		}
		var got struct{ Frame, Ready, Answer, Drawn float64 }
		eval(b, page, `await marks`, &got)
		b.Logf("first frame %.0f ms, engine %.0f ms, first answer %.0f ms, drawn %.0f ms", got.Frame, got.Ready, got.Answer, got.Drawn)
		sum.Frame, sum.Ready, sum.Answer, sum.Drawn = sum.Frame+got.Frame, sum.Ready+got.Ready, sum.Answer+got.Answer, sum.Drawn+got.Drawn
		most.Answer = max(most.Answer, got.Answer)
		page.Close()
		chromium.Close()
	}
	n := float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(sum.Frame/n, "frame-ms")
	b.ReportMetric(sum.Ready/n, "engine-ms")
	b.ReportMetric(sum.Answer/n, "answer-ms")
}
