package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// podsOfPair is how many pods fail for each pair of an image and what its pods have to pull it with.
const podsOfPair = 15

// holding is what a registry has of a pair's image.
type holding int

const (
	whole        holding = iota
	noTag                // the repository has others
	noRepository         //
	noPlatform           // an index for others than the nodes'
	noChild              // an index whose child for the nodes is gone
	noLayer              // a manifest one of whose layers is gone
)

// login is how far a pull secret gets.
type login int

const (
	good    login = iota
	wrong         // the registry knows another password
	denied        // the registry knows it, for other repositories
	expired       // it says itself when it ended, as ECR's does
)

// pair is one image and what its pods have to pull it with: a namespace with a Deployment of pods that fail.
type pair struct {
	image  string // HOST/REPOSITORY:TAG
	logins []login
	has    holding
	// says is the runtime's error for each attempt, of the texts below.
	says []string
	// causes are the codes that an honest judge may find.
	causes string
}

// The runtime's errors (containerd 2.4): HOST, REPO and TAG stand for the image's, GONE for the digest that is missing.
const (
	pulling      = `failed to pull and unpack image "HOST/REPO:TAG": `
	resolving    = pulling + `failed to resolve image: `
	saysScope    = resolving + `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`
	saysToken    = resolving + `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://HOST/token?scope=repository%3AREPO%3Apull&service=HOST: 401 Unauthorized`
	saysNoBasic  = resolving + `pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`
	saysBasic    = resolving + `unexpected status from HEAD request to https://HOST/v2/REPO/manifests/TAG: 401 Unauthorized`
	saysExpired  = resolving + "unexpected status from HEAD request to https://HOST/v2/REPO/manifests/TAG: 403 Forbidden\ndenied: Your authorization token has expired. Reauthenticate and try again."
	saysDenied   = resolving + "unexpected status from HEAD request to https://HOST/v2/REPO/manifests/TAG: 403 Forbidden\ndenied: User: arn:aws:iam::123456789012:user/USER is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:123456789012:repository/REPO because no identity-based policy allows the ecr:BatchGetImage action"
	saysNotFound = `rpc error: code = NotFound desc = ` + resolving + `HOST/REPO:TAG: not found`
	saysPlatform = `rpc error: code = NotFound desc = get image config descriptor: no match for platform in manifest GONE: not found`
	saysChild    = `rpc error: code = NotFound desc = ` + pulling + `failed to copy: httpReadSeeker: failed open: content at https://HOST/v2/REPO/manifests/GONE not found: not found`
	saysLayer    = `rpc error: code = NotFound desc = ` + pulling + `failed to copy: httpReadSeeker: failed open: could not fetch content descriptor GONE (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found`
)

const hidden = "auth.denied-or-missing auth.no-credentials auth.forbidden name.repository-not-found"

// pairs are twenty: at a registry that gives tokens and hides what is private, at two that take passwords, and at two that ask nobody. Two
// images are asked for with two different credentials each. Every login is a team's own, so that no refusal spares another.
var pairs = []pair{
	{image: "hub.lab/acme/billing:2.1", says: []string{saysScope}, causes: hidden},
	{image: "hub.lab/acme/billing:2.1", logins: []login{wrong}, says: []string{saysToken}, causes: "auth.invalid-credentials"},
	{image: "hub.lab/acme/reports:5.0", logins: []login{denied}, says: []string{saysScope}, causes: hidden},
	{image: "hub.lab/acme/search:9.9", logins: []login{good}, has: noTag, says: []string{saysNotFound}, causes: "name.tag-not-found"},
	{image: "hub.lab/acme/serach:1.4", logins: []login{good}, has: noRepository, says: []string{saysScope}, causes: hidden},
	{image: "hub.lab/acme/queue:3.2", logins: []login{wrong, good}, has: noTag, says: []string{saysToken, saysNotFound}, causes: "name.tag-not-found"},

	{image: "ecr.lab/wares/web:4.0", says: []string{saysNoBasic}, causes: "auth.no-credentials auth.provider-failed"},
	{image: "ecr.lab/wares/web:4.0", logins: []login{expired}, says: []string{saysExpired}, causes: "auth.expired-credentials"},
	{image: "ecr.lab/wares/cart:1.0", logins: []login{wrong}, says: []string{saysBasic}, causes: "auth.invalid-credentials"},
	{image: "ecr.lab/wares/stock:7.7", logins: []login{good}, has: noTag, says: []string{saysNotFound}, causes: "name.tag-not-found"},
	{image: "ecr.lab/wares/ghost:1.0", logins: []login{good}, has: noRepository, says: []string{saysNotFound}, causes: "name.repository-not-found"},

	{image: "cloud.lab/studio/thumbs:1.1", says: []string{saysNoBasic}, causes: "auth.no-credentials auth.provider-failed"},
	{image: "cloud.lab/studio/video:2.0", logins: []login{denied}, says: []string{saysDenied}, causes: "auth.forbidden"},
	{image: "cloud.lab/studio/audio:3.0", logins: []login{good}, has: noLayer, says: []string{saysLayer}, causes: "image.content-missing"},

	{image: "open.lab/devtools/lint:1.0", has: noPlatform, says: []string{saysPlatform}, causes: "image.platform-mismatch"},
	{image: "open.lab/devtools/format:8.0", has: noTag, says: []string{saysNotFound}, causes: "name.tag-not-found"},
	{image: "open.lab/devtools/typpo:1.0", has: noRepository, says: []string{saysNotFound}, causes: "name.repository-not-found"},
	{image: "open.lab/devtools/scan:2.0", has: noLayer, says: []string{saysLayer}, causes: "image.content-missing"},

	{image: "harbor.lab/infra/agent:6.1", has: noChild, says: []string{saysChild}, causes: "image.content-missing"},
	{image: "harbor.lab/infra/proxy:1.29", logins: []login{good, good}, has: noTag, says: []string{saysNotFound}, causes: "name.tag-not-found"},
}

func squad(n int) string { return fmt.Sprintf("squad-%02d", n) }

func (p pair) parts() (host, repository, tag string) {
	host, rest, _ := strings.Cut(p.image, "/")
	repository, tag, _ = strings.Cut(rest, ":")
	return host, repository, tag
}

// error is what the runtime told the kubelet, joined as the kubelet does where it tried several credentials.
func (p pair) error(n int, gone string) string {
	host, repository, tag := p.parts()
	text := strings.Join(p.says, ", ")
	if len(p.says) > 1 {
		text = "[" + text + "]"
	}
	return strings.NewReplacer("HOST", host, "REPO", repository, "TAG", tag, "GONE", gone, "USER", userName(n, 0)).Replace(text)
}

func userName(n, i int) string { return fmt.Sprintf("%s-bot-%d", squad(n), i+1) }

// user is whom the registry knows for the i-th secret of a pair.
func (p pair) user(n, i int) registrytest.User {
	_, repository, _ := p.parts()
	u := registrytest.User{Name: userName(n, i), Password: fmt.Sprintf("correct-horse-%d-%d", n, i), Pull: []string{repository}}
	switch p.logins[i] {
	case denied:
		u.Pull = []string{"elsewhere/*"}
	case expired:
		u.Name, u.Expires = "AWS", time.Date(2026, 1, 15, 21, 0, 0, 0, time.UTC)
		u.Password = registrytest.ECRPassword(u.Expires)
	}
	return u
}

// offered is the password that the i-th secret holds.
func (p pair) offered(n, i int) string {
	if p.logins[i] == wrong {
		return "battery-staple"
	}
	return p.user(n, i).Password
}
