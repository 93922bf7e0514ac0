// Package local is the app's engine and its host on this machine: it opens the
// adapter, keeps the models in one folder, and reads and writes files. The
// window uses it; a tab has a worker instead.
package local
