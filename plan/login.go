package plan

import (
	"regexp"
	"strings"
)

var ecrHost = regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// login fills loginFile with one registry's entry; the secret goes through a terminal or a pipe.
func login(host string) string {
	podman := "podman login --authfile " + loginFile
	switch {
	case ecrHost.MatchString(host):
		return "aws ecr get-login-password --region " + ecrHost.FindStringSubmatch(host)[1] + " | " + podman + " --username AWS --password-stdin " + quote(host)
	case strings.HasSuffix(host, ".pkg.dev"), host == "gcr.io", strings.HasSuffix(host, ".gcr.io"):
		return podman + " --username _json_key --password-stdin " + quote(host) + " < ./service-account-key.json"
	case strings.HasPrefix(host, "-"):
		return podman + " -- " + quote(host)
	}
	return podman + " " + quote(host)
}

// lifeNote warns where a pull secret is the wrong tool because its credential is short-lived.
func lifeNote(host string) string {
	switch {
	case ecrHost.MatchString(host):
		return " An ECR password lives 12 hours: for good, use the kubelet's ecr-credential-provider with the node's role."
	case strings.HasSuffix(host, ".azurecr.io"):
		return " On AKS rather let the nodes pull: az aks update --attach-acr. An az acr login token lives 3 hours; a repository token or service principal lasts."
	case strings.HasSuffix(host, ".pkg.dev"), host == "gcr.io", strings.HasSuffix(host, ".gcr.io"):
		return " On GKE rather give the nodes' service account roles/artifactregistry.reader."
	case host == "ghcr.io":
		return " GHCR takes a personal access token with read:packages as the password."
	}
	return ""
}
