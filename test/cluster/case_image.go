package cluster

import (
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
)

// imageCases lists the cases of its family. The odd images are the daemon's content; see content_cases.go there.
func imageCases() []Case {
	return append(malformed(),
		scene{namespace: "maps", app: "tiles", image: "open.lab/maps/tiles:8.2", owner: daemonSet}.of(Case{
			Name: "platform-mismatch", Cause: "image.platform-mismatch", About: "an image for other processors alone"}),
		scene{namespace: "archive", app: "reader", image: "open.lab/archive/reader:2015.3"}.of(Case{
			Name: "unsupported-format", Cause: "image.unsupported-format", About: "a manifest in Docker's schema 1, which containerd no longer reads"}),
		contentMissing(),
		scene{namespace: "feeds", app: "merchant", image: "open.lab/feeds/merchant:2.6", owner: cronJob}.of(Case{
			Name: "content-missing-child", Cause: "image.content-missing", About: "the registry has the index and has lost this platform's image"}),
	)
}

// contentMissing lacks only the layer that no other image has, so that nodes with and without the others' say the same.
func contentMissing() Case {
	return scene{namespace: "pricing", app: "quotes", image: "open.lab/pricing/quotes:4.4.0", owner: deployment,
		faults: []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepBlob, Object: daemon.OwnLayer("pricing/quotes")},
			Answer: registrytest.Answer{Preset: "blob-unknown"}}},
	}.of(Case{Name: "content-missing", Cause: "image.content-missing", About: "the registry has the manifest and has lost a layer"})
}

// malformed lists images whose layers are no good. To the runtime they look like what a damaged disk makes of good ones.
func malformed() []Case {
	damaged := []string{"image.unsupported-format", "node.cache-corrupt"}
	return []Case{
		scene{namespace: "tenders", app: "bids", image: "open.lab/tenders/bids:1.2", owner: deployment}.of(Case{
			Name: "unsupported-format-tar", Cause: "image.unsupported-format", Ambiguous: damaged,
			About: "a layer that is called a gzipped tar and is none"}),
		scene{namespace: "invoices", app: "render", image: "open.lab/invoices/render:5.5", owner: deployment}.of(Case{
			Name: "unsupported-format-diff-id", Cause: "image.unsupported-format", Ambiguous: damaged,
			About: "a config that expects other files than the layers hold"}),
		scene{namespace: "customs", app: "codes", image: "open.lab/customs/codes:3.1", owner: deployment}.of(Case{
			Name: "unsupported-format-layer", Cause: "image.unsupported-format", Ambiguous: damaged,
			About: "a layer of a type that nobody unpacks: the pull succeeds, and no container can be made of it"}),
		scene{namespace: "tax", app: "rates", image: "open.lab/tax/rates:0.3.0"}.of(Case{
			Name: "unsupported-format-chart", Cause: "image.unsupported-format", Ambiguous: []string{"image.unsupported-format", "unknown"},
			About: "a Helm chart in an image's place: the pull succeeds, and there is nothing to run"}),
	}
}
