package cluster

import "github.com/refloat-dev/refloat/internal/registrytest"

// imageCases lists the cases of its family. The odd images are the daemon's content; see content_cases.go there.
func imageCases() []Case {
	layerGone := []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepBlob, Object: "layer"},
		Answer: registrytest.Answer{Preset: "blob-unknown"}}}
	return []Case{
		scene{namespace: "maps", app: "tiles", image: "open.lab/maps/tiles:8.2", owner: daemonSet}.of(Case{
			Name: "platform-mismatch", Cause: "image.platform-mismatch", About: "an image for other processors alone"}),
		scene{namespace: "archive", app: "reader", image: "open.lab/archive/reader:2015.3"}.of(Case{
			Name: "unsupported-format", Cause: "image.unsupported-format", About: "a manifest in Docker's schema 1, which containerd no longer reads"}),
		scene{namespace: "tenders", app: "bids", image: "open.lab/tenders/bids:1.2", owner: deployment}.of(Case{
			Name: "unsupported-format-tar", Cause: "image.unsupported-format", About: "a layer that is called a gzipped tar and is none"}),
		scene{namespace: "invoices", app: "render", image: "open.lab/invoices/render:5.5", owner: deployment}.of(Case{
			Name: "unsupported-format-diff-id", Cause: "image.unsupported-format", About: "a config that expects other files than the layers hold"}),
		scene{namespace: "pricing", app: "quotes", image: "open.lab/pricing/quotes:4.4.0", owner: deployment, faults: layerGone}.of(Case{
			Name: "content-missing", Cause: "image.content-missing", About: "the registry has the manifest and has lost a layer"}),
		scene{namespace: "feeds", app: "merchant", image: "open.lab/feeds/merchant:2.6", owner: cronJob}.of(Case{
			Name: "content-missing-child", Cause: "image.content-missing", About: "the registry has the index and has lost this platform's image"}),
	}
}
