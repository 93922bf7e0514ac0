package report

import "runtime/debug"

// version is what make calls the program, from git.
var version string

// Version is the program's version: what make has called it, else what the Go
// toolchain has; empty where neither knows.
func Version() string {
	if version != "" {
		return version
	}
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "(devel)" {
		return build.Main.Version
	}
	return ""
}
