// Package trip sends single HTTP requests to a registry and to whom it sends its callers, and says where the time went and how a request
// failed.
//
// A [Line] is the connections of one registry. Every address is judged as it is dialled (package reach): the first connection to the registry
// settles how far inside it is, and neither its realm, nor a redirect, nor its own name resolved again may then be further inside; nobody may be
// link-local. Connections are kept per registry, so that one which this registry may not use is never found in a pool.
//
// Behind a proxy the proxy resolves and dials, and its own address is this machine's business. What is checked then are names and literal
// addresses: a literal private or loopback address, localhost, a metadata service's name. A name that the proxy resolves to something private
// cannot be seen from here.
//
// It refuses to follow redirects, to retry, to keep cookies, to inflate bodies and to skip the verification of certificates.
package trip
