package diagnose

import "strings"

// labShapes are what a real cluster of Kubernetes 1.36 and containerd 2.4 printed, with other names.
var labShapes = []shape{
	{"config 404", pullC17 + open + `could not fetch content descriptor ` + d1 + ` (application/vnd.oci.image.config.v1+json) from remote: not found`, []Code{ContentMissing, DigestNotFound}},
	{"docker layer 404", pullC17 + open + `could not fetch content descriptor ` + d1 + ` (application/vnd.docker.image.rootfs.diff.tar.gzip) from remote: not found`, []Code{ContentMissing}},
	{"page for a descriptor", pullC17 + open + `could not fetch content descriptor ` + d1 + ` (text/html) from remote: not found`, []Code{NotARegistry}},
	{"page for a descriptor, charset", pullC17 + open + `could not fetch content descriptor ` + d1 + ` (text/html; charset=utf-8) from remote: not found`, []Code{NotARegistry}},
	{"page by digest", `Failed to pull image "a.example/b:c": rpc error: code = NotFound desc = get image config descriptor: unexpected media type text/html for ` + d1 + `: not found`, []Code{NotARegistry}},
	{"pinned child 404", strings.ReplaceAll(pullC17, "api:1.4", "api@"+d2) + open + `content at https://shop.example/v2/web/api/manifests/` + d1 + ` not found: not found`, []Code{ContentMissing, DigestNotFound}},
	{"login 429", pullC24 + `failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://auth.shop.example/token: 429 Too Many Requests`, []Code{LockedOut, RateLimited}},
	{"login 429, GET", pullC20 + `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.shop.example/token?scope=repository%3Aweb%2Fapi%3Apull&service=shop: 429 Too Many Requests`, []Code{LockedOut, RateLimited}},
	{"anonymous 429", pullC24 + `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.shop.example/token?scope=x: 429 Too Many Requests`, []Code{RateLimited, LockedOut}},
	{"unpacked layers gone", `failed to create containerd container: parent snapshot ` + d1 + ` does not exist: not found`, []Code{UnsupportedFormat, CacheCorrupt}},
	{"nothing to run", `failed to generate container "f64cccf1d4" spec: failed to generate spec: no command specified`, []Code{UnsupportedFormat}},
}
