package daemon

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

// sound lists the images that would run if nothing were broken. Each has a layer of its own, since a layer that another
// case has brought to a node is not asked for again.
var sound = []struct{ host, repo, tag string }{
	{"ecr.lab", "shop/storefront", "2.4.1"},
	{"ecr.lab", "checkout/cart", "3.1.0"},
	{"ecr.lab", "search/indexer", "7.0.2"},
	{"ecr.lab", "catalog/browser", "1.12.0"},
	{"ecr.lab", "inventory/stock", "5.3"},
	{"ecr.lab", "shipping/tracker", "0.9.7"},
	{"ecr.lab", "dispatch/routes", "2.8"},
	{"ecr.lab", "returns/labels", "1.1"},
	{"ecr.lab", "fulfilment/packer", "6.1"},
	{"ecr.lab", "reviews/stars", "2.0"},
	{"ecr.lab", "suppliers/contracts", "2.0.5"},
	{"cloud.lab", "media/thumbnails", "1.9"},
	{"hub.lab", "acme/ledger", "1.8.3"},
	{"hub.lab", "acme/terminal", "2.2"},
	{"hub.lab", "acme/helpdesk", "4.0"},
	{"hub.lab", "acme/openings", "1.2"},
	{"hub.lab", "acme/onboarding", "1.0"},
	{"hub.lab", "acme/counter", "1.4"},
	{"hub.lab", "site/pages", "5.5"},
	{"ecr.lab", "picking/scanner", "2.0.0"},
	{"open.lab", "loyalty/points", "1.4"},
	{"open.lab", "gifts/wrapping", "1.0.2"},
	{"open.lab", "forecasts/demand", "0.6"},
	{"open.lab", "vouchers/redeem", "2.9"},
	{"open.lab", "accounts/profile", "1.0"},
	{"open.lab", "orders/settle", "3.3.1"},
	{"open.lab", "gateway/edge", "1.27.1"},
	{"open.lab", "newsletter/mailer", "2.0.0"},
	{"open.lab", "pricing/quotes", "4.4.0"},
	{"open.lab", "analytics/collector", "0.41"},
	{"open.lab", "reports/monthly", "12.0"},
	{"open.lab", "crm/contacts", "9.0.1"},
	{"open.lab", "tickets/seats", "1.15"},
	{"open.lab", "sensors/ingest", "3.0"},
	{"open.lab", "meters/readings", "2.3"},
	{"open.lab", "consent/banner", "1.6"},
	{"open.lab", "identity/sessions", "2.11.4"},
	{"open.lab", "portal/landing", "1.3"},
}

// fillCases pushes what cases pull; app is the image that all their own are made of.
func fillCases(g *registrytest.Group, app v1.Image) error {
	g.Registry("hub.lab").Private = []string{"acme/*"}
	for _, s := range sound {
		own, err := ownLayer(s.repo)
		if err != nil {
			return err
		}
		img, err := mutate.AppendLayers(app, own)
		if err != nil {
			return err
		}
		if _, err := g.Registry(s.host).Push(s.repo, s.tag, img); err != nil {
			return fmt.Errorf("pushing %s: %w", s.repo, err)
		}
	}
	return fillOdd(g.Registry("open.lab"))
}

func ownLayer(repo string) (v1.Layer, error) {
	name := repo + "\n"
	return layer("image-name", 0o644, strings.NewReader(name), int64(len(name)))
}

// OwnLayer is the digest of the layer that only this repository's image has.
func OwnLayer(repo string) string {
	l, err := ownLayer(repo)
	if err != nil {
		panic(err) // packing a few bytes in memory does not fail
	}
	h, err := l.Digest()
	if err != nil {
		panic(err)
	}
	return h.String()
}

// fillOdd pushes images that no node of the lab can use.
func fillOdd(r *registrytest.Registry) error {
	other, err := imagetest.OtherPlatforms(odd("maps/tiles"))
	if err != nil {
		return err
	}
	child, err := imagetest.ChildMissing(odd("feeds/merchant"))
	if err != nil {
		return err
	}
	schema1, err := imagetest.Schema1("archive/reader", "2015.3", imagetest.Schema1Signed)
	if err != nil {
		return err
	}
	chart, err := imagetest.Chart("rates", "0.3.0")
	if err != nil {
		return err
	}
	r.PushRaw("archive/reader", "2015.3", schema1.MediaType, schema1.Manifest, schema1.Blobs...)
	r.PushRaw("tax/rates", "0.3.0", chart.MediaType, chart.Manifest, chart.Blobs...)
	for _, p := range []struct {
		repo, tag string
		idx       v1.ImageIndex
	}{{"maps/tiles", "8.2", other}, {"feeds/merchant", "2.6", child}} {
		if _, err := r.PushIndex(p.repo, p.tag, p.idx); err != nil {
			return err
		}
	}
	return fillUnpackable(r)
}

// fillUnpackable pushes images that arrive and cannot be unpacked.
func fillUnpackable(r *registrytest.Registry) error {
	for _, p := range []struct {
		repo, tag string
		build     func(imagetest.Spec) (v1.Image, error)
	}{
		{"tenders/bids", "1.2", imagetest.BadTar},
		{"invoices/render", "5.5", imagetest.WrongDiffID},
		{"customs/codes", "3.1", func(s imagetest.Spec) (v1.Image, error) {
			return imagetest.OddLayer(s, types.MediaType("application/vnd.acme.bundle.v1+zip"))
		}},
	} {
		img, err := p.build(odd(p.repo))
		if err != nil {
			return err
		}
		if _, err := r.Push(p.repo, p.tag, img); err != nil {
			return err
		}
	}
	return nil
}

// odd is a small image that differs from every other.
func odd(repo string) imagetest.Spec {
	return imagetest.Spec{
		Platform: v1.Platform{OS: "linux", Architecture: architecture}, Entrypoint: []string{"/run"}, Label: repo,
		Layers: [][]imagetest.File{{{Path: "run", Data: []byte(repo + "\n")}}},
	}
}
