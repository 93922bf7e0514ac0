//go:build !js

package hub

import (
	"fmt"
	"net/http"
	"time"
)

// An Error is why a model could not be fetched, where people can do something
// about it.
type Error struct {
	Reason Reason
	Text   string
	Err    error // what it came from, or nil
}

// A Reason says what kind of error one is; views have words for each.
type Reason string

// The reasons.
const (
	Offline     Reason = "offline"     // HF_HUB_OFFLINE is set and it is not here
	Unreachable Reason = "unreachable" // no network, or the hub does not answer
	Gated       Reason = "gated"       // it asks for a token, or for its conditions to be agreed to
	Absent      Reason = "absent"      // there is no such repository, revision or file
	NoRoom      Reason = "room"        // the disk is full
	Corrupt     Reason = "corrupt"     // what came has another hash
)

func (e *Error) Error() string { return "hub: " + e.Text }
func (e *Error) Unwrap() error { return e.Err }

// Code is the reason, for views.
func (e *Error) Code() string { return string(e.Reason) }

// temporary is a failure that another try may not meet.
type temporary struct {
	error
	after time.Duration // the server asks to wait as long; 0: it does not say
	dial  bool          // there was no connection
}

func (t temporary) Unwrap() error { return t.error }

// refused is the error for an answer that is neither the file nor a redirect.
func (h *Hub) refused(r *http.Response, what string) error {
	code := r.Header.Get("X-Error-Code")
	switch status := r.StatusCode; {
	case code == "GatedRepo" || code == "" && status == http.StatusForbidden:
		text := fmt.Sprintf("%s is given only to those who agreed to its conditions on %s: agree there, then set HF_TOKEN to a token of yours", what, h.Endpoint)
		if h.Token != "" {
			text = fmt.Sprintf("%s is not open to the owner of the token: agree to its conditions on %s", what, h.Endpoint)
		}
		return &Error{Gated, text, nil}
	case code == "RevisionNotFound":
		return &Error{Absent, fmt.Sprintf("%s: there is no such revision on %s", what, h.Endpoint), nil}
	case status == http.StatusUnauthorized:
		text := fmt.Sprintf("%s is not on %s, or is private: check the name; a private one needs a token in HF_TOKEN", what, h.Endpoint)
		if h.Token != "" {
			text = fmt.Sprintf("%s is not on %s, or the token does not open it: check the name, and that the token is valid", what, h.Endpoint)
		}
		return &Error{Gated, text, nil}
	case status == http.StatusNotFound, status == http.StatusGone:
		return &Error{Absent, fmt.Sprintf("%s is not on %s (%d): check the name", what, h.Endpoint, status), nil}
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		after, _ := time.ParseDuration(r.Header.Get("Retry-After") + "s")
		return temporary{error: &Error{Unreachable, fmt.Sprintf("%s answers %s for %s: try again later", r.Request.URL.Host, r.Status, what), nil}, after: after}
	default:
		return &Error{Unreachable, fmt.Sprintf("%s answers %s for %s", r.Request.URL.Host, r.Status, what), nil}
	}
}
