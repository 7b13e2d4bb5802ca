package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

const (
	provider = providerDir + "/lab-credential-provider"
	// providerAnswer is what the spare node's credential provider is told at first.
	providerAnswer = `{"username":"cloud","password":"cloud-pass"}`
)

// providerCases are authCases in which the spare node's credential provider hands out nothing. The kubelet logs that on the
// node alone and pulls without credentials, so that from the API all of them are one. A provider that hangs is left out: the
// kubelet waits a minute for it, at each try.
func providerCases() []Case {
	const silent = `{"fail":"Get \"http://169.254.169.254/latest/meta-data/iam/security-credentials/\": context deadline exceeded"}`
	const nothing = `{"raw":"{\"kind\":\"CredentialProviderResponse\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"cacheKeyType\":\"Image\",\"auth\":{}}"}`
	return []Case{
		provided("cloud.lab/media/thumbnails:1.9", answering(silent), answering(providerAnswer)).of(Case{
			Name: "provider-failed", About: "the node's credential provider cannot reach the cloud's metadata"}),
		provided("cloud.lab/captions/timing:3.2", answering(nothing), answering(providerAnswer)).of(Case{
			Name: "provider-empty", About: "the node's credential provider answers without a credential"}),
		provided("cloud.lab/trailers/cutter:0.8", onProvider("mv FILE FILE.old"), onProvider("test ! -e FILE.old || mv FILE.old FILE")).of(Case{
			Name: "provider-missing", About: "the program of the node's credential provider is gone"}),
		provided("cloud.lab/soundtrack/mixer:2.2", onProvider("chmod 0644 FILE"), onProvider("chmod 0755 FILE")).of(Case{
			Name: "provider-forbidden", About: "the program of the node's credential provider may not be executed"}),
		// The kubelet compares ports as texts: the provider's matchImages have cloud.lab without one.
		provided("cloud.lab:443/posters/layout:1.1", nil, nil).of(Case{
			Name: "provider-not-asked", About: "the matchImages of the node's credential provider lack the image's port"}),
	}
}

// providerCase is an outage of the spare node's provider, for an image that it has the password of.
type providerCase struct{ outage }

func provided(image string, fail, restore func(context.Context, *Lab) error) providerCase {
	_, repository := splitImage(image)
	namespace, app, _ := strings.Cut(repository, "/")
	return providerCase{outage{
		scene: scene{namespace: namespace, app: app, image: image, owner: deployment,
			users: []registrytest.User{{Name: "cloud", Password: "cloud-pass", Pull: []string{"*"}}}},
		on: spareNode, edit: tolerateAll, fail: fail, restore: restore,
	}}
}

func (o providerCase) of(c Case) Case {
	c.Cause, c.Ambiguous, c.Takes = "auth.provider-failed", looksAnonymous, Takes{Node: true}
	return o.outage.of(c)
}

// answering tells the provider what to answer.
func answering(behaviour string) func(context.Context, *Lab) error {
	return func(_ context.Context, l *Lab) error {
		return l.WriteFile(spareNode(l), ProviderFile, []byte(behaviour+"\n"), 0o600)
	}
}

// onProvider changes the provider's program, which is FILE in the script.
func onProvider(script string) func(context.Context, *Lab) error {
	return func(ctx context.Context, l *Lab) error {
		if out, err := l.Exec(ctx, spareNode(l), "sh", "-c", strings.ReplaceAll(script, "FILE", provider)); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}
