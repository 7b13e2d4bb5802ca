// Package wire asks a registry over HTTP as the kubelet's runtime would, and keeps what came back: status and error codes, challenge, limits,
// redirects, where the time went, or why there was no answer.
//
// The authentication is containerd 2.4's, request by request: the challenge of the request that was refused is answered, not that of /v2/; a
// token is asked for by POST and then by GET; Basic without a credential is not tried. This is why go-containerregistry's remote package does
// not make the requests: it pings /v2/ and takes the challenge from there, so that a registry which answers 200 to /v2/ and 401 to manifests is
// never authenticated, and it hides the token exchange, in which most pulls that are refused end.
//
// What differs from containerd, and why: nothing is retried; a credential goes to the registry's own host and to the realm that it names, over
// verified HTTPS (plain HTTP only where both are on this machine's loopback), and after no redirect; a registry on the internet can send nobody
// to a private address, and none can to a link-local one (package trip says what is checked behind a proxy).
//
// Everything is bounded: the time of a request, headers and error bodies (64 KiB), token bodies (1 MiB), bodies (Ask.MaxBody), redirects (5).
// No answer is inflated. Texts come redacted, without control characters, and without the session's own secrets in any form a server may send them back in.
//
// It refuses to choose credentials, to try a second one, to interpret an answer, to write to a registry, and to log.
package wire
