package cluster

import (
	"context"

	v1 "k8s.io/api/core/v1"
)

// policyCases lists the cases of its family.
func policyCases() []Case { return []Case{neverPull(), signature()} }

func neverPull() Case {
	return outage{
		scene: scene{namespace: "boxoffice", app: "desk", image: "open.lab/boxoffice/desk:3.3", owner: statefulSet},
		edit:  func(spec *v1.PodSpec) { spec.Containers[0].ImagePullPolicy = v1.PullNever },
	}.of(Case{Name: "never-pull", Cause: "policy.never-pull", About: "pull policy Never, and the node does not have the image"})
}

// signature installs one of containerd's image verifiers on the first node. It runs for every pull there and judges one
// repository, so that other cases are not disturbed.
func signature() Case {
	const file = VerifierDir + "/release-policy"
	script := `#!/bin/sh
# Called as: release-policy -name IMAGE -digest DIGEST -stdin-media-type TYPE
case "$2" in
open.lab/insurance/*) echo "no signature by release@insurance was found"; exit 1 ;;
esac
echo "not subject to this policy"
`
	return outage{
		scene:   scene{namespace: "insurance", app: "quotes", image: "open.lab/insurance/quotes:2.8.1", owner: deployment},
		on:      firstNode,
		fail:    func(_ context.Context, l *Lab) error { return l.WriteFile(firstNode(l), file, []byte(script), 0o755) },
		restore: func(_ context.Context, l *Lab) error { return l.RemoveFile(firstNode(l), file) },
	}.of(Case{Name: "signature", Cause: "policy.signature", About: "one node's runtime finds no signature that it trusts"})
}
