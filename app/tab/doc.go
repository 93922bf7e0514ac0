// Package tab is the app's engine and its host in a browser tab: the engine is
// the worker behind window.duet (wasm/duet.js), models lie in the origin's
// private file system (wasm/store.js), files are Blobs that the page was given.
package tab
