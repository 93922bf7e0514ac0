// chromedp starts processes and does not compile for js.
//go:build !js

package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Timeout bounds each call whose context has no deadline.
const Timeout = time.Minute

// ErrMissing says that no Chromium is installed.
var ErrMissing = errors.New("no chromium or google-chrome in PATH (make deps installs it; CHROMIUM names another)")

// flags start Chromium with WebGPU and WebGL2 on SwiftShader, keep it off the
// network, and keep tabs in the background at full speed.
var flags = map[string]any{
	"headless":                               "new",
	"no-first-run":                           true,
	"no-default-browser-check":               true,
	"enable-unsafe-webgpu":                   true,
	"use-webgpu-adapter":                     "swiftshader",
	"use-angle":                              "swiftshader",
	"enable-unsafe-swiftshader":              true,
	"window-size":                            "1280,800",
	"force-color-profile":                    "srgb",
	"hide-scrollbars":                        true,
	"mute-audio":                             true,
	"password-store":                         "basic",
	"use-mock-keychain":                      true,
	"disable-dev-shm-usage":                  true,
	"disable-background-timer-throttling":    true,
	"disable-backgrounding-occluded-windows": true,
	"disable-renderer-backgrounding":         true,
	"disable-hang-monitor":                   true,

	"host-resolver-rules":                    "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1",
	"no-proxy-server":                        true,
	"disable-quic":                           true,
	"disable-background-networking":          true,
	"disable-component-update":               true,
	"disable-default-apps":                   true,
	"disable-domain-reliability":             true,
	"disable-extensions":                     true,
	"disable-sync":                           true,
	"disable-breakpad":                       true,
	"disable-client-side-phishing-detection": true,
	"safebrowsing-disable-auto-update":       true,
	"metrics-recording-only":                 true,
	"disable-features":                       "MediaRouter,OptimizationHints,Translate,AutofillServerCommunication",
}

// A Browser is a running Chromium.
type Browser struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// Find returns the path of Chromium: the environment variable CHROMIUM, else
// the first of the usual names in PATH. It fails with [ErrMissing].
func Find() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	if name := os.Getenv("CHROMIUM"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("browser: %w", ErrMissing)
}

// Start runs Chromium until ctx ends or [Browser.Close]. Options come after the
// package's own, so chromedp.Flag("use-webgpu-adapter", "default") tests the
// machine's GPU.
func Start(ctx context.Context, options ...chromedp.ExecAllocatorOption) (*Browser, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	all := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path)}
	for name, value := range flags {
		all = append(all, chromedp.Flag(name, value))
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, append(all, options...)...)
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	b := &Browser{ctx: ctx, cancel: func() { cancel(); stop() }}
	// The life of the process hangs on the context of the first action, so its
	// timeout must not be a deadline of that context.
	late := time.AfterFunc(Timeout, stop)
	err = chromedp.Do(ctx)
	if !late.Stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("browser: starting %s: %w", path, err)
	}
	return b, nil
}

// Close ends the process and removes its profile. Pages become unusable.
func (b *Browser) Close() { b.cancel() }

// ForTest starts a browser that ends with the test. Where Chromium is missing
// it skips the test, except with CI=true: there it fails.
func ForTest(t testing.TB) *Browser {
	t.Helper()
	b, err := Start(context.Background())
	if errors.Is(err, ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// MustOpen is [Browser.Open] that fails the test. The page is closed with the test.
func (b *Browser) MustOpen(t testing.TB, url string) *Page {
	t.Helper()
	page, err := b.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	return page
}
