//go:build linux || darwin

package hub

import "syscall"

// room is how many bytes a user may still write on the disk of a folder.
func room(dir string) (free int64, told bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

const errDiskFull = syscall.ENOSPC
