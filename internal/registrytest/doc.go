// Package registrytest is a container registry that fails on request: a real
// HTTP server for the pull side of the OCI distribution API, held in memory,
// used by unit tests and by the lab under test/cluster.
//
// A [Registry] is one registry host. It has a [Style] of authentication, users
// with passwords, expiry and permissions, and content pushed by Go calls. A
// [Group] puts several of them, and the storage host their blobs may be
// redirected to, behind one handler that tells them apart by the Host header.
//
// A [Fault] says where something goes wrong ([Where]) and how ([Answer]). Both
// are plain values with a JSON form, set and cleared while requests are running
// through [Faults], or over a socket through [Admin]. [Preset] answers carry
// the texts and headers of the registries they are named after.
//
// The texts are those of the real services as seen by their users; the status
// codes and the token flow follow the distribution specification and what
// containerd and go-containerregistry do with them.
//
// It refuses to be a registry for anything else: it takes no pushes over the
// network, stores nothing on disk, speaks HTTP/1.1 only (a cut or reset body
// is then a cut or reset connection, as with real front ends), and its tokens
// protect test data only. Certificates, listeners and the forward proxy are in
// package nettest, image builders in package imagetest, both below this one.
package registrytest
