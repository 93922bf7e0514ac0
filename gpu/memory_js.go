package gpu

import "syscall/js"

// systemMemory is half of what the browser tells of the system's memory, where
// the adapter shares that: a rounded figure, and no more than 8 GB in most
// browsers, so that from there on nothing is known.
func systemMemory(class Class) int64 {
	memory := js.Global().Get("navigator").Get("deviceMemory")
	if class == Discrete || memory.Type() != js.TypeNumber || memory.Float() >= 8 {
		return 0
	}
	return int64(memory.Float() * (1 << 29))
}
