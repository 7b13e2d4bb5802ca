package distribution

import "strings"

// exchanges are all that both must do.
func exchanges() []exchange {
	var all []exchange
	for _, part := range [][]exchange{pings, manifests, misses, blobs, tagLists, badNames(), authentication} {
		all = append(all, part...)
	}
	return all
}

var pings = []exchange{
	{name: "ping", method: "GET", path: "/v2/", status: 200, want: map[string]string{"Content-Type": "application/json"}, body: "{}"},
	{name: "ping by HEAD", method: "HEAD", path: "/v2/", status: 200},
	{name: "ping by POST", method: "POST", path: "/v2/", status: 200},
	{name: "elsewhere", method: "GET", path: "/index.html", status: 404, body: "404 page not found"},
}

var manifests = []exchange{
	{name: "index by tag", method: "GET", path: app + "manifests/v1", header: accept, status: 200,
		want: map[string]string{"Content-Type": index, "Docker-Content-Digest": "{index}", "Etag": `"{index}"`}},
	{name: "index by tag, by HEAD", method: "HEAD", path: app + "manifests/v1", header: accept, status: 200,
		want: map[string]string{"Content-Type": index, "Docker-Content-Digest": "{index}"}},
	{name: "index by digest", method: "GET", path: app + "manifests/{index}", header: accept, status: 200,
		want: map[string]string{"Content-Type": index, "Docker-Content-Digest": "{index}"}},
	{name: "child by digest", method: "GET", path: app + "manifests/{child}", header: accept, status: 200,
		want: map[string]string{"Content-Type": image, "Docker-Content-Digest": "{child}"}},
	{name: "child by digest, by HEAD", method: "HEAD", path: app + "manifests/{child}", header: accept, status: 200,
		want: map[string]string{"Content-Type": image, "Docker-Content-Digest": "{child}"}},
	{name: "Docker's own format", method: "GET", path: "/v2/team/docker/manifests/v1", header: accept, status: 200,
		want: map[string]string{"Content-Type": docker, "Docker-Content-Digest": "{docker}"}},
	{name: "Docker's own format, not accepted", method: "GET", path: "/v2/team/docker/manifests/v1", header: []string{"Accept", image}, status: 200,
		want: map[string]string{"Content-Type": docker}},
	{name: "index not accepted", method: "GET", path: app + "manifests/v1", header: []string{"Accept", image + ", " + docker}, status: 200, want: map[string]string{"Content-Type": index}},
	{name: "image accepted by no name", method: "GET", path: app + "manifests/{child}", header: []string{"Accept", "*/*"}, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "image not accepted", method: "GET", path: app + "manifests/{child}", header: []string{"Accept", docker}, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "accepted with a weight", method: "GET", path: app + "manifests/{child}", header: []string{"Accept", image + ";q=0.5"}, status: 200},
}

