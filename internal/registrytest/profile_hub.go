package registrytest

import "slices"

func dockerHub() Profile {
	p := Profile{
		Name: "Docker Hub", Host: "docker.io", style: BearerHub,
		Hosts: []string{"registry-1.docker.io", "index.docker.io", "auth.docker.io"}, Storage: "production.cloudflare.docker.com",
		Public: "docker.io/acme/tools" + tag, Private: "docker.io/acme/shop" + tag,
		Good: Account{"acmebot", "dckr_pat_good"}, Stranger: Account{"passerby", "dckr_pat_stranger"},
		Bad: Account{"acmebot", "dckr_pat_wrong"}, Expired: Account{"acmebot", "dckr_pat_expired"},
		adjust: withRealm("https://auth.docker.io/token", "registry.docker.io", func(r *Registry) {
			r.Shown = map[string]string{"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600", "docker-ratelimit-source": "192.0.2.10"}
		}),
	}
	const gone = "docker.io/acme/gone" + tag
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with good credentials", p.Public, p.Good),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials, expiredCredentials),
		at("private", p.Private, nobody, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, deniedOrMissing, notAllowed),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("private, with expired credentials", p.Private, p.Expired, invalidCredentials, expiredCredentials),
		at("missing repository", gone, nobody, deniedOrMissing),
		at("missing repository, with good credentials", gone, p.Good, deniedOrMissing),
		at("pull limit", p.Public, nobody, rateLimited).of(atFetch, preset("rate-limited")),
		at("abuse limit", p.Public, nobody, rateLimited).of(early(atManifest), preset("rate-limited-bare")),
		at("locked out", p.Private, p.Good, lockedOut).of(atToken, preset("locked-out")),
		at("embargo", p.Public, nobody, clientBlocked).of(anywhere, preset("client-blocked-geo")),
		at("inactive user", p.Private, p.Good, accountRestricted).of(atToken, preset("user-inactive")),
		at("plan exhausted", p.Private, p.Good, accountRestricted).of(atManifest, preset("payment-required")),
		at("out of order", p.Public, nobody, unavailable).of(anywhere, preset("error-503")),
		at("token service out of order", p.Public, nobody, unavailable).of(atToken, preset("error-502")),
		at("a layer is gone", p.Public, nobody, contentMissing).of(atLayer, preset("blob-unknown")).inLayers(),
	}, missing(p.Public, nobody), storage(p.Public, nobody))
	return p
}

func quay() Profile {
	p := Profile{
		Name: "Quay", Host: "quay.io", style: BearerQuay, Hosts: []string{"quay.io"}, Storage: "cdn01.quay.io",
		Public: "quay.io/acme/tools" + tag, Private: "quay.io/acme/shop" + tag,
		Good: Account{"acme+puller", "GOODROBOT"}, Stranger: Account{"other+puller", "STRANGEROBOT"}, Bad: Account{"acme+puller", "WRONGROBOT"},
		adjust: withRealm("https://quay.io/v2/auth", "quay.io", nil),
	}
	const gone = "quay.io/acme/gone" + tag
	// Quay keeps the name of a tag that has lived out its time.
	expiredTag := says(notFound, "TAG_EXPIRED", "Tag 9.9 was deleted or has expired. To pull, revive via time machine")
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials, expiredCredentials),
		at("private", p.Private, nobody, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, deniedOrMissing, notAllowed),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("missing repository", gone, nobody, deniedOrMissing),
		at("missing repository, with good credentials", gone, p.Good, deniedOrMissing),
		at("expired tag", "quay.io/acme/tools"+noTag, nobody, tagNotFound).of(atManifest, expiredTag),
		at("too many requests", p.Public, nobody, rateLimited).of(anywhere, preset("rate-limited-bare")),
		at("disabled namespace", p.Private, p.Good, accountRestricted).of(atManifest, preset("namespace-disabled")),
		at("disabled namespace, by another code", p.Private, p.Good, accountRestricted).of(atManifest,
			says(400, "NAMESPACE_DISABLED", "Namespace acme has been disabled. Please contact a system administrator.")),
	}, missing(p.Public, nobody), storage(p.Public, nobody))
	return p
}

func ghcr() Profile {
	p := Profile{
		Name: "GHCR", Host: "ghcr.io", style: BearerStrict, Hosts: []string{"ghcr.io"}, Storage: "pkg-containers.githubusercontent.com",
		Public: "ghcr.io/acme/tools" + tag, Private: "ghcr.io/acme/shop" + tag,
		Good: Account{"acmebot", "ghp_good"}, Stranger: Account{"passerby", "ghp_stranger"}, Bad: Account{"acmebot", "ghp_wrong"},
		pulls: []string{"acme/tools", "acme/shop"}, // a missing package is refused as a private one is
	}
	const gone = "ghcr.io/acme/gone" + tag
	scopes := says(forbidden, "DENIED", "permission_denied: The token provided does not match expected scopes.")
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials, expiredCredentials),
		at("private", p.Private, nobody, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed, deniedOrMissing),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("private, with a token without read:packages", p.Private, p.Good, notAllowed).of(atManifest, scopes),
		at("missing repository", gone, nobody, deniedOrMissing),
		at("missing repository, with good credentials", gone, p.Good, deniedOrMissing, notAllowed),
		at("too many requests", p.Public, nobody, rateLimited).of(atManifest, preset("rate-limited-bare")),
	}, missing(p.Public, nobody), storage(p.Public, nobody))
	return p
}
