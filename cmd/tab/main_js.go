// Command tab, compiled for the browser, is the app's face in a tab: the views of
// package view on the page's canvas, over the worker behind window.duet.
package main

import (
	"context"
	"syscall/js"

	"duet/app/tab"
	"duet/app/view"

	"gioui.org/app"
)

func main() {
	engine := tab.NewEngine(js.Global().Get("duet"), js.Global().Get("duetStore"))
	host := tab.Host{}
	go func() {
		err := view.Window(context.Background(), view.Face{
			Engine: engine, Host: host, Decode: host.Thumbnail, Listen: host.Listen, Mirror: tab.Mirror(),
			Chinese: func() (c view.Chinese, err error) {
				c.Regular, c.SemiBold, err = host.Chinese()
				return c, err
			},
		})
		if err != nil {
			js.Global().Get("console").Call("error", err.Error())
		}
	}()
	app.Main()
}
