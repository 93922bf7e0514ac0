package gpu

// A purpose says what a buffer of the device is for.
type purpose uint8

const (
	forParameters purpose = iota
	forTemps
	forPersistent
	forUniforms
	forStaging
	forQueries
	purposes
)

// Allocated counts the bytes of every buffer the device was asked for and has
// not released, by purpose.
type Allocated struct {
	Parameters int64 // NewBuffer: weights, optimiser state, inputs and outputs
	Temps      int64 // slots of compiled programs
	Persistent int64 // persistent buffers of compiled programs
	Uniforms   int64 // parameters of compiled programs' dispatches
	Staging    int64 // read-back, also of timestamps
	Buffers    int   // number of buffers
	Most       int64 // the largest total so far
}

// Programs is the memory of compiled programs: the sum of their plans' peaks.
func (a Allocated) Programs() int64 { return a.Temps + a.Persistent + a.Uniforms }

// Total is the memory of all buffers.
func (a Allocated) Total() int64 { return a.Parameters + a.Programs() + a.Staging }

// A ledger lists the buffers of a device and counts their bytes.
type ledger struct {
	bytes [purposes]int64
	total int64
	most  int64
	live  map[*deviceBuffer]purpose
}

func (l *ledger) add(b *deviceBuffer, f purpose) {
	if l.live == nil {
		l.live = map[*deviceBuffer]purpose{}
	}
	l.live[b] = f
	l.bytes[f] += b.size
	l.total += b.size
	l.most = max(l.most, l.total)
}

func (l *ledger) remove(b *deviceBuffer) {
	l.bytes[l.live[b]] -= b.size
	l.total -= b.size
	delete(l.live, b)
}

func (l *ledger) report() Allocated {
	return Allocated{
		Parameters: l.bytes[forParameters],
		Temps:      l.bytes[forTemps],
		Persistent: l.bytes[forPersistent],
		Uniforms:   l.bytes[forUniforms],
		Staging:    l.bytes[forStaging] + l.bytes[forQueries],
		Buffers:    len(l.live),
		Most:       l.most,
	}
}
