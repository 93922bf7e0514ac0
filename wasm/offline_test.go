//go:build !js

package wasm_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"duet/wasm"
	"duet/wasm/browser"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A host serves files that change, or none at all, and notes what was asked for.
type host struct {
	mu    sync.Mutex
	files fs.FS // nil: the network is gone
	asked []string
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	files := h.files
	h.asked = append(h.asked, r.URL.Path)
	h.mu.Unlock()
	if files == nil {
		panic(http.ErrAbortHandler)
	}
	wasm.Handler(files).ServeHTTP(w, r)
}

// serve changes the files and returns what was asked for before, sorted, once each.
func (h *host) serve(files fs.FS) (asked []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	asked = h.asked
	h.files, h.asked = files, nil
	slices.Sort(asked)
	return slices.Compact(asked)
}

// kept waits until a service worker is active and returns the names of the files
// that it keeps.
func kept(t *testing.T, page *browser.Page) (names []string) {
	t.Helper()
	wait(t, page, `navigator.serviceWorker.getRegistration().then((r) => r?.active?.state === 'activated')`)
	eval(t, page, `(await (await caches.open('duet')).keys()).map((r) => new URL(r.url).pathname.split('/').pop()).sort()`, &names)
	return names
}

// TestTabInstalls asks the browser whether it would install the app.
func TestTabInstalls(t *testing.T) {
	tab := browser.ForTest(t).MustOpen(t, serve(t, tabFiles(t)))
	kept(t, tab)
	err := tab.Do(t.Context(), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		manifest, err := cdp.Call(ctx, target, page.GetAppManifest, page.GetAppManifestParams{})
		if err != nil {
			return err
		}
		if !strings.HasSuffix(manifest.URL, "/manifest.webmanifest") || len(manifest.Errors) > 0 {
			t.Errorf("the manifest %q has the errors %+v", manifest.URL, manifest.Errors)
		}
		result, err := cdp.Call(ctx, target, page.GetInstallabilityErrors, cdp.Empty{})
		for _, e := range result.InstallabilityErrors {
			t.Errorf("not installable: %s %+v", e.ErrorID, e.ErrorArguments)
		}
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// TestTabOffline visits the app, takes the network away, and then has another
// version come.
func TestTabOffline(t *testing.T) {
	files := tabFiles(t)
	h := &host{files: files}
	server := httptest.NewServer(http.StripPrefix("/below", h)) // an app need not be at the root of its host
	defer server.Close()
	address := server.URL + "/below/"
	b := browser.ForTest(t)
	page := b.MustOpen(t, address)
	names := kept(t, page)
	var listed struct {
		Files map[string]struct{ Bytes int }
	}
	text := string(files["files.js"].Data)
	if err := json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimPrefix(text, "globalThis.duetFiles = "), ";\n")), &listed); err != nil {
		t.Fatal(err)
	}
	if len(names) != len(listed.Files)+1 || !slices.Contains(names, "main.wasm") || slices.Contains(names, "bench.html") {
		t.Fatalf("kept are %v", names)
	}

	h.serve(nil)
	again := func() {
		t.Helper()
		if err := page.Do(t.Context(), chromedp.Navigate(address)); err != nil {
			t.Fatal(err)
		}
		eval(t, page, `await duet.ready`, nil)
		wait(t, page, `performance.getEntriesByName('duet-first-frame').length`)
	}
	again()
	var answer struct{ Top []any }
	eval(t, page, `await (async () => { const files = await duet.sample({n: 4}); return duet.classify(files.find((f) => f.path.endsWith('.png')).blob); })()`, &answer)
	if len(answer.Top) == 0 {
		t.Error("no answer without a network")
	}
	var offline []string
	if offline = h.serve(nil); slices.ContainsFunc(offline, func(p string) bool { return p != "/sw.js" && p != "/files.js" && p != "/meter.js" }) {
		t.Errorf("with all files kept the page asked for %v", offline)
	}
	var csp string
	eval(t, page, `(await fetch('./')).headers.get('Content-Security-Policy')`, &csp)
	if !strings.Contains(csp, "connect-src 'self'") {
		t.Errorf("the kept page has the policy %q", csp)
	}

	// A version whose files do not match its list is not taken.
	newer := packed(t, built.dir, "0", map[string][]byte{"window.css": append(slices.Clone(files["window.css"].Data), "\n/* newer */\n"...)})
	half := fstest.MapFS{}
	for name, f := range newer {
		half[name] = f
	}
	half["window.css"] = files["window.css"]
	h.serve(half)
	eval(t, page, `window.stays = 1`, nil)
	eval(t, page, `await (async () => {
		const r = await navigator.serviceWorker.getRegistration();
		await new Promise((done) => {
			r.addEventListener('updatefound', () => { const w = r.installing; w.addEventListener('statechange', () => { if (w.state === 'redundant') done(); }); });
			r.update();
		});
	})()`, nil)
	var waiting bool
	eval(t, page, `Boolean(globalThis.duetNew || (await navigator.serviceWorker.getRegistration()).waiting)`, &waiting)
	if waiting {
		t.Error("half a version is offered")
	}

	// A whole one is offered; only what changed is fetched.
	h.serve(newer)
	eval(t, page, `await (await navigator.serviceWorker.getRegistration()).update()`, nil)
	wait(t, page, `globalThis.duetNew`)
	if asked := h.serve(newer); slices.Contains(asked, "/main.wasm") || !slices.Contains(asked, "/window.css") {
		t.Errorf("for a version with another style sheet the browser asked for %v", asked)
	}
	shown := func(page *browser.Page) (css string) {
		t.Helper()
		eval(t, page, `await (await fetch('window.css')).text()`, &css)
		return css
	}
	if strings.Contains(shown(page), "newer") {
		t.Error("the new version is in use before it was taken")
	}
	other := b.MustOpen(t, address+"bare.html")
	var taken bool
	eval(t, page, `await duetTakeNew()`, &taken)
	if taken || strings.Contains(shown(page), "newer") {
		t.Error("the new version is taken while another tab uses the old one")
	}
	other.Close()
	wait(t, page, `window.stays`)
	eval(t, page, `void duetTakeNew()`, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil { // the page is being loaded anew
		if page.Wait(ctx, `!window.stays && document.readyState === 'complete'`) == nil {
			break
		}
	}
	if !strings.Contains(shown(page), "newer") {
		t.Error("after loading anew the old version is in use")
	}
	wait(t, page, `caches.open('duet').then((c) => c.keys()).then((all) => all.length === `+jsonOf(len(names))+`)`)
	eval(t, page, `await duet.ready`, nil)
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// with returns the tab with something before or after the text of files.
func with(t *testing.T, changes ...[3]string) fstest.MapFS {
	t.Helper()
	tabFiles(t)
	change := map[string][]byte{}
	for _, c := range changes {
		change[c[0]] = []byte(c[1] + read(t, c[0]) + c[2])
	}
	return packed(t, built.dir, "0", change)
}

// TestTabSendsNothing uses the app and reads its meter, then sends something
// from the page, the worker and the service worker.
func TestTabSendsNothing(t *testing.T) {
	files := with(t, [3]string{"replay.js", "", `
		new BroadcastChannel('test').onmessage = () => fetch('nothing', { method: 'POST', body: new Uint8Array(500) }).catch(() => {});`}, [3]string{"sw.js", "", `
		addEventListener('message', (e) => { if (e.data === 'post') fetch('nothing', { method: 'POST', body: 'abc' }).catch(() => {}); });`})
	page := browser.ForTest(t).MustOpen(t, serve(t, files))
	dir := t.TempDir()
	picture, caption := drawSample(t, dir)
	wait(t, page, `window.duetDropped`)
	eval(t, page, `await duet.ready`, nil)
	eval(t, page, `(() => {
		window.answers = 0;
		const classify = duet.classify;
		duet.classify = async (...args) => { const a = await classify(...args); answers++; return a; };
	})()`, nil)
	if err := page.Drop(t.Context(), "#giowindow", picture, caption); err != nil {
		t.Fatal(err)
	}
	wait(t, page, `answers > 0`)
	eval(t, page, `await duet.train(await duet.sample({n: 40, task: 'rule'}), {tune: 'head', maxSteps: 3})`, nil)
	kept(t, page)
	type traffic struct {
		Sent, Fetched    int64
		Elsewhere, Files int
	}
	var m traffic
	eval(t, page, `duetTraffic()`, &m)
	if m.Sent != 0 || m.Elsewhere != 0 || m.Files < 8 || m.Fetched < 1<<20 {
		t.Errorf("after classifying and training the meter is at %+v", m)
	}
	t.Logf("%d files with %.1f MB came, %d bytes went", m.Files, float64(m.Fetched)/1e6, m.Sent)

	const sent = 1000 + 200 + 30 + 7 + 6 + 500 + 3
	eval(t, page, `await (async () => {
		await fetch('nothing', { method: 'POST', body: 'x'.repeat(1000) });
		await fetch(new Request('nothing', { method: 'POST', body: new Blob(['y'.repeat(200)]) }));
		await new Promise((done) => { const x = new XMLHttpRequest(); x.open('POST', 'nothing'); x.onloadend = done; x.send(new Uint8Array(30)); });
		navigator.sendBeacon('nothing', 'beacon!');
		await fetch('nothing?secret');
		new BroadcastChannel('test').postMessage('go');
		(await navigator.serviceWorker.getRegistration()).active.postMessage('post');
	})()`, nil)
	wait(t, page, `duetTraffic().sent >= `+jsonOf(sent))
	eval(t, page, `await new Promise((done) => { setTimeout(done, 500); })`, nil)
	eval(t, page, `duetTraffic()`, &m)
	if m.Sent != sent {
		t.Errorf("of %d bytes sent the meter counted %d", sent, m.Sent)
	}
	var webrtc string
	eval(t, page, `typeof RTCPeerConnection + typeof WebTransport`, &webrtc)
	if webrtc != "undefinedundefined" {
		t.Errorf("what cannot be counted is there: %s", webrtc)
	}
}

// TestAppSaysWhatIsMissing opens the app where it cannot be drawn or loaded, and
// where the browser stores nothing.
func TestAppSaysWhatIsMissing(t *testing.T) {
	files := tabFiles(t)
	without := fstest.MapFS{}
	for name, f := range files {
		if name != "tab.wasm" {
			without[name] = f
		}
	}
	const blind = `const plain = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = function (kind, ...args) { return /webgl/.test(kind) ? null : plain.call(this, kind, ...args); };`
	const chinese = `localStorage.setItem('duet-settings', JSON.stringify({ language: 'zh', theme: 'dark' }));`
	b := browser.ForTest(t)
	for _, test := range []struct {
		name                             string
		files                            fstest.MapFS
		problem, want, lang, theme, href string
	}{
		{"no WebGL", with(t, [3]string{"meter.js", blind}), "webgl", "draws no WebGL", "en", "light", "bare.html"},
		{"no WebGL, in Chinese", with(t, [3]string{"meter.js", chinese + blind}), "webgl", "无法使用 WebGL", "zh-CN", "dark", "bare.html"},
		{"no program", without, "failed", "could not be loaded", "en", "light", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			page := b.MustOpen(t, serve(t, test.files))
			wait(t, page, `document.querySelector('#loading[data-problem]')`)
			var got struct{ Problem, Text, Lang, Theme, Href, Role string }
			eval(t, page, `(() => { const box = document.querySelector('#loading'); const root = document.documentElement; return {
				problem: box.dataset.problem, text: box.innerText, lang: root.lang, theme: root.dataset.theme,
				href: box.querySelector('a').getAttribute('href'), role: box.getAttribute('role') }; })()`, &got)
			if got.Problem != test.problem || !strings.Contains(got.Text, test.want) || got.Lang != test.lang || got.Theme != test.theme || got.Href != test.href || got.Role != "alert" {
				t.Errorf("the page says %+v", got)
			}
		})
	}
	t.Run("no store", func(t *testing.T) {
		page := b.MustOpen(t, serve(t, with(t, [3]string{"meter.js", `StorageManager.prototype.getDirectory = async () => { throw new DOMException('no', 'SecurityError'); };`})))
		eval(t, page, `await duet.ready`, nil)
		wait(t, page, `performance.getEntriesByName('duet-first-frame').length`)
		var room struct{ Lasting, Persistent bool }
		eval(t, page, `await duetStore.room()`, &room)
		if room.Lasting {
			t.Error("the store says that models last")
		}
		if errs := page.Errors(); len(errs) > 0 {
			t.Errorf("the console tells of %q", errs)
		}
	})
}

