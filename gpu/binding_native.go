//go:build !js

package gpu

/*
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// Three calls that the Go binding (v0.23.0) gets wrong, made directly:
//
// MapAsync and OnSubmittedWorkDone hand C the address of a Go variable that
// lives only as long as the call; the callback comes later and may read freed
// memory. Here what the callback touches is C memory.
//
// CreateInstance leaves fields of its extras unset, which aborts the process at
// random ("Unknown gles3 minor version"); without extras it probes OpenGL, too.
//
// They can go when the binding pins its handles and clears its memory.

void wgpuBufferMapAsync(void *buffer, uint32_t mode, size_t offset, size_t size,
	void (*callback)(int status, void *userdata), void *userdata);
void wgpuQueueOnSubmittedWorkDone(void *queue, void (*callback)(int status, void *userdata), void *userdata);

typedef struct {
	uint64_t done;   // submissions done
	int32_t  failed; // status of the first one that failed, or 0
	int32_t  mapped; // status of the last map, -1 while it is pending
} duet_progress;

static void duet_on_done(int status, void *userdata) {
	duet_progress *p = userdata;
	p->done++;
	if (status != 0 && p->failed == 0) p->failed = status;
}

static void duet_on_map(int status, void *userdata) {
	((duet_progress *)userdata)->mapped = status;
}

typedef struct {
	struct { void const *next; uint32_t type; } chain;
	uint32_t backends, flags;
	int dx12_compiler, gles3_minor;
	char const *dxil_path, *dxc_path;
} duet_instance_extras;

void *wgpuCreateInstance(void const *descriptor);

static void *duet_create_instance(uint32_t backends) {
	duet_instance_extras extras = {.chain = {NULL, 0x00030006}, .backends = backends};
	struct { void const *next; } descriptor = {&extras};
	return wgpuCreateInstance(&descriptor);
}

static void duet_notify(void *queue, duet_progress *p) {
	wgpuQueueOnSubmittedWorkDone(queue, duet_on_done, p);
}

static void duet_map_read(void *buffer, size_t size, duet_progress *p) {
	p->mapped = -1;
	wgpuBufferMapAsync(buffer, 1, 0, size, duet_on_map, p);
}
*/
import "C"

import (
	"reflect"
	"unsafe"

	"github.com/cogentcore/webgpu/wgpu"
)

// progress is what the library's callbacks write, in C memory. The callbacks
// run inside calls of the library, so reading it under the device's lock is safe.
type progress struct{ c *C.duet_progress }

func newProgress() progress {
	return progress{(*C.duet_progress)(C.calloc(1, C.size_t(unsafe.Sizeof(C.duet_progress{}))))}
}

func (p progress) free() { C.free(unsafe.Pointer(p.c)) }

// done is the number of submissions known to be done.
func (p progress) done() uint64 { return uint64(p.c.done) }

// failed is the status of the first submission that failed, or 0.
func (p progress) failed() int { return int(p.c.failed) }

// mapped is the status of the last map: -1 while it is pending, 0 when the
// buffer is mapped.
func (p progress) mapped() int { return int(p.c.mapped) }

// notify counts the work submitted so far as one more submission once it is done.
func (p progress) notify(q *wgpu.Queue) { C.duet_notify(reference(q), p.c) }

// mapRead asks for the first n bytes of a buffer to be mapped for reading.
func (p progress) mapRead(b *wgpu.Buffer, n int) {
	C.duet_map_read(reference(b), C.size_t(n), p.c)
}

// newInstance returns an instance of some backends.
func newInstance(backends wgpu.InstanceBackend) *wgpu.Instance {
	instance := new(wgpu.Instance)
	field := reflect.ValueOf(instance).Elem().FieldByName("ref")
	*(*unsafe.Pointer)(field.Addr().UnsafePointer()) = C.duet_create_instance(C.uint32_t(backends))
	return instance
}

// reference returns the library's own pointer behind an object of the binding.
func reference(object any) unsafe.Pointer {
	return reflect.ValueOf(object).Elem().FieldByName("ref").UnsafePointer()
}
