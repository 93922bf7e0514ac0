package data

import (
	"image"
	"sync"
)

// Cache keeps resized pictures, 8 bits a channel, 4 bytes a pixel, until a
// budget of bytes is spent, so that epochs over small pictures decode only
// once. What came first stays: an epoch visits every picture once, and a cache
// that drops the oldest would then never be hit. Loaders may share one.
type Cache struct {
	budget int64

	mu    sync.Mutex
	used  int64
	bases map[cacheKey]*image.NRGBA
}

type cacheKey struct {
	picture *Picture
	short   int
	filter  string
}

// NewCache makes a cache of at most the given bytes; 0 keeps nothing.
func NewCache(budget int64) *Cache {
	return &Cache{budget: budget, bases: map[cacheKey]*image.NRGBA{}}
}

// Used returns how many bytes of pixels are kept.
func (c *Cache) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

func (c *Cache) get(key cacheKey) *image.NRGBA {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bases[key]
}

func (c *Cache) put(key cacheKey, base *image.NRGBA) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if size := int64(len(base.Pix)); c.bases[key] == nil && c.used+size <= c.budget {
		c.bases[key] = base
		c.used += size
	}
}
