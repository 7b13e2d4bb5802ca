package main

import (
	"fmt"
	"strings"
)

// cause is why a workload's pods fail: the runtime's text (containerd 2.4), in which IMAGE, REPO and TAG stand for the
// image's, and PORT for what differs from pod to pod.
type cause struct{ name, text string }

const resolve = `failed to pull and unpack image "IMAGE": failed to resolve image: `

var causes = []cause{
	{"tag-not-found", resolve + `IMAGE: not found`},
	{"no-credentials", resolve + `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`},
	{"invalid-credentials", resolve + `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.corp.example/token?scope=repository%3AREPO%3Apull&service=registry.corp.example: 401 Unauthorized`},
	{"rate-limited", resolve + `unexpected status from HEAD request to https://registry.corp.example/v2/REPO/manifests/TAG: 429 Too Many Requests`},
	{"dns", resolve + `failed to do request: Head "https://registry.corp.example/v2/REPO/manifests/TAG": dial tcp: lookup registry.corp.example on 10.96.0.10:53: no such host`},
	{"timeout", resolve + `failed to do request: Head "https://registry.corp.example/v2/REPO/manifests/TAG": read tcp 10.20.0.5:PORT->203.0.113.7:443: i/o timeout`},
	{"tls", resolve + `failed to do request: Head "https://registry.corp.example/v2/REPO/manifests/TAG": tls: failed to verify certificate: x509: certificate signed by unknown authority`},
	{"platform", `failed to pull and unpack image "IMAGE": no match for platform in manifest: not found`},
	{"disk-full", `failed to pull and unpack image "IMAGE": failed to copy: write /var/lib/containerd/io.containerd.content.v1.content/ingest/PORT/data: no space left on device`},
}

// error is what the runtime told the kubelet for one pod.
func (c cause) error(image string, p pod) string {
	repo, tag, _ := strings.Cut(strings.TrimPrefix(image, "registry.corp.example/"), ":")
	return strings.NewReplacer("IMAGE", image, "REPO", repo, "TAG", tag, "PORT", fmt.Sprint(32768+p.n%28000)).Replace(c.text)
}

// waiting is how the kubelet, from 1.32 on, puts it into the container's status: most of the time the pod is in back-off.
func (c cause) waiting(image string, p pod) (reason, message string) {
	if p.replica()%5 == 0 {
		return "ErrImagePull", c.error(image, p)
	}
	return "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", image, c.error(image, p))
}
