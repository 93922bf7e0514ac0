//go:build !js

package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Hub is an endpoint, and the folders that its models are kept in. It may be
// used from several goroutines, and with other programs at once.
type Hub struct {
	Endpoint    string // https://huggingface.co
	Cache       string // folder of repositories
	Checkpoints string // folder of torchvision's checkpoints
	Token       string // of the user, or empty
	Offline     bool   // no socket may be opened

	Transport http.RoundTripper // nil: one that gives up on silent servers

	wait, silence time.Duration // the first wait before another try; how long a body may say nothing
}

const (
	tries          = 5
	defaultWait    = time.Second
	defaultSilence = 30 * time.Second
)

// FromEnv is the hub that the environment describes, with the variables and
// defaults of huggingface_hub and torch.hub.
func FromEnv() *Hub {
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	caches := cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(home, ".cache"))
	own := expand(cmp.Or(os.Getenv("HF_HOME"), filepath.Join(caches, "huggingface")), home)
	torch := expand(cmp.Or(os.Getenv("TORCH_HOME"), filepath.Join(caches, "torch")), home)
	token := cmp.Or(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN"))
	if token == "" {
		content, err := os.ReadFile(expand(cmp.Or(os.Getenv("HF_TOKEN_PATH"), filepath.Join(own, "token")), home))
		if err == nil {
			token = string(content)
		}
	}
	return &Hub{
		Endpoint:    strings.TrimRight(cmp.Or(os.Getenv("HF_ENDPOINT"), "https://huggingface.co"), "/"),
		Cache:       expand(cmp.Or(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE"), filepath.Join(own, "hub")), home),
		Checkpoints: filepath.Join(torch, "hub", "checkpoints"),
		Token:       strings.TrimSpace(token),
		Offline:     truth(os.Getenv("HF_HUB_OFFLINE")) || truth(os.Getenv("TRANSFORMERS_OFFLINE")),
	}
}

// expand replaces a leading ~.
func expand(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		return filepath.Join(home, rest)
	}
	return path
}

// truth is what huggingface_hub takes for yes.
func truth(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// resolveURL is the address of a file.
func (h *Hub) resolveURL(n name, revision, file string) string {
	return h.Endpoint + "/" + n.repo + "/resolve/" + url.PathEscape(revision) + "/" + url.PathEscape(file)
}

// apiURL is the address of what a revision has.
func (h *Hub) apiURL(n name) string {
	return h.Endpoint + "/api/models/" + n.repo + "/revision/" + url.PathEscape(n.revision)
}

// origin adds the token to requests to the endpoint's own origin, and takes it
// off all others: Go's client would pass it on to subdomains and other ports.
type origin struct {
	http.RoundTripper
	endpoint *url.URL
	token    string
}

func (o origin) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("Authorization")
	r.Header.Del("Referer")
	r.Header.Set("User-Agent", "duet")
	r.Header.Set("Accept-Encoding", "identity") // ranges and lengths are of the file itself
	if o.token != "" && r.URL.Scheme == o.endpoint.Scheme && r.URL.Host == o.endpoint.Host {
		r.Header.Set("Authorization", "Bearer "+o.token)
	}
	return o.RoundTripper.RoundTrip(r)
}

// patient is the transport of all hubs, so that requests share connections. It
// gives up on silent servers.
var patient = sync.OnceValue(func() http.RoundTripper {
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.ResponseHeaderTimeout = defaultSilence
	return own
})

// client makes requests; where stay is set it follows redirects within the
// endpoint, as of a repository that was renamed, and hands out others as they are.
func (h *Hub) client(stay bool) (*http.Client, error) {
	endpoint, err := url.Parse(h.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return nil, fmt.Errorf("hub: HF_ENDPOINT is %q: expected an address such as https://huggingface.co", h.Endpoint)
	}
	transport := h.Transport
	if transport == nil {
		transport = patient()
	}
	check := func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) >= 10:
			return errors.New("too many redirects")
		case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
			return fmt.Errorf("%s leads to %s, which is not encrypted", via[0].URL.Host, r.URL.Host)
		case stay && r.URL.Host != endpoint.Host:
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &http.Client{Transport: origin{transport, endpoint, h.Token}, CheckRedirect: check}, nil
}

// again calls try until it succeeds, fails for good, or has failed five times
// without getting on; between the calls it waits, twice as long each time. try
// says whether it got on. Where there has never been a connection two calls are
// enough: there is no network.
func (h *Hub) again(ctx context.Context, try func() (on bool, err error)) error {
	wait := cmp.Or(h.wait, defaultWait)
	connected := false
	for left := tries; ; {
		on, err := try()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if on {
			left, wait = tries, cmp.Or(h.wait, defaultWait)
		}
		left--
		var t temporary
		if !errors.As(err, &t) {
			return err
		}
		connected = connected || on || !t.dial
		if left == 0 || !connected && left <= tries-2 {
			return t.error
		}
		pause := max(wait, min(t.after, time.Minute))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause + rand.N(pause/4+1)): // so that not all come back at once
		}
		wait *= 2
	}
}

// do makes a request; failures of the network are temporary.
func (h *Hub) do(c *http.Client, r *http.Request, what string) (*http.Response, error) {
	response, err := c.Do(r)
	if err != nil {
		var op *net.OpError
		dial := errors.As(err, &op) && op.Op == "dial"
		return nil, temporary{error: &Error{Unreachable, fmt.Sprintf("%s: %v; the network, or %s, is out of reach", what, reason(err), r.URL.Host), err}, dial: dial}
	}
	return response, nil
}

// reason is an error of a client without the address, which says nothing and
// may be long.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// maxListing bounds the hub's description of a revision.
const maxListing = 16 << 20

// list asks for the commit of a revision and the files that it has.
func (h *Hub) list(ctx context.Context, n name) (commit string, files []string, err error) {
	client, err := h.client(false)
	if err != nil {
		return "", nil, err
	}
	var info struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
		} `json:"siblings"`
	}
	err = h.again(ctx, func() (bool, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.apiURL(n), nil)
		if err != nil {
			return false, err
		}
		response, err := h.do(client, r, n.String())
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false, h.refused(response, n.String())
		}
		content, err := io.ReadAll(io.LimitReader(response.Body, maxListing))
		if err != nil {
			return false, temporary{error: err}
		}
		if err := json.Unmarshal(content, &info); err != nil {
			return false, &Error{Unreachable, fmt.Sprintf("%s does not answer as a hub does: is HF_ENDPOINT right?", h.Endpoint), err}
		}
		return false, nil
	})
	if err != nil {
		return "", nil, err
	}
	if !commitPattern.MatchString(info.SHA) {
		return "", nil, &Error{Unreachable, fmt.Sprintf("%s does not say which commit %s is: is HF_ENDPOINT right?", h.Endpoint, n), nil}
	}
	for _, s := range info.Siblings {
		files = append(files, s.Name)
	}
	return info.SHA, files, nil
}
