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
// A [Profile] is one of the world's registries made of these parts, under its
// own host names, and a table of situations: which image, asked for with which
// account, what goes wrong, and which causes an honest judge may conclude from
// the answers. A test that judges goes through them all:
//
//	for _, p := range registrytest.Profiles() {
//		for _, s := range p.Situations {
//			r, err := p.Start(s) // over TLS on loopback
//			…ask for s.Image as s.User with s.Password over r.Transport,
//			which knows p.Hosts and nothing else; r.Log has what was asked…
//			…s.Want has the causes' codes; none: the image is served…
//			err = r.Close()
//		}
//	}
//
// What each situation looks like on the wire is in testdata/manners.golden.
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
