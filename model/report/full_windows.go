package report

import (
	"errors"
	"syscall"
)

// isFull tells whether there was no room on the disk.
func isFull(err error) bool {
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112)
	return errors.Is(err, handleDiskFull) || errors.Is(err, diskFull)
}
