package hub

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// A name is a repository and one of its revisions: a branch, a tag or a commit.
type name struct{ repo, revision string }

// mainBranch is the revision that is meant where none is named.
const mainBranch = "main"

// The hub's own rule for names: letters, digits, "-", "_" and ".", without "--"
// and "..", not beginning or ending in "-" or ".".
var (
	repoPattern     = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?/)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$`)
	revisionPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./+-]*$`)
	commitPattern   = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// parse reads OWNER/NAME[@REVISION].
func parse(text string) (name, error) {
	repo, revision, given := strings.Cut(text, "@")
	if !given {
		revision = mainBranch
	}
	if len(repo) > 96 || !repoPattern.MatchString(repo) || strings.Contains(repo, "--") || strings.Contains(repo, "..") {
		return name{}, fmt.Errorf("hub: %q is no name of a model: expected OWNER/NAME, such as FacebookAI/roberta-base, perhaps with @REVISION", text)
	}
	if !revisionPattern.MatchString(revision) || path.Clean(revision) != revision || strings.Contains(revision, "..") || strings.HasSuffix(revision, ".lock") {
		return name{}, fmt.Errorf("hub: %q is no revision: expected a branch, a tag or a commit", revision)
	}
	return name{repo, revision}, nil
}

// IsName tells whether a text could be the name of a published model,
// OWNER/NAME[@REVISION].
func IsName(text string) bool {
	n, err := parse(text)
	return err == nil && strings.Contains(n.repo, "/")
}

func (n name) String() string {
	if n.revision == mainBranch {
		return n.repo
	}
	return n.repo + "@" + n.revision
}
