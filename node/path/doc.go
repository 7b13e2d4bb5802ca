// Package path looks at the way from a node to every host that a pull would touch: the mirrors of the runtime's configuration in their
// order, the registry itself, the token server that it names, the storage that it sends on to. Hop by hop: the proxy, the name at each of
// the node's resolvers, each address, TLS against what the runtime trusts, the answer to the runtime's own first request. It also asks the
// registry for the image as package registry/probe does, over the node's names, proxy and certificates.
//
// What decides are the node's files and the environment of the runtime's process, never this program's. Nothing takes longer than a
// few seconds: where the runtime would wait for half a minute, that is told and not tried.
//
// It connects to nothing that is link-local or a metadata service, and on a registry's word to nothing further inside than the
// registry is. A mirror gets the headers that the node's configuration has for it, and no credential; a credential goes only where
// registry/wire sends it. It follows no redirect of its own requests, writes to nobody, and does not say what causes a failure.
package path
