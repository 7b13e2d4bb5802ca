package cluster

import (
	"context"
	"encoding/base64"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// authCases lists the cases of its family.
//
// Each scene but the expired and the forbidden has a user who may pull, so that the right secret mends it.
func authCases() []Case {
	return append(providerCases(),
		scene{namespace: "shop", app: "storefront", image: "ecr.lab/shop/storefront:2.4.1", owner: deployment, replicas: 2, users: puller("shop-bot", "shop/*")}.of(Case{
			Name: "no-credentials", Cause: "auth.no-credentials", About: "a registry that wants a password, and a pod without any",
			Ambiguous: looksAnonymous}),
		invalidCredentials(), expiredCredentials(), forbidden(), lockedOut(),
		scene{namespace: "catalog", app: "browser", image: "ecr.lab/catalog/browser:1.12.0", owner: deployment, alsoNamed: []string{"registry-pull"},
			users: puller("browse-bot", "catalog/*")}.of(Case{
			Name: "secret-missing", Cause: "auth.secret-missing", About: "the pull secret that the pod names does not exist"}),
		secretWrongType(), secretBadEntry(), secretNoEntry(), secretWrongPort(), secretEmptyEntry(),
		secretNoColon(), invalidBasic(), bornBeforeSecret(), severalCredentials(), firstStale(), staleOnPublic(),
		scene{namespace: "support", app: "helpdesk", image: "hub.lab/acme/helpdesk:4.0", owner: deployment, users: puller("acmehelp", "acme/helpdesk")}.of(Case{
			Name: "denied-or-missing", Cause: "auth.denied-or-missing", About: "a private repository of a registry that will not tell private from missing",
			Ambiguous: privateOrMissing}),
		scene{namespace: "careers", app: "openings", image: "hub.lab/acme/openings:1.2", owner: deployment, users: puller("acmejobs", "acme/openings"),
			faults: []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepToken, Method: "GET"}, Answer: registrytest.Answer{Preset: "token-refused"}}},
		}.of(Case{
			Name: "denied-or-missing-token", Cause: "auth.denied-or-missing", About: "the same, of a registry that gives strangers no token",
			Ambiguous: privateOrMissing}),
	)
}

// What the API cannot tell apart. A credential provider fails without a word, and a registry seldom says why it does not
// take a password.
var (
	privateOrMissing = []string{"auth.denied-or-missing", "auth.no-credentials", "name.repository-not-found"}
	looksAnonymous   = []string{"auth.no-credentials", "auth.provider-failed"}
	wrongOrExpired   = []string{"auth.invalid-credentials", "auth.expired-credentials"}
)

// password is that of every user here but the cloud's and ECR's, which make their own.
const password = "correct-horse"

func puller(name, repositories string) []registrytest.User {
	return []registrytest.User{{Name: name, Password: password, Pull: []string{repositories}}}
}

func invalidCredentials() Case {
	return scene{namespace: "billing", app: "ledger", image: "hub.lab/acme/ledger:1.8.3", owner: statefulSet,
		users:   puller("acmebilling", "acme/ledger"),
		secrets: []v1.Secret{pullSecret("dockerhub", "hub.lab", login("acmebilling", "battery-staple"))},
	}.of(Case{Name: "invalid-credentials", Cause: "auth.invalid-credentials", About: "the pull secret's password is wrong",
		Ambiguous: wrongOrExpired})
}

// invalidBasic is asked for the password by the registry itself rather than by a token endpoint.
func invalidBasic() Case {
	return scene{namespace: "suppliers", app: "contracts", image: "ecr.lab/suppliers/contracts:2.0.5", owner: deployment,
		users:   puller("supply-bot", "suppliers/*"),
		secrets: []v1.Secret{pullSecret("regcred", "ecr.lab", login("supply-bot", "battery-staple"))},
	}.of(Case{Name: "invalid-credentials-basic", Cause: "auth.invalid-credentials", About: "the pull secret's password is wrong, of a registry without tokens",
		Ambiguous: wrongOrExpired})
}

// yesterday is a user with a password in the form of ECR's, which says itself when it ended: on a fixed day, so that what
// is saved from the lab is the same each time.
func yesterday() registrytest.User {
	end := time.Date(2026, 1, 15, 21, 0, 0, 0, time.UTC)
	return registrytest.User{Name: "AWS", Password: registrytest.ECRPassword(end), Expires: end, Pull: []string{"*"}}
}

