package adapter

import "errors"

// Why computing is not possible, which is more to show than other errors.
var (
	ErrNone   = errors.New("no adapter")
	ErrLost   = errors.New("the GPU device was lost")
	ErrMemory = errors.New("out of memory")
)
