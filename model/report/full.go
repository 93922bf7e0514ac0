//go:build !windows

package report

import (
	"errors"
	"syscall"
)

// isFull tells whether there was no room on the disk, or no more for this user.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
