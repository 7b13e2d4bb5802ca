package probe

import (
	"context"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe/platform"
)

// Served tells whether an image is there for the wanted platform, as cheaply as can be: a HEAD and a GET of its manifest, and of an image
// without an index the config, which alone names the platform. Nothing is asked why not. The credentials are tried in the
// kubelet's order; none asks without, and nothing is compared.
func (w *Walker) Served(ctx context.Context, image string, credentials []keyring.Credential, wanted string) (bool, evidence.Probe) {
	p := evidence.Probe{Image: evidence.CleanReference(image), Platform: wanted}
	t, err := resolve(image)
	if err != nil {
		return false, p
	}
	p.Image = t.image
	k := walk{w: w, target: t, node: platform.Parse(wanted), platform: wanted, listed: true, probe: &p}
	k.all(ctx, credentials, len(credentials) > 0)
	for _, a := range p.Attempts {
		if a.Served {
			return k.fits(a.Found), p
		}
	}
	return false, p
}

// fits: an index had the platform, or there would be no Served; an image alone is pulled whatever it is for, and then does not run.
func (k *walk) fits(m *evidence.Manifest) bool {
	if k.platform == "" || m == nil || m.Child != "" || len(m.Platforms) == 0 {
		return true
	}
	_, ok := k.node.Rank(platform.Read(m.Platforms[0]))
	return ok
}
