// Package names resolves hosts as a Go program on a node does, by the node's
// own /etc/hosts and /etc/resolv.conf, and asks each of the node's resolvers by
// itself, so that one which fails beside another that works is seen.
//
// The order of names, the search domains and what a failing resolver leads to
// are those of Go's resolver (Go 1.26 net/dnsclient_unix.go, dnsconfig_unix.go),
// since containerd, CRI-O and dockerd are Go programs. nsswitch.conf is not
// followed: with its usual line the result is the same.
//
// It asks only who the node's resolv.conf names, at any address: a resolver may
// well be link-local. It refuses to cache beyond one Resolver, to try a name
// over and over, and to say what a failure means.
package names
