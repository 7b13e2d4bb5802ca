package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	registryv1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// mirrorCases are nodeCases in which one node pulls through a mirror, or should.
func mirrorCases() []Case {
	return []Case{silentMirror(), lyingMirror(), lostMirror(), misspeltHosts()}
}

// mirrorHost is the mirror of these cases; each has its own repository there.
const mirrorHost = "relay.lab"

// onlyMirror leaves no way past the mirror: what a hosts.toml calls the server takes the registry's place.
const onlyMirror = "server = \"https://" + mirrorHost + "\"\n"

// mirrorFirst asks the mirror and then the registry.
func mirrorFirst(registry string) string {
	return fmt.Sprintf("server = \"https://%s\"\n\n[host.\"https://%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", registry, mirrorHost)
}

// fromMirror has the image at the mirror too, with a fault that the first node meets there, in the image's own layer or in
// every request.
func (o outage) fromMirror(preset string, layer bool) outage {
	_, repository := splitImage(o.image)
	repository, _, _ = strings.Cut(repository, ":")
	o.served = func(ctx context.Context, l *Lab, img registryv1.Image) error {
		fault := registrytest.Fault{ID: o.namespace, Answer: registrytest.Answer{Preset: preset},
			Where: registrytest.Where{Host: mirrorHost, Repository: repository, Client: l.Nodes()[0].IP, Early: true}}
		if layer {
			layers, err := img.Layers()
			if err != nil {
				return err
			}
			digest, err := layers[len(layers)-1].Digest() // the first is the program, which nodes have from other cases
			if err != nil {
				return err
			}
			fault.Where.Object = digest.String()
		}
		return errors.Join(l.Push(ctx, o.mirrored(), img), l.AddFault(ctx, fault))
	}
	restore := o.restore
	o.restore = func(ctx context.Context, l *Lab) error {
		return errors.Join(restore(ctx, l), l.ClearFault(ctx, o.namespace))
	}
	return o
}

func (o outage) host() string { host, _ := splitImage(o.image); return host }

// mirrored is the image's name at the mirror.
func (o outage) mirrored() string { return mirrorHost + strings.TrimPrefix(o.image, o.host()) }

// silentMirror takes connections and requests, and never answers: containerd waits 30 seconds for each, and cannot be told otherwise.
func silentMirror() Case {
	s := scene{namespace: "signage", app: "player", image: "forge.lab/signage/player:2.7", owner: daemonSet}
	return configured(s, onlyMirror).fromMirror("silence", false).of(Case{
		Name: "mirror-silent", Cause: "node.registry-config", About: "one node's hosts.toml sends pulls to a mirror that takes requests and does not answer"})
}

// lyingMirror serves a layer whose bytes are not those of its digest. containerd notices once all of it has come, and does not
// ask the registry instead.
func lyingMirror() Case {
	s := scene{namespace: "darkroom", app: "prints", image: "studio.lab/darkroom/prints:5.0", owner: daemonSet}
	return configured(s, mirrorFirst("studio.lab")).fromMirror("wrong-bytes", true).of(Case{
		Name: "mirror-lying", Cause: "node.registry-config", About: "one node's mirror serves a layer that does not have its digest",
		Ambiguous: []string{"image.content-missing", "network.interrupted", "network.proxy", "node.cache-corrupt", "node.registry-config"}})
}

// lostMirror loses what the first node sends to its mirror; the patience is its hosts.toml's own.
func lostMirror() Case {
	const mirror = "edge.lab"
	s := scene{namespace: "orchard", app: "sorter", image: "annex.lab/orchard/sorter:1.6", owner: daemonSet}
	o := configured(s, "server = \"https://"+mirror+"\"\ndial_timeout = \"2s\"\n")
	write, remove := o.fail, o.restore
	o.fail = func(ctx context.Context, l *Lab) error {
		addr, ok := l.Address(mirror)
		if !ok {
			return fmt.Errorf("the lab has no host %s", mirror)
		}
		return errors.Join(write(ctx, l), l.DropTraffic(ctx, firstNode(l), addr, false))
	}
	o.restore = func(ctx context.Context, l *Lab) error {
		addr, _ := l.Address(mirror)
		return errors.Join(remove(ctx, l), l.RestoreTraffic(ctx, firstNode(l), addr))
	}
	return o.of(Case{Name: "mirror-blackholed", Cause: "node.registry-config", About: "one node's packets to its mirror are lost"})
}

// misspeltHosts has the image only at the mirror, as a site without a way out has. Every node's hosts.toml names it; the first
// node's cannot be parsed, of which containerd writes a line to its log and asks the registry.
func misspeltHosts() Case {
	s := scene{namespace: "tolls", app: "gantry", image: "works.lab/tolls/gantry:3.3", owner: daemonSet,
		faults: []registrytest.Fault{{Where: registrytest.Where{Early: true}, Answer: registrytest.Answer{Preset: "name-unknown"}}}}
	o := outage{scene: s}
	file := hostsFileOf(o.host())
	o.served = func(ctx context.Context, l *Lab, img registryv1.Image) error { return l.Push(ctx, o.mirrored(), img) }
	o.fail = func(_ context.Context, l *Lab) error {
		good := mirrorFirst(o.host())
		var err error
		for _, n := range l.Nodes() {
			toml := good
			if n.Name == firstNode(l) {
				toml = strings.Replace(good, "\"resolve\"]", "\"resolve\"", 1)
			}
			err = errors.Join(err, l.WriteFile(n.Name, file, []byte(toml), 0o644))
		}
		return err
	}
	o.restore = func(_ context.Context, l *Lab) error {
		var err error
		for _, n := range l.Nodes() {
			err = errors.Join(err, l.RemoveFile(n.Name, CertsDir+"/"+o.host()))
		}
		return err
	}
	return o.of(Case{Name: "hosts-toml-syntax", Cause: "node.registry-config", About: "one node's hosts.toml cannot be parsed, so the mirror that has the image is not asked",
		Ambiguous: []string{"auth.denied-or-missing", "name.repository-not-found", "name.tag-not-found", "node.registry-config"}})
}
