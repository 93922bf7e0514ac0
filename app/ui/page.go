package ui

import "context"

// A Page is a [Host] that is a page in a browser.
type Page interface {
	Host
	// Storage says what room the browser gives, Persist asks it to keep that.
	Storage(ctx context.Context) (Storage, error)
	Persist(ctx context.Context) (Storage, error)
	// TakeVersion loads the page anew with the version of the app that has come;
	// false: other pages still use the present one.
	TakeVersion(ctx context.Context) (bool, error)
}

// PageState is what there is in a page only.
type PageState struct {
	Storage *Storage // nil: not known
	Traffic *Traffic // nil: not known
	Version Version
}

// Storage is the room that the browser gives to the page.
type Storage struct {
	Used, Quota int64 // bytes, about; 0: the browser does not say
	Persistent  bool  // it will not be cleared without asking
	Lasting     bool  // models outlast the page
}

// Traffic is what the page, its worker and its service worker have exchanged
// since the page was opened.
type Traffic struct {
	Sent      int64 `json:"sent"`      // bytes of requests' bodies, beacons, sockets and of what follows an address's question mark
	Elsewhere int   `json:"elsewhere"` // requests to other places than the page's own
	Files     int   `json:"files"`     // fetched from the page's own place
	Fetched   int64 `json:"fetched"`   // their bytes
}

// Version is whether a new version of the app has come.
type Version uint8

// How it can be.
const (
	VersionCurrent Version = iota
	VersionNew             // it is offered
	VersionHeld            // it is wanted, but other pages use the present one
	VersionLater           // the user does not want it now
)

type (
	// SawStorage and SawTraffic say how it is.
	SawStorage struct{ Storage Storage }
	SawTraffic struct{ Traffic Traffic }
	// CameVersion says that a new version has come, VersionIsHeld that other pages
	// keep it from being used.
	CameVersion   struct{}
	VersionIsHeld struct{}

	// Persist asks the browser to keep what is stored.
	Persist struct{}
	// TakeVersion takes the new version into use; PutOffVersion does not ask again.
	TakeVersion   struct{}
	PutOffVersion struct{}
)

// The effects.
type (
	LookAtStorage struct{}
	AskToPersist  struct{}
	ReloadForIt   struct{}
)

// updatePage takes in what concerns the page.
func (s *State) updatePage(m Message) (effects []Effect, mine bool) {
	p := &s.Page
	switch m := m.(type) {
	case SawStorage:
		p.Storage = &m.Storage
	case SawTraffic:
		p.Traffic = &m.Traffic
	case CameVersion:
		p.Version = VersionNew
	case VersionIsHeld:
		p.Version = VersionHeld
	case PutOffVersion:
		p.Version = VersionLater
	case TakeVersion:
		if s.Busy() {
			return nil, true // the training would be lost
		}
		return []Effect{ReloadForIt{}}, true
	case Persist:
		return []Effect{AskToPersist{}}, true
	default:
		return nil, false
	}
	return nil, true
}

// Busy tells that a training runs, which leaving would interrupt.
func (s *State) Busy() bool {
	return s.Training.Step == TrainRunning || s.Training.Step == TrainStopping
}

// onPage does an effect that concerns the page; elsewhere there is nothing to do.
func (l *Loop) onPage(ctx context.Context, e Effect) Message {
	page, ok := l.host.(Page)
	if !ok {
		return nil
	}
	switch e.(type) {
	case LookAtStorage:
		storage, err := page.Storage(ctx)
		return orFailed(DoingSave, err, SawStorage{storage})
	case AskToPersist:
		storage, err := page.Persist(ctx)
		return orFailed(DoingSave, err, SawStorage{storage})
	case ReloadForIt:
		taken, err := page.TakeVersion(ctx)
		if err == nil && !taken {
			return VersionIsHeld{}
		}
		return orFailed(DoingStart, err, nil)
	}
	return nil
}
