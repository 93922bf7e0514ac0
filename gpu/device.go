package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"duet/gpu/adapter"
	"duet/shaders"
)

// AdapterVariable is the environment variable that chooses the adapter when
// Options.Adapter is empty.
const AdapterVariable = "DUET_ADAPTER"

// Options choose and set up a device. The zero value opens the best adapter
// with all it offers.
type Options struct {
	// Adapter is part of the name or class of the wanted adapter, in any case:
	// "nvidia", "integrated", "software". Empty: the best one, discrete before
	// integrated before software, or what the variable DUET_ADAPTER says.
	Adapter string
	// DefaultLimits opens the device with WebGPU's default limits instead of all
	// that the adapter offers.
	DefaultLimits bool
	// Need are limits without which the device is useless. The zero value means
	// WebGPU's defaults.
	Need Limits
	// SubmitCap is the longest time one submit may keep the adapter busy, as
	// estimated; zero means DefaultSubmitCap.
	SubmitCap time.Duration
	// SelfTest runs SelfTest after opening and fails where the adapter computes
	// wrong results.
	SelfTest bool
	// Progress is called during Compile after each new pipeline; it must not call
	// the device.
	Progress func(done, total int, kernel string)
}

// Submit caps: alone on the adapter, and beside a window that draws with it.
const (
	DefaultSubmitCap = time.Second
	SharedSubmitCap  = 100 * time.Millisecond
)

// ErrLost is returned (wrapped, with the reason) by everything done with a
// device after its adapter went away; open another device then.
var ErrLost = adapter.ErrLost

// errClosed is returned by everything done with a device after Close.
var errClosed = errors.New("the device is closed")

// A Device is an open WebGPU adapter. It implements [Backend]. Its methods may
// be called from several goroutines; the work they submit runs in order.
type Device struct {
	info     Info
	progress func(done, total int, kernel string)

	mu        sync.Mutex
	closed    bool
	lost      error // sticky: why the device is gone
	fault     error // reported by the next call: an error nothing was waiting for
	faultMu   sync.Mutex
	ledger    ledger
	programs  map[*executable]bool // not released
	pipelines map[string]*pipeline // by WGSL source
	estimator estimator
	limit     time.Duration // of one submit
	pending   []submission  // submits not known to be done, oldest first
	finished  time.Time     // when the last submission known to be done was
	staging   *deviceBuffer // for read-back

	handle // the platform's device
}

