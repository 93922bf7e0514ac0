// chromedp starts processes and does not compile for js.
//go:build !js

package browser

import (
	"context"
	"sync"

	"github.com/chromedp/chromedp"
)

// console collects the messages of a page; Chromium relays those of its
// dedicated workers, their uncaught exceptions included.
type console struct {
	mu       sync.Mutex
	messages []chromedp.ConsoleMessage
}

// record subscribes before it returns and collects until ctx ends.
func (c *console) record(ctx context.Context) {
	messages := chromedp.Console(ctx)
	go func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			c.mu.Lock()
			c.messages = append(c.messages, message)
			c.mu.Unlock()
		}
	}()
}

func (c *console) lines(onlyErrors bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, m := range c.messages {
		switch m.Type {
		case chromedp.ConsoleError, chromedp.ConsoleException, "assert":
		default:
			if onlyErrors {
				continue
			}
		}
		lines = append(lines, m.String())
	}
	return lines
}
