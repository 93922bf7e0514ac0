//go:build !js

package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"duet/gpu/adapter"

	"github.com/cogentcore/webgpu/wgpu"
)

// handle is the native library's device.
type handle struct {
	instance *wgpu.Instance
	device   *wgpu.Device
	queue    *wgpu.Queue
	layouts  map[string]*wgpu.BindGroupLayout // by the kinds of their bindings
	progress progress
	sent     uint64 // submissions counted by progress
	unsent   int64  // bytes written since the last submit
	timing   bool   // the device has timestamps
}

// primary are the backends tried first; OpenGL comes last since it is slow to
// probe and complains on standard error where there is no display.
const primary = wgpu.InstanceBackendVulkan | wgpu.InstanceBackendMetal | wgpu.InstanceBackendDX12

// candidate is an adapter with what it says about itself.
type candidate struct {
	adapter *wgpu.Adapter
	info    Info
}

func open(ctx context.Context, o Options) (handle, Info, error) {
	var instance *wgpu.Instance
	var all []candidate
	for _, backends := range []wgpu.InstanceBackend{primary, wgpu.InstanceBackendGL} {
		if err := ctx.Err(); err != nil {
			return handle{}, Info{}, err
		}
		instance, all = enumerate(backends)
		if len(all) > 0 {
			break
		}
		instance.Release()
	}
	if len(all) == 0 {
		return handle{}, Info{}, fmt.Errorf("%w: install a Vulkan, Metal or Direct3D 12 driver (on Debian without a GPU: mesa-vulkan-drivers)", adapter.ErrNone)
	}
	defer releaseAll(all)
	wanted := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !c.info.matches(o.Adapter) })
	if len(wanted) == 0 {
		instance.Release()
		var names []string
		for _, c := range all {
			names = append(names, fmt.Sprintf("%s (%s)", c.info.Name, c.info.Class))
		}
		return handle{}, Info{}, fmt.Errorf("no adapter matches %q; there are: %s", o.Adapter, strings.Join(names, ", "))
	}
	var failures []error
	for _, c := range wanted {
		h, limits, err := request(c, o)
		if err == nil {
			h.instance = instance
			c.info.Limits = limits
			return h, c.info, nil
		}
		failures = append(failures, fmt.Errorf("adapter %s: %w", c.info.Name, err))
	}
	instance.Release()
	return handle{}, Info{}, errors.Join(failures...)
}

func adapters(context.Context) ([]Info, error) {
	var list []Info
	for _, backends := range []wgpu.InstanceBackend{primary, wgpu.InstanceBackendGL} {
		instance, all := enumerate(backends)
		for _, c := range all {
			list = append(list, c.info)
		}
		releaseAll(all)
		instance.Release()
		if len(list) > 0 {
			break
		}
	}
	return list, nil
}

// enumerate lists the adapters of some backends, best first.
func enumerate(backends wgpu.InstanceBackend) (*wgpu.Instance, []candidate) {
	// Whatever the library would log comes back as an error, too.
	wgpu.SetLogLevel(wgpu.LogLevelOff)
	defer quietWayland()()
	instance := newInstance(backends)
	var all []candidate
	for _, a := range instance.EnumerateAdapters(&wgpu.InstanceEnumerateAdapterOptons{Backends: backends}) {
		all = append(all, candidate{adapter: a, info: describe(a)})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(rank(a.info.Class), rank(b.info.Class)) })
	return instance, all
}

// quietWayland keeps Mesa's Vulkan layers from complaining on standard error
// where there is no Wayland session; the returned function ends it.
func quietWayland() func() {
	const name = "XDG_RUNTIME_DIR"
	if runtime.GOOS != "linux" || os.Getenv(name) != "" || os.Getenv("WAYLAND_DISPLAY") != "" {
		return func() {}
	}
	os.Setenv(name, os.TempDir())
	return func() { os.Unsetenv(name) }
}

func releaseAll(all []candidate) {
	for _, c := range all {
		c.adapter.Release()
	}
}