// TestAppInsecure opens the app by a name that is neither localhost nor HTTPS:
// it is drawn and says why it cannot compute.
func TestAppInsecure(t *testing.T) {
	address := serve(t, tabFiles(t))
	b, err := browser.Start(t.Context(), chromedp.Flag("host-resolver-rules", "MAP duet.example 127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	page := b.MustOpen(t, strings.Replace(address, "127.0.0.1", "duet.example", 1))
	wait(t, page, `performance.getEntriesByName('duet-first-frame').length`)
	var got struct {
		Code   string
		Hidden bool
	}
	eval(t, page, `({code: await duet.ready.catch((e) => e.code), hidden: document.querySelector('#loading').hidden})`, &got)
	if got.Code != "insecure" || !got.Hidden {
		t.Errorf("%+v", got)
	}
	eval(t, page, `await new Promise((done) => { setTimeout(done, 1000); })`, nil)
	for _, line := range page.Errors() {
		if !strings.Contains(line, "Cross-Origin-Opener-Policy") { // browsers ignore it on such an address
			t.Errorf("the console tells of %q", line)
		}
	}
	leavePicture(t, page, "insecure.png")
}

// leavePicture leaves a picture of the page in the folder DUET_FRAMES, if set.
func leavePicture(t *testing.T, page *browser.Page, name string) {
	t.Helper()
	out := os.Getenv("DUET_FRAMES")
	if out == "" {
		return
	}
	eval(t, page, `await new Promise((done) => setTimeout(done, 1500))`, nil)
	shot, err := page.Screenshot(t.Context())
	if err == nil {
		err = os.WriteFile(filepath.Join(out, name), shot, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}
