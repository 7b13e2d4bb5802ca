package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry"
	"github.com/refloat-dev/refloat/registry/probe/refusals"
)

// newRegistrySource is the registry vantage point: secrets gets pull secrets by name, nil where there is no cluster.
func newRegistrySource(secrets registry.Secrets) *registry.Source {
	return &registry.Source{Secrets: secrets, Refusals: &refusals.File{}, Withhold: withhold, Layers: blobInDoubt}
}

// withhold keeps credentials back where a registry may have locked them out: each try would count as one more.
func withhold(c *evidence.Case) string {
	for _, f := range c.Messages() {
		r := diagnose.Read(diagnose.Text{Message: f.Message.Text, Reason: f.Message.Reason, Image: c.Pull.Image})
		if mayBe(r.Candidates, diagnose.LockedOut) {
			return "the registry may have locked this login out, and each try would count"
		}
	}
	return ""
}

// blobInDoubt tells a pull that got as far as its layers, or may have.
func blobInDoubt(c *evidence.Case) bool {
	d := diagnose.Diagnose(c, time.Time{})
	storage := d.Reading.Host != "" && d.Reading.Registry != "" && d.Reading.Host != d.Reading.Registry
	return storage || mayBe(d.Candidates, diagnose.ContentMissing, diagnose.Interrupted, diagnose.ClientBlocked, diagnose.CacheCorrupt)
}

// storeInDoubt tells a pull that the node's own stored content may fail: only reading all of it tells.
func storeInDoubt(c *evidence.Case) bool {
	return mayBe(diagnose.Diagnose(c, time.Time{}).Candidates, diagnose.CacheCorrupt)
}

func mayBe(candidates []diagnose.Candidate, codes ...diagnose.Code) bool {
	return slices.ContainsFunc(candidates, func(c diagnose.Candidate) bool { return slices.Contains(codes, c.Cause) })
}

const askingRegistries = "%d of %d questions to registries answered"

// progress rewrites one line of a terminal, and takes it away at the end; anything else than a terminal gets nothing.
// What of how many it is, %d of %d.
func progress(w io.Writer, what string) (tell func(done, total int), end func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	const again = "\r\x1b[K"
	return func(done, total int) { fmt.Fprintf(f, again+what, done, total) },
		func() { fmt.Fprint(f, again) }
}
