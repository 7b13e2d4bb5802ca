package registrytest

import (
	"slices"
	"time"
)

func ecr() Profile {
	const host = ecrAccount + ".dkr.ecr.eu-central-1.amazonaws.com"
	now := time.Now()
	p := Profile{
		Name: "ECR", Host: host, style: BasicECR, Hosts: []string{host}, Storage: "prod-eu-central-1-starport-layer-bucket.s3.eu-central-1.amazonaws.com",
		Private: host + "/acme/shop" + tag,
		Good:    Account{"AWS", ECRPassword(now.Add(11 * time.Hour))}, Stranger: Account{"AWS", ECRPassword(now.Add(10 * time.Hour))},
		Bad: Account{"AWS", "not-a-token"}, Expired: Account{"AWS", ECRPassword(now.Add(-time.Hour))},
	}
	const gone = host + "/acme/gone" + tag
	p.Situations = slices.Concat([]Situation{
		at("private", p.Private, nobody, noCredentials),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials),
		at("private, with expired credentials", p.Private, p.Expired, expiredCredentials),
		at("missing repository", gone, nobody, noCredentials),
		at("missing repository, with good credentials", gone, p.Good, repositoryNotFound),
		at("throttled", p.Private, p.Good, rateLimited).of(atManifest, preset("rate-limited-ecr")),
	}, missing(p.Private, p.Good), storage(p.Private, p.Good))
	return p
}

func ecrPublic() Profile {
	const host = "public.ecr.aws"
	now := time.Now()
	p := Profile{
		Name: "ECR Public", Host: host, style: BearerECR, Hosts: []string{host}, Storage: "d5l0dvt14r5h8.cloudfront.net",
		Public: host + "/acme/tools" + tag,
		Good:   Account{"AWS", ECRPassword(now.Add(11 * time.Hour))}, Bad: Account{"AWS", "not-a-token"}, Expired: Account{"AWS", ECRPassword(now.Add(-time.Hour))},
		adjust: withRealm("https://public.ecr.aws/token/", host, func(r *Registry) { r.Public = []string{"*"} }),
	}
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with good credentials", p.Public, p.Good),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials),
		at("public, with expired credentials", p.Public, p.Expired, expiredCredentials),
		at("missing repository", host+"/acme/gone"+tag, nobody, repositoryNotFound),
		at("throttled", p.Public, nobody, rateLimited).of(atManifest, preset("rate-limited-ecr")),
		at("data limit", p.Public, nobody, rateLimited).of(atManifest, says(429, "TOOMANYREQUESTS", "Data limit exceeded")),
	}, missing(p.Public, nobody), storage(p.Public, nobody))
	return p
}

func artifactRegistry() Profile {
	return google("Artifact Registry", "us-docker.pkg.dev", "us-docker.pkg.dev/acme-prod/open/tools", "us-docker.pkg.dev/acme-prod/shop/api", "us-docker.pkg.dev/acme-prod/gone/api")
}

func gcr() Profile {
	p := google("gcr.io", "gcr.io", "gcr.io/acme-open/tools", "gcr.io/acme-prod/shop", "gcr.io/acme-prod/gone")
	p.Situations = append(p.Situations,
		at("deleted project", p.Public, nobody, deniedOrMissing).of(early(atManifest),
			says(forbidden, "DENIED", "Caller does not have permission or the resource may not exist 'read'")),
		at("no billing", p.Private, p.Good, accountRestricted).of(atManifest,
			says(forbidden, "DENIED", "This API method requires billing to be enabled. Please enable billing on project #acme-prod by visiting "+
				"https://console.developers.google.com/billing/enable?project=acme-prod then retry.")))
	return p
}

// google is the one manner of both of Google's registries.
func google(name, host, public, private, gone string) Profile {
	p := Profile{
		Name: name, Host: host, style: BearerForbidding, Hosts: []string{host}, Public: public + tag, Private: private + tag,
		Good:     Account{"_json_key", `{"type":"service_account","project_id":"acme-prod"}`},
		Stranger: Account{"_json_key", `{"type":"service_account","project_id":"other"}`},
		Bad:      Account{"_json_key", `{"type":"service_account","project_id":"deleted"}`}, Expired: Account{"oauth2accesstoken", "ya29.expired"},
		adjust: withRealm("https://"+host+"/v2/token", host, nil),
	}
	p.pulls = []string{repositoryOf(p.Public), repositoryOf(p.Private)} // what is missing may not exist, in its own words
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		// Whoever waits for a challenge gets no chance to offer wrong credentials: runtimes do, others may not.
		at("private", p.Private, nobody, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, deniedOrMissing, notAllowed),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("private, with expired credentials", p.Private, p.Expired, expiredCredentials, invalidCredentials),
		at("missing repository", gone+tag, nobody, deniedOrMissing),
		at("missing repository, with good credentials", gone+tag, p.Good, deniedOrMissing, notAllowed),
		at("quota", p.Private, p.Good, rateLimited).of(atManifest, says(429, "TOOMANYREQUESTS",
			"Quota exceeded for quota metric 'Requests per project per region' and limit 'Requests per project per region per minute per region'")),
	}, missing(p.Private, p.Good))
	return p
}

func acr() Profile {
	const host = "acme.azurecr.io"
	p := Profile{
		Name: "ACR", Host: host, style: BearerAzure, Hosts: []string{host}, Storage: "weumanaged23.blob.core.windows.net",
		Private: host + "/shop/api" + tag,
		Good:    Account{"6f1f0d0e-3f6c-4b0f-9a51-0c8f1f6d1c11", "principal-secret"}, Stranger: Account{"a7d2a6c0-52a3-4c49-8d4c-5d2b6d5b9a02", "other-secret"},
		Bad: Account{"6f1f0d0e-3f6c-4b0f-9a51-0c8f1f6d1c11", "wrong-secret"}, Expired: Account{"00000000-0000-0000-0000-000000000000", "expired-refresh-token"},
		adjust: withRealm("https://"+host+"/oauth2/token", host, func(r *Registry) { r.Private = []string{"*"} }),
	}
	const gone = host + "/gone/api" + tag
	p.Situations = slices.Concat([]Situation{
		at("private", p.Private, nobody, noCredentials, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		// The token endpoint has one answer for all who may not pull.
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed, invalidCredentials),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials, notAllowed),
		at("private, with expired credentials", p.Private, p.Expired, expiredCredentials, invalidCredentials, notAllowed),
		at("missing repository", gone, nobody, noCredentials, deniedOrMissing),
		at("missing repository, with good credentials", gone, p.Good, repositoryNotFound),
		at("too many requests", p.Private, p.Good, rateLimited).of(atManifest, says(429, "TOOMANYREQUESTS", "too many requests, try again later")),
		at("firewall", p.Private, p.Good, clientBlocked).of(anywhere, preset("client-blocked-acr")),
		at("firewall at the token endpoint", p.Private, p.Good, clientBlocked).of(atToken, preset("client-blocked-acr")),
	}, missing(p.Private, p.Good), storage(p.Private, p.Good))
	return p
}