// Open opens the adapter that the options choose. The error says what is
// missing: WebGPU itself, an adapter, or a limit with both numbers.
func Open(ctx context.Context, o Options) (*Device, error) {
	if o.Adapter == "" {
		o.Adapter = os.Getenv(AdapterVariable)
	}
	if o.Need == (Limits{}) {
		o.Need = DefaultLimits()
	}
	memory, err := askedMemory()
	if err != nil {
		return nil, fmt.Errorf("gpu: opening a device: %w", err)
	}
	h, info, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("gpu: opening a device: %w", err)
	}
	if info.Target, err = targetOf(info.Class); err != nil {
		return nil, fmt.Errorf("gpu: opening a device: %w", err)
	}
	if info.Memory = memory; memory == 0 {
		info.Memory = systemMemory(info.Class)
	}
	d := &Device{
		info:      info,
		progress:  o.Progress,
		pipelines: map[string]*pipeline{},
		programs:  map[*executable]bool{},
		estimator: estimator{rate: RateOf(info.Class), factors: map[string]*float64{}},
		limit:     cmp.Or(o.SubmitCap, DefaultSubmitCap),
		finished:  time.Now(),
		handle:    h,
	}
	d.start()
	if err := info.Limits.Lacks(o.Need); err != nil {
		d.Close()
		return nil, fmt.Errorf("gpu: opening a device: adapter %s: %w", info.Name, err)
	}
	if o.SelfTest {
		if err := selfTest(ctx, d, func(t shaders.Target) { d.info.Target = t }); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// Adapters lists the adapters of this machine, best first.
func Adapters(ctx context.Context) ([]Info, error) {
	list, err := adapters(ctx)
	if err != nil {
		return nil, fmt.Errorf("gpu: listing adapters: %w", err)
	}
	for i := range list {
		if list[i].Target, err = targetOf(list[i].Class); err != nil {
			return nil, fmt.Errorf("gpu: listing adapters: %w", err)
		}
	}
	return list, nil
}

// Info describes the adapter and the limits the device was granted.
func (d *Device) Info() Info { return d.info }

// Allocated counts the buffers the device holds now.
func (d *Device) Allocated() Allocated {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ledger.report()
}

// SetSubmitCap sets the longest time one submit may keep the adapter busy, as
// estimated: DefaultSubmitCap alone, SharedSubmitCap beside a window.
func (d *Device) SetSubmitCap(limit time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = limit
}

// Wait returns when all submitted work is done.
func (d *Device) Wait(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.usable(); err != nil {
		return fmt.Errorf("gpu: waiting: %w", err)
	}
	err := d.drain(ctx, 0)
	if err == nil {
		err = d.usable() // what came up while waiting
	}
	if err != nil {
		return fmt.Errorf("gpu: waiting: %w", err)
	}
	return nil
}

// Close releases the device with its pipelines and all buffers and executables
// that are left, which become unusable. Closing twice is harmless.
func (d *Device) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if d.usable() == nil {
		_ = d.drain(context.Background(), 0) // the work's results are not wanted any more
	}
	for e := range d.programs {
		e.free()
	}
	for b := range d.ledger.live {
		d.release(b)
	}
	d.staging = nil
	for _, p := range d.pipelines {
		p.release()
	}
	d.closed = true
	d.close()
}

// usable reports why the device cannot be used, or an error that came up since
// it was last asked.
func (d *Device) usable() error {
	d.faultMu.Lock()
	defer d.faultMu.Unlock()
	switch {
	case d.lost != nil: // also after Close: who waits for it opens another device
		return d.lost
	case d.closed:
		return errClosed
	}
	err := d.fault
	d.fault = nil
	return err
}

// report records an error that no call was waiting for; the first one counts.
func (d *Device) report(err error) {
	d.faultMu.Lock()
	defer d.faultMu.Unlock()
	if errors.Is(err, ErrLost) {
		d.lost = cmp.Or(d.lost, err)
	} else {
		d.fault = cmp.Or(d.fault, err)
	}
}

// classify guesses the class of an adapter from what it says about itself;
// reported is the API's own word, Unknown where it has none.
func classify(reported Class, name string) Class {
	name = strings.ToLower(name)
	for _, s := range []string{"llvmpipe", "lavapipe", "swiftshader", "softpipe", "basic render", "warp"} {
		if strings.Contains(name, s) {
			return Software
		}
	}
	if reported != Unknown {
		return reported
	}
	for _, s := range []string{"nvidia", "geforce", "radeon rx"} {
		if strings.Contains(name, s) {
			return Discrete
		}
	}
	for _, s := range []string{"intel", "apple", "qualcomm", "adreno", "mali", "img-tec", "powervr"} {
		if strings.Contains(name, s) {
			return Integrated
		}
	}
	return Unknown
}

// rank orders classes, best first.
func rank(c Class) int {
	switch c {
	case Discrete:
		return 0
	case Integrated:
		return 1
	case Unknown:
		return 2
	}
	return 3
}

// matches reports whether an adapter is the wanted one.
func (i Info) matches(wanted string) bool {
	wanted = strings.ToLower(wanted)
	return strings.Contains(strings.ToLower(i.Name), wanted) || strings.Contains(strings.ToLower(string(i.Class)), wanted) ||
		strings.Contains(strings.ToLower(i.Vendor), wanted)
}
