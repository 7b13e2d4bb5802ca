package cluster

import (
	"context"

	v1 "k8s.io/api/core/v1"
)

// nodeCases lists the cases of its family.
func nodeCases() []Case { return []Case{diskFull()} }

// diskFull leaves the spare node less room than the image needs, but more than the kubelet's eviction threshold: the pod
// stays, and only its pull fails.
func diskFull() Case {
	ns := "disk-full"
	return Case{
		Name: ns, Cause: "node.disk-full", About: "an image larger than the room that one node has left", Takes: Takes{Node: true},
		Pods: Selector{ns, "app=web"},
		Break: func(ctx context.Context, l *Lab) error {
			node := l.Spare().Name
			if err := l.FillDisk(ctx, node, 30); err != nil {
				return err
			}
			pod := Pod(ns, "web", "open.lab/big:1.0")
			pod.Spec.NodeName = node
			pod.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
			return l.MakePod(ctx, pod)
		},
		Heal: func(ctx context.Context, l *Lab) error {
			if err := l.FreeDisk(ctx, l.Spare().Name); err != nil {
				return err
			}
			return l.DropNamespace(ctx, ns)
		},
	}
}
