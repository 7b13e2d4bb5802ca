package cluster

import (
	"context"
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

// nodeCases lists the cases of its family.
func nodeCases() []Case {
	return append(append(storeCases(), mirrorCases()...),
		diskFull(), inodesFull(), readOnly(), unreadableCA(), deadMirror(), runtimeStopped(), throttled(), deadline())
}

// diskFull leaves the spare node less room than the image needs, but more than the kubelet's eviction threshold: the pod
// stays, and only its pull fails.
func diskFull() Case {
	return outage{
		scene: scene{namespace: "streaming", app: "encoder", image: "open.lab/streaming/encoder:3.6", owner: deployment},
		on:    spareNode, edit: tolerateAll,
		// It packs to a quarter, as images do, and fits as it is downloaded; not beside what it unpacks to. A fifth of the disk is
		// left free, for with less the kubelet would begin to remove images.
		files:   []imagetest.File{imagetest.Big("usr/share/model", 16<<20, 5), {Path: "usr/share/cache", Data: make([]byte, 48<<20), Mode: 0o644}},
		fail:    func(ctx context.Context, l *Lab) error { return l.FillDisk(ctx, spareNode(l), 20) },
		restore: func(ctx context.Context, l *Lab) error { return l.FreeDisk(ctx, spareNode(l)) },
	}.of(Case{Name: "disk-full-space", Cause: "node.disk-full", Takes: Takes{Node: true}, About: "an image larger than the room that one node has left"})
}

// inodeFiles is how many files the image has; 15 % of a node's image filesystem, where the kubelet evicts below 5 %.
const inodeFiles = 12000

// inodesFull leaves the spare node room enough and too few inodes.
func inodesFull() Case {
	const filler = "/var/lib/containerd/filler.d"
	files := make([]imagetest.File, inodeFiles)
	for i := range files {
		files[i] = imagetest.File{Path: fmt.Sprintf("usr/share/zone/%d", i), Mode: 0o644}
	}
	return outage{
		scene: scene{namespace: "timetable", app: "zones", image: "open.lab/timetable/zones:2026.2", owner: statefulSet},
		on:    spareNode, edit: tolerateAll, files: files,
		fail: func(ctx context.Context, l *Lab) error {
			script := `mkdir -p ` + filler + ` && cd ` + filler + ` && free=$(df --output=iavail . | tail -1) &&
				seq $((free - ` + fmt.Sprint(inodeFiles*3/4) + `)) | xargs touch`
			if out, err := l.Exec(ctx, spareNode(l), "sh", "-c", script); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		},
		restore: func(ctx context.Context, l *Lab) error {
			_, err := l.Exec(ctx, spareNode(l), "rm", "-rf", filler)
			return err
		},
	}.of(Case{Name: "disk-full-inodes", Cause: "node.disk-full", Takes: Takes{Node: true}, About: "an image of more files than one node has inodes left"})
}

// readOnly covers the content store's folder of downloads with itself, read-only, as the whole filesystem is after an I/O
// error; the whole one cannot be remounted while containerd has its database open for writing.
func readOnly() Case {
	const ingest = "/var/lib/containerd/io.containerd.content.v1.content/ingest"
	return outage{
		scene: scene{namespace: "warehouse", app: "picker", image: "open.lab/warehouse/picker:8.0.1", owner: deployment},
		on:    spareNode, edit: tolerateAll,
		fail: func(ctx context.Context, l *Lab) error {
			out, err := l.Exec(ctx, spareNode(l), "sh", "-c", "mount --bind "+ingest+" "+ingest+" && mount -o remount,bind,ro "+ingest)
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		},
		restore: func(ctx context.Context, l *Lab) error {
			out, err := l.Exec(ctx, spareNode(l), "sh", "-c", "while mountpoint -q "+ingest+"; do umount "+ingest+" || exit; done")
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		},
	}.of(Case{Name: "filesystem", Cause: "node.filesystem", Takes: Takes{Node: true}, About: "one node's image store is read-only"})
}

// hostsFileOf is where containerd reads a registry's own settings, anew on every pull.
func hostsFileOf(host string) string { return CertsDir + "/" + host + "/hosts.toml" }

// configured gives the first node a hosts.toml for the scene's host.
func configured(s scene, toml string) outage {
	host, _ := splitImage(s.image)
	return outage{scene: s,
		fail: func(_ context.Context, l *Lab) error {
			return l.WriteFile(firstNode(l), hostsFileOf(host), []byte(toml), 0o644)
		},
		restore: func(_ context.Context, l *Lab) error { return l.RemoveFile(firstNode(l), CertsDir+"/"+host) },
	}
}

func unreadableCA() Case {
	toml := "server = \"https://gitlab.lab\"\n\n[host.\"https://gitlab.lab\"]\n  ca = \"/etc/containerd/certs.d/gitlab.lab/corp-root.pem\"\n"
	return configured(scene{namespace: "atlas", app: "tiles", image: "gitlab.lab/atlas/tiles:4.4", owner: daemonSet}, toml).of(Case{
		Name: "registry-config", Cause: "node.registry-config", About: "one node's hosts.toml names a CA file that is not there"})
}

// deadMirror has no way past the mirror: with the registry itself as the last host containerd 2 would go on to it.
func deadMirror() Case {
	toml := "server = \"https://cache.lab\"\n\n[host.\"https://cache.lab\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
	o := configured(scene{namespace: "journal", app: "stream", image: "releases.lab/journal/stream:1.2.8", owner: daemonSet}, toml)
	write, remove := o.fail, o.restore
	o.fail = func(ctx context.Context, l *Lab) error {
		return errors.Join(l.SetPort(ctx, "cache.lab", PortRefused), write(ctx, l))
	}
	o.restore = func(ctx context.Context, l *Lab) error {
		return errors.Join(l.SetPort(ctx, "cache.lab", PortTLS), remove(ctx, l))
	}
	return o.of(Case{Name: "mirror-dead", Cause: "node.registry-config", About: "one node's hosts.toml sends pulls to a mirror that is down"})
}

// runtimeStopped ends containerd in the middle of a pull, the one way in which a pod shows it: one that comes later gets
// no status at all, since the kubelet does not look at pods while the runtime is down.
func runtimeStopped() Case {
	return outage{
		scene: scene{namespace: "arcade", app: "lobby", image: "open.lab/arcade/lobby:0.12", owner: deployment},
		on:    spareNode, edit: tolerateAll, files: bulk(), layer: "stall-header",
		late: func(ctx context.Context, l *Lab) error {
			if err := l.waitPulling(ctx, "arcade"); err != nil {
				return err
			}
			return l.Service(ctx, spareNode(l), "containerd", "kill")
		},
		restore: func(ctx context.Context, l *Lab) error { return l.startContainerd(ctx, spareNode(l)) },
	}.of(Case{Name: "runtime-unavailable", Cause: "node.runtime-unavailable", Takes: Takes{Node: true}, About: "one node's containerd has ended"})
}

// throttled makes more pods at once than the kubelet pulls for: the spare node's registryBurst and registryPullQPS.
func throttled() Case {
	return outage{
		scene: scene{namespace: "nightly", app: "shard", image: "open.lab/nightly/shard:44", owner: deployment, replicas: 8},
		on:    spareNode,
		edit: func(spec *v1.PodSpec) {
			tolerateAll(spec)
			spec.Containers[0].ImagePullPolicy = v1.PullAlways
			// Without a network of their own they start sooner, and closer together.
			spec.HostNetwork = true
		},
	}.of(Case{Name: "pull-throttled", Cause: "node.pull-throttled", Takes: Takes{Node: true}, About: "more pulls at once than the kubelet allows"})
}

// deadline stalls late: containerd counts progress only from the first mebibyte of a layer on.
func deadline() Case {
	return outage{
		scene: scene{namespace: "insights", app: "export", image: "open.lab/insights/export:9.0", owner: job},
		on:    spareNode, edit: tolerateAll, layer: "stall-body",
		files: []imagetest.File{imagetest.Big("usr/share/cube", 8<<20, 11)},
	}.of(Case{Name: "pull-deadline", Cause: "node.pull-deadline", Takes: Takes{Node: true}, About: "a layer that stops half way, until the runtime gives up"})
}
