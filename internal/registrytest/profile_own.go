package registrytest

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func harbor() Profile {
	const host = "harbor.acme.example"
	p := Profile{
		Name: "Harbor", Host: host, style: BearerHarbor, Hosts: []string{host},
		Public: host + "/library/tools" + tag, Private: host + "/acme/shop" + tag,
		Good: Account{"robot$acme+puller", "good-secret"}, Stranger: Account{"robot$other+puller", "other-secret"},
		Bad: Account{"robot$acme+puller", "wrong-secret"}, Expired: Account{"robot$acme+old", "old-secret"},
		adjust: withRealm("https://"+host+"/service/token", "harbor-registry", func(r *Registry) {
			r.Private, r.Public = []string{"acme/*"}, []string{"library/*"} // by project
		}),
	}
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials, expiredCredentials),
		at("private", p.Private, nobody, deniedOrMissing, noCredentials),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed, deniedOrMissing),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("private, with expired credentials", p.Private, p.Expired, invalidCredentials, expiredCredentials),
		at("missing repository", host+"/library/gone"+tag, nobody, repositoryNotFound),
		at("missing repository in a private project", host+"/acme/gone"+tag, nobody, deniedOrMissing, noCredentials),
		at("missing repository in a private project, with good credentials", host+"/acme/gone"+tag, p.Good, repositoryNotFound),
		at("vulnerable", p.Private, p.Good, contentPolicy).of(atManifest, preset("content-policy")),
		at("too many requests", p.Public, nobody, rateLimited).of(anywhere, preset("rate-limited-bare")),
	}, missing(p.Public, nobody))
	return p
}

func gitLab() Profile {
	const host = "registry.gitlab.com"
	p := Profile{
		Name: "GitLab", Host: host, style: BearerGitLab, Hosts: []string{host, "gitlab.com"}, Storage: "cdn.registry.gitlab-static.net",
		Public: host + "/acme/tools" + tag, Private: host + "/acme/shop/api" + tag,
		Good: Account{"gitlab+deploy-token-1", "gldt-good"}, Stranger: Account{"gitlab+deploy-token-2", "gldt-stranger"},
		Bad: Account{"gitlab+deploy-token-1", "gldt-wrong"}, Expired: Account{"gitlab-ci-token", "glcbt-64_done"},
		pulls:  []string{"acme/tools", "acme/shop/api"}, // what is missing is forbidden
		adjust: withRealm("https://gitlab.com/jwt/auth", "container_registry", nil),
	}
	const gone = host + "/acme/gone/api" + tag
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials, expiredCredentials),
		at("private", p.Private, nobody, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed, deniedOrMissing),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("private, with a finished job's token", p.Private, p.Expired, expiredCredentials, invalidCredentials),
		at("missing repository", gone, nobody, deniedOrMissing),
		at("missing repository, with good credentials", gone, p.Good, deniedOrMissing, notAllowed),
		at("too many requests", p.Public, nobody, rateLimited).of(atToken, Answer{Status: 429, Body: "Retry later\n", Header: map[string]string{"retry-after": "60"}}),
	}, missing(p.Public, nobody), storage(p.Public, nobody))
	return p
}

func artifactory() Profile {
	const host = "acme.jfrog.io"
	p := Profile{
		Name: "Artifactory", Host: host, style: BearerArtifactory, Hosts: []string{host},
		Public: host + "/open/tools" + tag, Private: host + "/docker-local/shop" + tag,
		Good: Account{"ci", "good-token"}, Stranger: Account{"guest", "other-token"},
		Bad: Account{"ci", "wrong-token"}, Expired: Account{"ci", "expired-token"},
		adjust: withRealm("https://"+host+"/artifactory/api/docker/docker-local/v2/token", host, func(r *Registry) { r.Private = []string{"docker-local/*"} }),
	}
	const gone = host + "/docker-local/gone" + tag
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("public, with wrong credentials", p.Public, p.Bad, invalidCredentials, expiredCredentials),
		at("private", p.Private, nobody, noCredentials, deniedOrMissing),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("private, with expired credentials", p.Private, p.Expired, expiredCredentials),
		at("missing repository", gone, nobody, noCredentials, deniedOrMissing),
		at("missing repository, with good credentials", gone, p.Good, repositoryNotFound),
		at("blocked by the scanner", p.Private, p.Good, contentPolicy).of(atManifest, says(forbidden, "DENIED",
			"Artifact docker-local:shop/1.4/manifest.json was not downloaded due to the download blocking policy configured in Xray for docker-local.")),
		at("too many requests", p.Private, p.Good, rateLimited).of(atManifest, Answer{Status: 429, Body: `{"errors":[{"status":429,"message":"Too Many Requests"}]}` + "\n"}),
	}, missing(p.Private, p.Good))
	return p
}

