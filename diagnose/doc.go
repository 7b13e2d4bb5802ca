// Package diagnose turns a case into a ranked diagnosis, and diagnoses into
// findings grouped by root cause.
//
// It is pure: no context, clock, logger, network or file. Everything it knows is
// in the case, and each claim cites the facts it rests on. Where the text does
// not tell two causes apart it says so: both stay candidates.
//
// Comments cite sources by these names, then the path and the line:
//
//	K36   k8s.io/kubernetes v1.36.3
//	C24   github.com/containerd/containerd/v2 v2.4.2
//	C17   github.com/containerd/containerd v1.7.35
//	CIMG  go.podman.io/image/v5 v5.42.0
//	CRIO  github.com/cri-o/cri-o
//	CRID  github.com/Mirantis/cri-dockerd
//	MOBY  github.com/moby/moby, Docker Engine
package diagnose
