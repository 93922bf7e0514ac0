// Package wasm serves the tab: the page files of this folder and the program
// compiled for js/wasm, as `make wasm` lays them out in bin/web. [Handler] is
// the whole package; beside it stand the page's files (.html, .js, .css), which
// make wasm copies, and tools for tests (.mjs, and the packages node, tint and
// browser), which it does not.
//
// To add a page, put its files here: scripts and styles in files of their own,
// since the content security policy forbids inline ones, and any new file type
// in contentTypes.
package wasm