// describe reads what an adapter says about itself. The binding's fields are
// shifted: the description holds the name, the name the device's number.
func describe(a *wgpu.Adapter) Info {
	i := a.GetInfo()
	class := Unknown
	switch i.AdapterType {
	case wgpu.AdapterTypeDiscreteGPU:
		class = Discrete
	case wgpu.AdapterTypeIntegratedGPU:
		class = Integrated
	case wgpu.AdapterTypeCPU:
		class = Software
	}
	name := cmp.Or(strings.TrimSpace(i.DriverDescription), i.Name)
	return Info{
		Backend: "webgpu",
		Name:    name,
		Vendor:  vendor(i.VendorId),
		Driver:  strings.TrimSpace(fmt.Sprintf("%v %s", i.BackendType, i.Architecture)),
		Class:   classify(class, name),
		Limits:  limitsOf(a.GetLimits().Limits),
	}
}

// vendor names the owner of a PCI or Khronos vendor number.
func vendor(id uint32) string {
	name, ok := map[uint32]string{0x1002: "AMD", 0x10de: "NVIDIA", 0x8086: "Intel", 0x106b: "Apple", 0x13b5: "Arm",
		0x5143: "Qualcomm", 0x1010: "Imagination", 0x1414: "Microsoft", 0x10005: "Mesa", 0x1ae0: "Google"}[id]
	if !ok {
		return fmt.Sprintf("vendor 0x%x", id)
	}
	return name
}

func limitsOf(l wgpu.Limits) Limits {
	return Limits{
		StorageBinding: int64(l.MaxStorageBufferBindingSize),
		BufferSize:     int64(min(l.MaxBufferSize, 1<<62)),
		StorageBuffers: int(l.MaxStorageBuffersPerShaderStage),
		WorkgroupSize:  int(l.MaxComputeInvocationsPerWorkgroup),
		WorkgroupBytes: int(l.MaxComputeWorkgroupStorageSize),
		Groups:         int(l.MaxComputeWorkgroupsPerDimension),
	}
}

// request opens the device of an adapter.
func request(c candidate, o Options) (handle, Limits, error) {
	var d wgpu.DeviceDescriptor
	if !o.DefaultLimits {
		l := c.adapter.GetLimits().Limits
		l.MaxPushConstantSize = 0 // the binding leaves it unset: any number
		d.RequiredLimits = &wgpu.RequiredLimits{Limits: l}
	}
	timing := c.adapter.HasFeature(wgpu.FeatureNameTimestampQuery)
	if timing {
		d.RequiredFeatures = []wgpu.FeatureName{wgpu.FeatureNameTimestampQuery}
	}
	device, err := c.adapter.RequestDevice(&d)
	if err != nil {
		return handle{}, Limits{}, err
	}
	return handle{
		device:   device,
		queue:    device.GetQueue(),
		layouts:  map[string]*wgpu.BindGroupLayout{},
		progress: newProgress(),
		timing:   timing,
	}, limitsOf(device.GetLimits().Limits), nil
}

// start has nothing to do here: errors come back from the calls that cause them.
func (d *Device) start() {}

// close releases the library's objects.
func (h *handle) close() {
	for _, l := range h.layouts {
		l.Release()
	}
	h.queue.Release()
	h.device.Release()
	h.instance.Release()
	h.progress.free()
}

// done is the number of submissions known to be done.
func (h *handle) done() uint64 { return h.progress.done() }

// await polls the device until ready. It never waits inside the library: its
// own wait gives up after five seconds and then takes the work for done (memory
// still in use is freed, results are wrong), and it cannot be cancelled.
func (d *Device) await(ctx context.Context, ready func() bool) error {
	begun := time.Now()
	for {
		d.device.Poll(false, nil)
		if status := d.handle.progress.failed(); status != 0 {
			d.report(fmt.Errorf("%w (status %d)", ErrLost, status))
			return d.usable()
		}
		if ready() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// A thirtieth of the time waited so far costs little and saves the cores
		// for adapters that need them.
		waited := time.Since(begun)
		if waited < 20*time.Microsecond {
			runtime.Gosched()
			continue
		}
		time.Sleep(min(max(waited/30, 5*time.Microsecond), time.Millisecond))
	}
}