func expiredCredentials() Case {
	u := yesterday()
	return scene{namespace: "checkout", app: "cart", image: "ecr.lab/checkout/cart:3.1.0", owner: deployment, replicas: 2,
		users:   []registrytest.User{u},
		secrets: []v1.Secret{pullSecret("regcred", "ecr.lab", login(u.Name, u.Password))},
	}.of(Case{Name: "expired-credentials", Cause: "auth.expired-credentials", About: "the pull secret's password was valid for 12 hours, and they are over"})
}

func forbidden() Case {
	return scene{namespace: "search", app: "indexer", image: "ecr.lab/search/indexer:7.0.2", owner: deployment,
		users:   puller("build-bot", "build/*"),
		secrets: []v1.Secret{pullSecret("regcred", "ecr.lab", login("build-bot", password))},
	}.of(Case{Name: "forbidden", Cause: "auth.forbidden", About: "a good password of somebody who may not pull this repository"})
}

// lockedOut is a fault rather than the registry's own lock, which ten minutes of the kubelet's retries would need to set.
func lockedOut() Case {
	return scene{namespace: "payments", app: "terminal", image: "hub.lab/acme/terminal:2.2", owner: deployment,
		users:   puller("acmepay", "acme/terminal"),
		secrets: []v1.Secret{pullSecret("dockerhub", "hub.lab", login("acmepay", "paper-kite"))},
		faults:  []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepToken, Method: "POST"}, Answer: registrytest.Answer{Preset: "locked-out"}}},
	}.of(Case{Name: "locked-out", Cause: "auth.locked-out", About: "too many wrong passwords: the registry refuses to look at another",
		// The token endpoint's words are not passed on: a 429 is all there is.
		Ambiguous: []string{"auth.locked-out", "registry.rate-limited"}})
}

func secretWrongType() Case {
	secret := pullSecret("harbor-pull", "ecr.lab", login("stock-bot", password))
	secret.Type = v1.SecretTypeOpaque
	return scene{namespace: "inventory", app: "stock", image: "ecr.lab/inventory/stock:5.3", owner: deployment,
		users:   puller("stock-bot", "inventory/*"),
		secrets: []v1.Secret{secret},
	}.of(Case{Name: "secret-wrong-type", Cause: "auth.secret-malformed", About: "the pull secret has the right key and the type Opaque: the kubelet passes it over"})
}

// secretBadEntry breaks a public image: one entry that cannot be read fails the whole keyring.
func secretBadEntry() Case {
	return scene{namespace: "loyalty", app: "points", image: "open.lab/loyalty/points:1.4",
		secrets: []v1.Secret{pullSecretOf("team-registries", map[string]dockerAuth{
			"ecr.lab": login("points-bot", "blue-door"), "old-registry.lab": {Auth: "!points-bot:blue-door"},
		})},
	}.of(Case{Name: "secret-bad-entry", Cause: "auth.secret-malformed", About: "an unreadable entry for another registry breaks even a public image"})
}

// secretNoColon is base64 of a password alone, where user:password is wanted.
func secretNoColon() Case {
	return scene{namespace: "gifts", app: "wrapping", image: "open.lab/gifts/wrapping:1.0.2", owner: deployment,
		secrets: []v1.Secret{pullSecret("team-registries", "open.lab", dockerAuth{Auth: base64.StdEncoding.EncodeToString([]byte(password))})},
	}.of(Case{Name: "secret-no-colon", Cause: "auth.secret-malformed", About: "the pull secret's entry is a password without a user"})
}

func secretNoEntry() Case {
	return scene{namespace: "shipping", app: "tracker", image: "ecr.lab/shipping/tracker:0.9.7", owner: statefulSet,
		users:   puller("track-bot", "shipping/*"),
		secrets: []v1.Secret{pullSecret("regcred", "hub.lab", login("track-bot", password))},
	}.of(Case{Name: "secret-no-entry", Cause: "auth.secret-malformed", About: "a sound pull secret whose only entry is another registry's"})
}

