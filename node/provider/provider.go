// Package provider runs the kubelet's exec credential providers for one image
// as the kubelet runs them, and reads the docker config files that the kubelet
// reads on the node.
//
// What they hand out leaves in keyring.Credential only, which does not print
// itself. Nothing else of the node is executed, and no provider is run that
// wants a service account token. The package asks no registry and says nothing
// about causes.
package provider

import (
	"context"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/registry/keyring"
)

// Look runs every provider that the kubelet would ask for the image. The facts
// are one for each provider in the kubelet's order, those that are not asked
// too, or a single one that says that there are none; the credentials are those
// that the kubelet would try, in its order, after those of Files.
func Look(ctx context.Context, h *host.Host, image string) ([]*evidence.Provider, []keyring.Credential, []evidence.Gap) {
	return nil, nil, nil
}

// Files reads the docker config file that the kubelet takes on this node, and
// what it has for the image. The keyring is nil where there is no such file.
func Files(h *host.Host, image string) (*evidence.Keyring, []keyring.Credential, []evidence.Gap) {
	return nil, nil, nil
}
