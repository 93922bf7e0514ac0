// Package hub brings models here from Hugging Face's hub, and finds those that
// are here already.
//
// A [Hub] is an endpoint and the folders that models are kept in; [FromEnv]
// makes the user's, from the variables that Hugging Face's own programs read.
// [Hub.Pull] fetches what a tower needs of a repository and no more, [Hub.Find]
// looks it up without any network.
//
// # Where models are kept
//
// A repository lies in the cache that Python's huggingface_hub has, in its
// layout: models--OWNER--NAME with blobs (each file under its ETag), snapshots
// (a folder a commit, of relative links to blobs) and refs (the commit of a
// branch). So what transformers has fetched is found, and the other way round; a
// test holds the layout to Hugging Face's own client for node.
// torchvision's checkpoints are no repositories but single files at addresses of
// their own. They lie where torch.hub keeps them, under the names it gives them,
// for the same reason.
//
// # What is trusted
//
// Nothing, before its hash was compared: the ETag of a large file is its
// SHA-256, that of a small one the SHA-1 of its git object, and torch.hub's
// names end in the beginning of a SHA-256. What arrives is hashed on its way
// into NAME.incomplete, which becomes the file only when the hash is right and
// is removed when it is wrong. A snapshot's weights are linked last and a ref is
// written after them, so that what was interrupted does not count. The token
// goes to the endpoint's own origin and nowhere else, whatever it redirects to.
//
// # Why this is not a library
//
// github.com/gomlx/go-huggingface (v0.3.1) has the layout and the locks, but
// checks no hash, begins anew after a cut, asks the network before it looks into
// the cache, and refuses the redirects by which the hub serves large files.
package hub