// secretWrongPort: to the kubelet's matching a port, even the usual one, makes another registry.
func secretWrongPort() Case {
	return scene{namespace: "dispatch", app: "routes", image: "ecr.lab/dispatch/routes:2.8", owner: deployment,
		users:   puller("route-bot", "dispatch/*"),
		secrets: []v1.Secret{pullSecret("regcred", "ecr.lab:443", login("route-bot", password))},
	}.of(Case{Name: "secret-wrong-port", Cause: "auth.secret-malformed", About: "the pull secret's entry has a port and the image has none"})
}

// secretEmptyEntry is what Docker Desktop's own config.json makes of a login.
func secretEmptyEntry() Case {
	secret := pullSecret("desktop-login", "ecr.lab", dockerAuth{})
	secret.Data[v1.DockerConfigJsonKey] = []byte(`{"auths":{"ecr.lab":{}},"credsStore":"desktop"}`)
	return scene{namespace: "returns", app: "labels", image: "ecr.lab/returns/labels:1.1", owner: deployment, secrets: []v1.Secret{secret}}.of(Case{Name: "secret-empty-entry", Cause: "auth.secret-malformed", About: "the pull secret is a laptop's config.json, whose passwords are elsewhere"})
}

// severalCredentials: both fit, each is tried, and the kubelet lists both errors.
func severalCredentials() Case {
	u := yesterday()
	return scene{namespace: "fulfilment", app: "packer", image: "ecr.lab/fulfilment/packer:6.1", owner: deployment,
		users:   []registrytest.User{u},
		secrets: []v1.Secret{pullSecret("regcred", "ecr.lab", login(u.Name, u.Password)), pullSecret("regcred-common", "ecr.lab", dockerAuth{})},
	}.of(Case{Name: "several-credentials", Cause: "auth.expired-credentials", About: "two secrets fit: an expired one, then an empty one; both errors are listed"})
}

// firstStale: of two secrets the second is good, and with it the registry says what is wrong: the tag.
func firstStale() Case {
	u := yesterday()
	return scene{namespace: "picking", app: "scanner", image: "ecr.lab/picking/scanner:2.0.1", owner: deployment,
		users:   []registrytest.User{u, {Name: "scan-bot", Password: password, Pull: []string{"picking/*"}}},
		secrets: []v1.Secret{pullSecret("regcred", "ecr.lab", login(u.Name, u.Password)), pullSecret("regcred-team", "ecr.lab", login("scan-bot", password))},
	}.of(Case{Name: "two-secrets-first-stale", Cause: "name.tag-not-found", About: "two secrets fit: an expired one, then a good one, which is told that the tag is missing",
		Ambiguous: []string{"name.tag-not-found", "name.repository-not-found"}})
}

// staleOnPublic: anybody may pull this image, but not with a wrong password.
func staleOnPublic() Case {
	return scene{namespace: "website", app: "pages", image: "hub.lab/site/pages:5.5", owner: deployment,
		secrets: []v1.Secret{pullSecret("dockerhub", "hub.lab", login("acmeweb", "battery-staple"))},
	}.of(Case{Name: "public-image-stale-secret", Cause: "auth.invalid-credentials", About: "a public image that a wrong pull secret keeps from being pulled",
		Ambiguous: wrongOrExpired})
}

// bornBeforeSecret: the service account got its secret only after the pod was made, and admission looks only once.
func bornBeforeSecret() Case {
	s := scene{namespace: "reviews", app: "stars", image: "ecr.lab/reviews/stars:2.0", owner: deployment,
		users: puller("star-bot", "reviews/*")}
	c := s.of(Case{Name: "born-before-secret", Cause: "auth.no-credentials", About: "a pod made before its service account listed the pull secret"})
	c.Break = func(ctx context.Context, l *Lab) error {
		if err := s.start(ctx, l, c.Name); err != nil {
			return err
		}
		if err := l.waitForPod(ctx, c.Pods); err != nil {
			return err
		}
		if err := l.makeSecret(ctx, s.namespace, pullSecret("regcred", "ecr.lab", login("star-bot", password))); err != nil {
			return err
		}
		_, err := l.client.CoreV1().ServiceAccounts(s.namespace).Patch(ctx, "default", types.StrategicMergePatchType,
			[]byte(`{"imagePullSecrets":[{"name":"regcred"}]}`), metav1.PatchOptions{})
		return err
	}
	return c
}
