package health

import (
	"cmp"
	"context"
	"slices"
	"strings"

	introspection "github.com/containerd/containerd/api/services/introspection/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/cri"
)

const (
	// maxItems bounds a list of things that are wrong, maxItem each of them, in bytes.
	maxItems = 10
	maxItem  = 1 << 10
)

// skipped ends the error of a plugin that has nothing to do here: no devmapper is configured, the kernel has no zfs.
const skipped = "skip plugin"

// plugins are those of containerd that did not load, the ones that a pull goes through first.
func (l *look) plugins(ctx context.Context, c *cri.Client) {
	r, err := introspection.NewIntrospectionClient(c.Conn()).Plugins(ctx, &introspection.PluginsRequest{})
	if err != nil {
		l.gap("containerd's plugins", evidence.Clean(err.Error()), "ctr plugins ls")
		return
	}
	var failed []string
	for _, p := range r.GetPlugins() {
		text := p.GetInitErr().GetMessage()
		if p.GetInitErr() == nil || strings.Contains(text, skipped) && !l.needed(p.GetType(), p.GetID()) {
			continue
		}
		failed = append(failed, short(p.GetType()+"."+p.GetID()+": "+text))
	}
	slices.SortStableFunc(failed, func(a, b string) int { return cmp.Compare(weight(a), weight(b)) })
	l.found.Plugins = failed[:min(len(failed), maxItems)]
}

// needed tells the snapshotter that the configuration asks for: skipping that one is not harmless.
func (l *look) needed(kind, id string) bool {
	return kind == "io.containerd.snapshotter.v1" && id == l.rt.Snapshotter
}

// weight puts the plugins that hold images before others, and those before the plugins that only fail with them.
func weight(plugin string) int {
	for i, kind := range []string{"io.containerd.metadata.", "io.containerd.content.", "io.containerd.snapshotter.",
		"io.containerd.cri.v1.images", "io.containerd.transfer.", "io.containerd.cri.", "io.containerd.grpc.v1.cri"} {
		if strings.HasPrefix(plugin, kind) {
			return i
		}
	}
	return 100
}

// short is a text of somebody else's that is one of several.
func short(text string) string {
	text = evidence.Clean(text)
	if len(text) > maxItem {
		text = strings.ToValidUTF8(text[:maxItem-len(" …")], "") + " …"
	}
	return text
}
