//go:build !linux && !darwin && !js

package hub

import "syscall"

// room is not known here: where the disk is full, writing says so.
func room(string) (free int64, told bool) { return 0, false }

// errDiskFull is ERROR_DISK_FULL, what Windows says for ENOSPC.
const errDiskFull = syscall.Errno(112)
