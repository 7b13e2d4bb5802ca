package cluster

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	registryv1 "github.com/google/go-containerregistry/pkg/v1"
	v1 "k8s.io/api/core/v1"
)

// storeCases are nodeCases whose content on the first node is damaged. What they damage is theirs alone, so that they need
// not take the node. All start from `ctr content fetch`, which leaves an image's content there and unpacks nothing: the
// state of a node that has lost its snapshots.
func storeCases() []Case {
	return []Case{
		stored(scene{namespace: "tariffs", app: "engine", image: "open.lab/tariffs/engine:5.5", owner: daemonSet}, "5.4", layerDamaged("size / 2")).of(Case{
			Name: "cache-corrupt-blob", Cause: "node.cache-corrupt", About: "a layer on one node is damaged, and another image shares it"}),
		stored(scene{namespace: "helpline", app: "chat", image: "open.lab/helpline/chat:2.1", owner: deployment}, "2.1.0", configGone).of(Case{
			Name: "cache-missing-blob", Cause: "node.cache-corrupt", About: "an image's config is gone from one node's disk, though its database has it"}),
		stored(scene{namespace: "screening", app: "scorer", image: "open.lab/screening/scorer:1.7.0"}, "1.7.0", layerDamaged("0")).of(Case{
			Name: "cache-damaged-snapshot", Cause: "node.cache-corrupt", About: "an image that one node has, whose snapshot is gone and whose layer is damaged"}),
		stored(scene{namespace: "freight", app: "router", image: "open.lab/freight/router:4.0", owner: daemonSet}, "3.9", layerResized("-s -1000")).of(Case{
			Name: "cache-cut-blob", Cause: "node.cache-corrupt", About: "a layer on one node has lost its end"}),
		stored(scene{namespace: "notary", app: "indexer", image: "open.lab/notary/indexer:1.3", owner: daemonSet}, "1.2", layerResized("-s 0")).of(Case{
			Name: "cache-empty-blob", Cause: "node.cache-corrupt", About: "a layer on one node is a file of no bytes, as after a power cut"}),
		stored(scene{namespace: "herbarium", app: "guide", image: "open.lab/herbarium/guide:2.2", owner: daemonSet}, "2.1", layerGone).of(Case{
			Name: "cache-deleted-layer", Cause: "node.cache-corrupt", About: "a layer's file is gone from one node's disk, though its database has it"}),
		snapshotEmptied(),
	}
}

const blobs = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/"

// damage is done to one file of a node's content store.
type damage func(ctx context.Context, l *Lab, img registryv1.Image) error

// stored puts the scene's image on the first node under another tag, or the same one, and damages it there.
func stored(s scene, tag string, harm damage) outage {
	host, repo := splitImage(s.image)
	other := host + "/" + repo + ":" + tag
	o := outage{scene: s, on: firstNode, files: bulk(),
		served: func(ctx context.Context, l *Lab, img registryv1.Image) error {
			if err := l.Push(ctx, other, img); err != nil {
				return err
			}
			if out, err := l.Exec(ctx, firstNode(l), "ctr", "content", "fetch", other); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return harm(ctx, l, img)
		},
		restore: func(ctx context.Context, l *Lab) error { return l.ForgetImage(ctx, firstNode(l), other) },
	}
	if s.owner == daemonSet {
		// The same image runs beside it: only that tells a damaged store from an image that was packed wrong.
		o.on = nil
	}
	return o
}

// layerDamaged overwrites 64 bytes of the image's own layer: in its middle the compression breaks, at its begin nothing
// tells any more that it is compressed, and it is read as a tar.
func layerDamaged(at string) damage {
	return func(ctx context.Context, l *Lab, img registryv1.Image) error {
		path, err := ownLayer(img)
		if err != nil {
			return err
		}
		script := strings.NewReplacer("FILE", path, "AT", at).Replace(`size=$(stat -c %s FILE) && chmod u+w FILE &&
			head -c 64 /dev/urandom | dd of=FILE bs=1 seek=$((AT)) conv=notrunc status=none`)
		if out, err := l.Exec(ctx, firstNode(l), "sh", "-c", script); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}

// layerResized cuts the image's own layer.
func layerResized(how string) damage {
	return func(ctx context.Context, l *Lab, img registryv1.Image) error {
		path, err := ownLayer(img)
		if err != nil {
			return err
		}
		if out, err := l.Exec(ctx, firstNode(l), "sh", "-c", "chmod u+w "+path+" && truncate "+how+" "+path); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
}

func layerGone(_ context.Context, l *Lab, img registryv1.Image) error {
	path, err := ownLayer(img)
	if err != nil {
		return err
	}
	return l.RemoveFile(firstNode(l), path)
}

// ownLayer is the file of the layer that no other image has.
func ownLayer(img registryv1.Image) (string, error) {
	m, err := img.Manifest()
	if err != nil {
		return "", err
	}
	return blobs + m.Layers[len(m.Layers)-1].Digest.Hex, nil
}

// snapshotEmptied removes what the image's own layer was unpacked to, as a clean-up of /var/lib by hand does: containerd
// believes its database, and the container does not find its program.
func snapshotEmptied() Case {
	image := "open.lab/theatre/ticket:6.1"
	empty := func(ctx context.Context, l *Lab, img registryv1.Image) error {
		config, err := img.ConfigFile()
		if err != nil {
			return err
		}
		chain := config.RootFS.DiffIDs[0].String()
		for _, id := range config.RootFS.DiffIDs[1:] {
			chain = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(chain+" "+id.String())))
		}
		// A view's mounts name the folders, the topmost first.
		script := strings.NewReplacer("IMAGE", image, "CHAIN", chain).Replace(`set -e
			ctr images pull --local IMAGE >/dev/null
			ctr snapshots view emptied CHAIN
			dir=$(ctr snapshots mounts /x emptied | sed 's/.*lowerdir=//; s/[:, ].*//')
			ctr snapshots rm emptied 2>/dev/null || true # nothing holds it, so that containerd may have done so
			test -d "$dir" && find "$dir" -mindepth 1 -delete`)
		if out, err := l.Exec(ctx, firstNode(l), "sh", "-c", script); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	return outage{
		scene: scene{namespace: "theatre", app: "ticket", image: image, owner: daemonSet}, files: bulk(),
		served: empty,
		// The program is in a layer that all images share; the way to it leads through a folder of the emptied one.
		edit: func(spec *v1.PodSpec) { spec.Containers[0].Command = []string{"/usr/share/../../app"} },
	}.of(Case{Name: "cache-emptied-snapshot", Cause: "node.cache-corrupt", OnlyNode: true, About: "an unpacked layer's folder on one node has been emptied"})
}

func configGone(_ context.Context, l *Lab, img registryv1.Image) error {
	h, err := img.ConfigName()
	if err != nil {
		return err
	}
	return l.RemoveFile(firstNode(l), blobs+h.Hex)
}
