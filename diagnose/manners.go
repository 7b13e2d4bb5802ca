package diagnose

import (
	"net"
	"net/url"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// manner is whose way of answering a registry has. They differ in what a refusal tells.
type manner string

// The manners that make a difference; any other registry is judged by its answers alone.
const (
	hub    manner = "hub"
	quay   manner = "quay"
	ghcr   manner = "ghcr"
	google manner = "google"
	gitlab manner = "gitlab"
	harbor manner = "harbor"
	ecr    manner = "ecr"
	acr    manner = "acr"
	plain  manner = ""
)

// hides reports whether what one may not see and what does not exist get the same answer.
func (m manner) hides() bool {
	switch m {
	case hub, quay, ghcr, google, gitlab, harbor:
		return true
	}
	return false
}

// tells reports whether a valid credential is told what does not exist, so that its refusal means what it says.
func (m manner) tells() bool { return m == ecr || m == acr }

// mannerOf goes by the host, and for what people run themselves by the path of its token realm.
func mannerOf(p *evidence.Probe) manner {
	host := registryOf(p.Image, p.Host)
	switch {
	case host == "docker.io" || p.Host == "registry-1.docker.io":
		return hub
	case host == "quay.io":
		return quay
	case host == "ghcr.io":
		return ghcr
	case host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") || strings.HasSuffix(host, ".pkg.dev"):
		return google
	case ofECR(host) || host == "public.ecr.aws":
		return ecr
	case ofACR(host):
		return acr
	}
	switch u := realmOf(p); {
	case strings.HasSuffix(u, "/jwt/auth"): // GitLab's container registry
		return gitlab
	case strings.HasSuffix(u, "/service/token"): // Harbor's token service
		return harbor
	case strings.HasSuffix(u, "/v2/auth"): // Quay
		return quay
	}
	return plain
}

// ofECR and ofACR go by the names that the clouds' credential providers are set up for, the sovereign clouds' included.
func ofECR(host string) bool {
	return strings.Contains(host, ".dkr.ecr.") || strings.Contains(host, ".dkr.ecr-fips.") || strings.Contains(host, ".dkr-ecr.")
}

func ofACR(host string) bool {
	return strings.HasSuffix(host, ".azurecr.io") || strings.HasSuffix(host, ".azurecr.us") || strings.HasSuffix(host, ".azurecr.cn")
}

// realmOf is the path of the token realm that the registry named.
func realmOf(p *evidence.Probe) string {
	for _, a := range p.Attempts {
		for i := range a.Steps {
			if u, err := url.Parse(a.Steps[i].Realm); err == nil && u.Host != "" {
				return u.Path
			}
		}
	}
	return ""
}

// hostOf is the host of a step's URL, with its port.
func hostOf(s *evidence.Step) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// ofAccount reports whether a pull limit counts an account rather than an address
// (Docker Hub's docker-ratelimit-source holds one or the other).
func ofAccount(l *evidence.RateLimit) bool {
	if l == nil || l.Source == "" {
		return false
	}
	source, _, _ := strings.Cut(l.Source, "/")
	return net.ParseIP(strings.Trim(source, "[]")) == nil
}
