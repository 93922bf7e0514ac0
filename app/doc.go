// Package app is what people use: it opens and exports models, trains,
// evaluates and classifies, for the command line, the tab's worker and the
// window alike. Functions take plain options and report through events; nothing
// here draws.
package app
