package diagnose

import "slices"

// shape is a text as a runtime or registry builds it, with names of our own, and the codes that an expert may answer.
type shape struct {
	name string
	text string
	want []Code // the first is the best; any may lead, and only these may be likely
}

func allShapes() []shape { return slices.Concat(shapes, moreShapes, labShapes, oldShapes) }

const (
	pullC20 = `Back-off pulling image "shop.example/web/api:1.4": ErrImagePull: failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve reference "shop.example/web/api:1.4": `
	pullC24 = `Failed to pull image "shop.example/web/api:1.4": failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: `
	pullC17 = `Failed to pull image "shop.example/web/api:1.4": rpc error: code = Unknown desc = failed to pull and unpack image "shop.example/web/api:1.4": `
	open    = `failed to copy: httpReadSeeker: failed open: `
	docker  = `Failed to pull image "shop.example/web/api:1.4": rpc error: code = Unknown desc = Error response from daemon: `
	crio    = `Failed to pull image "shop.example/web/api:1.4": rpc error: code = Unknown desc = initializing source docker://shop.example/web/api:1.4: `
	crio35  = `Failed to pull image "shop.example/web/api:1.4": unable to pull image or OCI artifact: pull image err: `
	head17  = `unexpected status from HEAD request to https://shop.example/v2/web/api/manifests/1.4: `
	d1      = `sha256:1111111111111111111111111111111111111111111111111111111111111111`
	d2      = `sha256:2222222222222222222222222222222222222222222222222222222222222222`
)

// shapes are written from the sources that the rules cite.
var shapes = []shape{
	{"containerd DNS", pullC24 + `failed to do request: Head "https://shop.example/v2/web/api/manifests/1.4": dial tcp: lookup shop.example on 10.96.0.10:53: no such host`, []Code{DNS}},
	{"containerd refused", pullC20 + `failed to do request: Head "https://shop.example/v2/web/api/manifests/1.4": dial tcp 192.0.2.7:443: connect: connection refused`, []Code{Refused}},
	{"containerd 404", pullC24 + `shop.example/web/api:1.4: not found`, []Code{TagNotFound, RepositoryNotFound}},
	{"containerd bearer", pullC24 + `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`, []Code{DeniedOrMissing, NoCredentials, Forbidden, RepositoryNotFound}},
	{"containerd oauth 401", pullC24 + `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.shop.example/token?scope=repository%3Aweb%2Fapi%3Apull&service=shop: 401 Unauthorized`, []Code{InvalidCredentials, ExpiredCredentials}},
	{"containerd 503", pullC20 + head17 + `503 Service Unavailable`, []Code{Unavailable}},
	{"containerd 429 GET", pullC17 + open + `unexpected status code https://shop.example/v2/web/api/manifests/` + d1 + `: 429 Too Many Requests - Server message: toomanyrequests: slow down`, []Code{RateLimited}},
	{"crio manifest unknown", crio + `reading manifest 1.4 in shop.example/web/api: manifest unknown`, []Code{TagNotFound}},
	{"docker denied", docker + `pull access denied for shop.example/web/api, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`, []Code{DeniedOrMissing, NoCredentials, RepositoryNotFound, Forbidden}},
	{"containerd ENOSPC", pullC17 + `failed to copy: write /var/lib/containerd/io.containerd.content.v1.content/ingest/ab12/data: no space left on device`, []Code{DiskFull}},
	{"containerd x509", pullC24 + `failed to do request: Head "https://shop.example/v2/web/api/manifests/1.4": tls: failed to verify certificate: x509: certificate signed by unknown authority`, []Code{TLSUntrusted}},
	{"containerd commit", pullC17 + `failed commit on ref "layer-` + d1 + `": unexpected commit digest ` + d2 + `, expected ` + d1 + `: failed precondition`, []Code{CacheCorrupt, Interrupted}},
}
