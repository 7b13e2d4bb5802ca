package config

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// check finds what one file says in vain to a release, and what keeps it from starting.
func (p containerdPart) check(v release, add func(evidence.ConfigEffect, containerdPart, int, string, ...any)) {
	const images = "io.containerd.cri.v1.images"
	cri, name := p.cri()
	if p.Version > v.formats() && v.tried() {
		add(evidence.EffectStops, p, p.at.of("version"), "expected containerd config version equal to or less than `%d`, got `%d`", v.formats(), p.Version)
	}
	for _, d := range p.Disabled {
		line := p.at.of("disabled_plugins")
		switch {
		case p.Version >= 2 && !strings.Contains(d, ".") && v.from(2, 0):
			add(evidence.EffectStops, p, line, "invalid disabled plugin URI %q expect io.containerd.x.vx", d)
		case p.Version < 2 && d == "cri", d == "io.containerd.grpc.v1.cri", d == images && v.from(2, 0):
			add(evidence.EffectStops, p, line, "disabled_plugins has %s: the kubelet finds no image service", d)
		}
	}
	if cri != nil && cri.Registry != nil && v.from(2, 0) && p.Version >= v.formats() {
		add(evidence.EffectUnused, p, p.at.of("plugins", name, "registry"),
			"plugins.%q.registry is not read in a file of version %d; its place is plugins.%q.registry", name, p.Version, images)
	}
	if p.Version >= 2 && p.Plugins.V1 != nil {
		add(evidence.EffectUnused, p, p.at.of("plugins", "cri"), "plugins.cri is not read in a file of version %d", p.Version)
	}
	if p.Plugins.Images != nil && !v.from(2, 0) {
		add(evidence.EffectUnused, p, p.at.of("plugins", images), "plugins.%q is not read by containerd %d.%d", images, v.major, v.minor)
	}
	if d := cri; d != nil && v.from(2, 0) && p.Version < v.formats() && d.Containerd != nil && d.Containerd.Runtimes == nil &&
		(d.Containerd.Snapshotter != nil || d.Containerd.Discard != nil) {
		add(evidence.EffectUnused, p, p.at.of("plugins", name, "containerd"),
			"snapshotter and discard_unpacked_layers are not taken over from a file of version %d that names no runtimes", p.Version)
	}
}

// judge finds what is wrong with the files together.
func (c *containerdFiles) judge(v release) []evidence.ConfigProblem {
	var out []evidence.ConfigProblem
	t := c.images.registry()
	add := func(effect evidence.ConfigEffect, key, text string) {
		// The last file that has it.
		for i := len(c.files) - 1; i >= 0; i-- {
			for _, table := range []string{"io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"} {
				if line := c.files[i].at.exactly("plugins", table, "registry", key); line != 0 {
					out = append(out, evidence.ConfigProblem{File: c.files[i].path, Line: line, Effect: effect, Text: text})
					return
				}
			}
		}
		file := ""
		if len(c.files) > 0 {
			file = c.files[0].path
		}
		out = append(out, evidence.ConfigProblem{File: file, Effect: effect, Text: text})
	}
	if len(t.Mirrors) > 0 && t.ConfigPath != nil && *t.ConfigPath != "" {
		add(evidence.EffectStops, "mirrors", "invalid cri image config: `mirrors` cannot be set when `config_path` is provided")
	}
	for _, old := range []struct {
		key string
		n   int
	}{{"mirrors", len(t.Mirrors)}, {"configs", len(t.Configs)}, {"auths", len(t.Auths)}} {
		if old.n > 0 {
			add(evidence.EffectWarns, old.key, "`"+old.key+"` is deprecated, please use `config_path` instead")
		}
	}
	if !c.defaults && len(c.roots) == 1 && strings.Contains(c.roots[0], ":") && listTakenForOne(v) {
		add(evidence.EffectUnused, "config_path", "config_path lists several folders, which containerd's transfer service takes for the name of one: no hosts.toml is read")
	}
	return out
}

// listTakenForOne reports whether the release is known to look for hosts.toml below the whole of a list.
func listTakenForOne(v release) bool { return v.from(2, 1) && v.tried() }
