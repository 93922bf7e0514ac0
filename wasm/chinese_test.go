//go:build !js

package wasm_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"duet/wasm/browser"

	"github.com/chromedp/chromedp"
)

// fetchedFonts counts the fonts that the page has fetched.
const fetchedFonts = `performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.ttf')).length`

// TestChineseInTab opens the app in a browser that is set to Chinese: it begins in
// Chinese and draws what the native app does (app/view/testdata). In one that is
// set to English it fetches the fonts only when the name of the language shows.
func TestChineseInTab(t *testing.T) {
	files := tabFiles(t)
	if files["noto-sans-sc-regular.ttf"] == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there are no fonts for Chinese in bin/fonts: make fonts")
		}
		t.Skip("make fonts makes the fonts for Chinese")
	}
	address := serve(t, files)
	t.Run("zh", func(t *testing.T) {
		page := openIn(t, "zh-CN", address)
		(&person{TB: t, page: page}).click("button", "关闭") // that it is slow in software
		shows(t, page, "empty-zh-1280-light.png", 418)
	})
	t.Run("en", func(t *testing.T) {
		page := openIn(t, "en-US", address)
		(&person{TB: t, page: page}).click("button", "Close")
		shows(t, page, "empty-en-1280-light.png", 418)
		n := -1
		if eval(t, page, fetchedFonts, &n); n != 0 {
			t.Errorf("a page in English fetched %d fonts for Chinese", n)
		}
		if err := page.Do(t.Context(), chromedp.MouseClickXY(100, 240)); err != nil {
			t.Fatal(err)
		}
		wait(t, page, fetchedFonts+` === 2`)
		shows(t, page, "settings-en-1280-light.png", 290)
		if err := page.Do(t.Context(), chromedp.MouseClickXY(480, 123)); err != nil { // 简体中文
			t.Fatal(err)
		}
		wait(t, page, `localStorage.getItem('duet-settings')?.includes('"zh"')`)
		if err := page.Do(t.Context(), chromedp.MouseClickXY(100, 100)); err != nil {
			t.Fatal(err)
		}
		shows(t, page, "empty-zh-1280-light.png", 418)
	})
}

// openIn opens an address in a browser of a language, as wide as the golden frames.
func openIn(t *testing.T, language, address string) *browser.Page {
	t.Helper()
	b, err := browser.Start(t.Context(), chromedp.Flag("accept-lang", language))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	page := b.MustOpen(t, address+"window.css")
	if err := page.Do(t.Context(), chromedp.EmulateViewport(1280, 800), chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	var got string
	if eval(t, page, `navigator.language`, &got); got != language {
		t.Fatalf("the browser's language is %s", got)
	}
	return page
}

// shows waits until the page shows a golden frame, but for the edges of glyphs,
// down to a height: below it the adapter is named, and the tab has a button for
// the camera.
func shows(t *testing.T, page *browser.Page, golden string, height int) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "app", "view", "testdata", golden))
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var shot []byte
	differs := ""
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		if shot, err = page.Screenshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(bytes.NewReader(shot))
		if err != nil {
			t.Fatal(err)
		}
		if differs = unlike(got, want, height); differs == "" {
			return
		}
	}
	file := filepath.Join(os.TempDir(), "duet-"+golden)
	if err := os.WriteFile(file, shot, 0o666); err != nil {
		t.Error(err)
	}
	t.Errorf("the page does not show %s: %s; what it shows is in %s", golden, differs, file)
}

// unlike says how two pictures differ above a height, or nothing.
func unlike(a, b image.Image, height int) string {
	if a.Bounds() != b.Bounds() {
		return fmt.Sprintf("sizes %v and %v", a.Bounds(), b.Bounds())
	}
	far := 0
	var where image.Rectangle
	for y := range height {
		for x := range a.Bounds().Max.X {
			p, q := color.GrayModel.Convert(a.At(x, y)).(color.Gray), color.GrayModel.Convert(b.At(x, y)).(color.Gray)
			if d := int(p.Y) - int(q.Y); d < -40 || d > 40 {
				far++
				where = where.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if far > 60 {
		return fmt.Sprintf("%d pixels differ, within %v", far, where)
	}
	return ""
}