var misses = []exchange{
	{name: "unknown tag", method: "GET", path: app + "manifests/v2", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "unknown tag, by HEAD", method: "HEAD", path: app + "manifests/v2", header: accept, status: 404},
	{name: "unknown digest", method: "GET", path: app + "manifests/{none}", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "unknown digest of another kind", method: "GET", path: app + "manifests/sha512:" + strings.Repeat("0", 128), header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "unknown repository", method: "GET", path: "/v2/team/gone/manifests/v1", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "unknown repository, by digest", method: "GET", path: "/v2/team/gone/manifests/{index}", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "unknown repository's tags", method: "GET", path: "/v2/team/gone/tags/list", status: 404, code: "NAME_UNKNOWN"},
	{name: "unknown blob", method: "GET", path: app + "blobs/{none}", status: 404, code: "BLOB_UNKNOWN"},
	{name: "unknown blob, by HEAD", method: "HEAD", path: app + "blobs/{none}", status: 404},
	{name: "unknown repository's blob", method: "GET", path: "/v2/team/gone/blobs/{layer}", status: 404, code: "BLOB_UNKNOWN"},
	{name: "a config is no manifest", method: "GET", path: app + "manifests/{config}", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "other repository's manifest", method: "GET", path: "/v2/team/docker/manifests/{index}", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
}

var blobs = []exchange{
	{name: "layer", method: "GET", path: app + "blobs/{layer}", status: 200,
		want: map[string]string{"Content-Type": "application/octet-stream", "Docker-Content-Digest": "{layer}", "Accept-Ranges": "bytes"}},
	{name: "layer, by HEAD", method: "HEAD", path: app + "blobs/{layer}", status: 200, want: map[string]string{"Docker-Content-Digest": "{layer}"}},
	{name: "config", method: "GET", path: app + "blobs/{config}", status: 200, want: map[string]string{"Content-Type": "application/octet-stream"}},
	{name: "range", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=10-19"}, status: 206, size: 10},
	{name: "range to the end", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=10-"}, status: 206},
	{name: "range beyond the end", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=10-9999999"}, status: 206},
	{name: "range of the last bytes", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=-7"}, status: 206, size: 7},
	{name: "range by HEAD", method: "HEAD", path: app + "blobs/{layer}", header: []string{"Range", "bytes=10-19"}, status: 206},
	{name: "range after the end", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=9999999-"}, status: 416},
	{name: "range backwards", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=19-10"}, status: 416},
	{name: "no range", method: "GET", path: app + "blobs/{layer}", header: []string{"Range", "bytes=x"}, status: 416},
}

var tagLists = []exchange{
	{name: "tags", method: "GET", path: "/v2/team/tags/tags/list", status: 200, want: map[string]string{"Link": ""}, body: `{"name":"team/tags","tags":["a","b","c","d","e"]}`},
	{name: "first page", method: "GET", path: "/v2/team/tags/tags/list?n=2", status: 200,
		want: map[string]string{"Link": `</v2/team/tags/tags/list?last=b&n=2>; rel="next"`}, body: `{"name":"team/tags","tags":["a","b"]}`},
	{name: "second page", method: "GET", path: "/v2/team/tags/tags/list?n=2&last=b", status: 200,
		want: map[string]string{"Link": `</v2/team/tags/tags/list?last=d&n=2>; rel="next"`}, body: `{"name":"team/tags","tags":["c","d"]}`},
	{name: "last page", method: "GET", path: "/v2/team/tags/tags/list?n=2&last=d", status: 200, want: map[string]string{"Link": ""}, body: `{"name":"team/tags","tags":["e"]}`},
	{name: "a page of exactly all", method: "GET", path: "/v2/team/tags/tags/list?n=5", status: 200, want: map[string]string{"Link": `</v2/team/tags/tags/list?last=e&n=5>; rel="next"`}},
	{name: "after that page", method: "GET", path: "/v2/team/tags/tags/list?n=5&last=e", status: 200, want: map[string]string{"Link": ""}, body: `{"name":"team/tags","tags":[]}`},
	{name: "a page larger than all", method: "GET", path: "/v2/team/tags/tags/list?n=1000", status: 200, want: map[string]string{"Link": ""}, body: `{"name":"team/tags","tags":["a","b","c","d","e"]}`},
	{name: "no page", method: "GET", path: "/v2/team/tags/tags/list?n=0", status: 200, want: map[string]string{"Link": ""}, body: `{"name":"team/tags","tags":[]}`},
	{name: "after a tag that is none", method: "GET", path: "/v2/team/tags/tags/list?last=bb", status: 200, body: `{"name":"team/tags","tags":["c","d","e"]}`},
	{name: "a negative page", method: "GET", path: "/v2/team/tags/tags/list?n=-1", status: 400, code: "PAGINATION_NUMBER_INVALID"},
	{name: "a page of words", method: "GET", path: "/v2/team/tags/tags/list?n=x", status: 400, code: "PAGINATION_NUMBER_INVALID"},
	{name: "tags by HEAD", method: "HEAD", path: "/v2/team/tags/tags/list", status: 405, want: map[string]string{"Allow": "GET"}},
}

func badNames() []exchange {
	return []exchange{
		{name: "short digest", method: "GET", path: app + "manifests/sha256:12", header: accept, status: 400, code: "DIGEST_INVALID"},
		{name: "digest with wrong letters", method: "GET", path: app + "manifests/sha256:" + strings.Repeat("z", 64), header: accept, status: 400, code: "DIGEST_INVALID"},
		{name: "digest of an unknown kind", method: "GET", path: app + "manifests/md5:12", header: accept, status: 400, code: "DIGEST_INVALID"},
		{name: "short digest of a blob", method: "GET", path: app + "blobs/sha256:12", status: 400, code: "DIGEST_INVALID"},
		{name: "a blob's tag", method: "GET", path: app + "blobs/v1", status: 404, body: "404 page not found"},
		{name: "tag with a dash before", method: "GET", path: app + "manifests/-v1", header: accept, status: 404, body: "404 page not found"},
		{name: "tag too long", method: "GET", path: app + "manifests/" + strings.Repeat("a", 129), header: accept, status: 404, body: "404 page not found"},
		{name: "longest tag", method: "GET", path: app + "manifests/" + strings.Repeat("a", 128), header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
		{name: "capitals", method: "GET", path: "/v2/team/App/manifests/v1", header: accept, status: 404, body: "404 page not found"},
		{name: "a name that is a keyword", method: "GET", path: "/v2/team/manifests/manifests/v1", header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
		{name: "push", method: "PUT", path: app + "manifests/v2", status: 405, want: map[string]string{"Allow": "GET, HEAD"}},
	}
}

var authentication = []exchange{
	{name: "ping without a token", method: "GET", path: "/v2/", door: tokens, status: 401, code: "UNAUTHORIZED"},
	{name: "ping with an anonymous token", method: "GET", path: "/v2/", door: tokens, as: anonymous, status: 200},
	{name: "ping with a forged token", method: "GET", path: "/v2/", door: tokens, as: wrong, status: 401, code: "UNAUTHORIZED"},
	{name: "public without a token", method: "GET", path: app + "manifests/v1", door: tokens, header: accept, status: 401, code: "UNAUTHORIZED"},
	{name: "public without a token, by HEAD", method: "HEAD", path: app + "manifests/v1", door: tokens, header: accept, status: 401},
	{name: "public with an anonymous token", method: "GET", path: app + "manifests/v1", door: tokens, as: anonymous, header: accept, status: 200},
	{name: "public layer with an anonymous token", method: "GET", path: app + "blobs/{layer}", door: tokens, as: anonymous, status: 200},
	{name: "public tags with an anonymous token", method: "GET", path: "/v2/team/tags/tags/list", door: tokens, as: anonymous, status: 200},
	{name: "public with a forged token", method: "GET", path: app + "manifests/v1", door: tokens, as: wrong, header: accept, status: 401, code: "UNAUTHORIZED"},
	{name: "private with an anonymous token", method: "GET", path: "/v2/team/private/manifests/v1", door: tokens, as: anonymous, header: accept, status: 401, code: "UNAUTHORIZED"},
	{name: "private with an anonymous token, by HEAD", method: "HEAD", path: "/v2/team/private/manifests/v1", door: tokens, as: anonymous, header: accept, status: 401},
	{name: "private layer with an anonymous token", method: "GET", path: "/v2/team/private/blobs/{layer}", door: tokens, as: anonymous, status: 401, code: "UNAUTHORIZED"},
	{name: "private tags with an anonymous token", method: "GET", path: "/v2/team/private/tags/list", door: tokens, as: anonymous, status: 401, code: "UNAUTHORIZED"},
	{name: "private with a good token", method: "GET", path: "/v2/team/private/manifests/v1", door: tokens, as: ada, header: accept, status: 200},
	{name: "unknown tag with a good token", method: "GET", path: "/v2/team/private/manifests/v2", door: tokens, as: ada, header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
	{name: "unknown repository without a token", method: "GET", path: "/v2/team/gone/manifests/v1", door: tokens, header: accept, status: 401, code: "UNAUTHORIZED"},
	{name: "unknown repository with an anonymous token", method: "GET", path: "/v2/team/gone/manifests/v1", door: tokens, as: anonymous, header: accept, status: 401, code: "UNAUTHORIZED"},
	{name: "a bad path needs no token", method: "GET", path: app + "blobs/v1", door: tokens, status: 404},
	{name: "a bad digest needs a token", method: "GET", path: app + "blobs/sha256:12", door: tokens, status: 401, code: "UNAUTHORIZED"},
	{name: "ping without a password", method: "GET", path: "/v2/", door: passwords, status: 401, code: "UNAUTHORIZED"},
	{name: "ping with a wrong password", method: "GET", path: "/v2/", door: passwords, as: wrong, status: 401, code: "UNAUTHORIZED"},
	{name: "ping with a password", method: "GET", path: "/v2/", door: passwords, as: ada, status: 200},
	{name: "manifest without a password", method: "GET", path: app + "manifests/v1", door: passwords, header: accept, status: 401, code: "UNAUTHORIZED"},
	{name: "manifest with a wrong password", method: "HEAD", path: app + "manifests/v1", door: passwords, as: wrong, header: accept, status: 401},
	{name: "manifest with a password", method: "GET", path: app + "manifests/v1", door: passwords, as: ada, header: accept, status: 200},
	{name: "unknown repository with a password", method: "GET", path: "/v2/team/gone/manifests/v1", door: passwords, as: ada, header: accept, status: 404, code: "MANIFEST_UNKNOWN"},
}