func nexus() Profile {
	const host = "nexus.acme.example:8083"
	p := Profile{
		Name: "Nexus", Host: host, style: BasicNexus, Hosts: []string{host},
		Private: host + "/acme/shop" + tag,
		Good:    Account{"puller", "good"}, Stranger: Account{"guest", "guest"}, Bad: Account{"puller", "wrong"},
	}
	const gone = host + "/acme/gone" + tag
	p.Situations = slices.Concat([]Situation{
		at("private", p.Private, nobody, noCredentials),
		at("private, with good credentials", p.Private, p.Good),
		at("private, with a stranger's credentials", p.Private, p.Stranger, notAllowed),
		at("private, with wrong credentials", p.Private, p.Bad, invalidCredentials, expiredCredentials),
		at("missing repository", gone, nobody, noCredentials),
		at("missing repository, with good credentials", gone, p.Good, repositoryNotFound),
		at("the port of the web pages", p.Private, p.Good, notARegistry).of(anywhere, preset("html")),
	}, missing(p.Private, p.Good))
	return p
}

// kubernetes is registry.k8s.io, which keeps nothing itself.
func kubernetes() Profile {
	const host, behind, project = "registry.k8s.io", "europe-west4-docker.pkg.dev", "k8s-artifacts-prod/images/"
	p := Profile{
		Name: "registry.k8s.io", Host: host, style: Open, Hosts: []string{host},
		Storage: "prod-registry-k8s-io-eu-central-1.s3.dualstack.eu-central-1.amazonaws.com",
		Public:  host + "/tools" + tag,
		adjust: func(p Profile, g *Group, r *Registry, img v1.ImageIndex) error {
			r.Elsewhere = "https://" + behind + "/v2/" + project
			there := g.Add(behind, BearerForbidding)
			there.Realm, there.Service, there.Public = "https://"+behind+"/v2/token", behind, []string{project + "*"}
			_, err := there.PushIndex(project+repositoryOf(p.Public), tag[1:], img)
			return err
		},
	}
	backend := Where{Host: behind, Early: true}
	p.Situations = slices.Concat([]Situation{
		at("public", p.Public, nobody),
		at("missing repository", host+"/gone"+tag, nobody, repositoryNotFound),
		at("too many requests", p.Public, nobody, rateLimited).of(backend, preset("rate-limited-bare")),
		at("embargo, or a firewall that lets only the first host through", p.Public, nobody, clientBlocked).of(backend, Answer{Status: forbidden, Body: googleForbidden}),
	}, missing(p.Public, nobody), storage(p.Public, nobody))
	p.Hosts = append(p.Hosts, behind)
	return p
}

const googleForbidden = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 403 (Forbidden)!!1</title>\n<p><b>403.</b> That's an error.\n" +
	"<p>Your client does not have permission to get this URL from this server. That's all we know.\n</html>\n"

// withRealm sets the token endpoint, and what else there is to set.
func withRealm(realm, service string, more func(*Registry)) func(Profile, *Group, *Registry, v1.ImageIndex) error {
	return func(_ Profile, _ *Group, r *Registry, _ v1.ImageIndex) error {
		r.Realm, r.Service = realm, service
		if more != nil {
			more(r)
		}
		return nil
	}
}
