// Package adapter says what kinds of adapters there are, for those who show it:
// the window in the tab links it without package gpu.
package adapter

// Class says what kind of processor an adapter is.
type Class string

// The classes of adapters.
const (
	Discrete   Class = "discrete GPU"
	Integrated Class = "integrated GPU"
	Software   Class = "software (CPU)"
	Unknown    Class = "unknown"
)
