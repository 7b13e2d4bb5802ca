package plan_test

import (
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// sight is a finding that rests on what its node saw.
func sight(w world, f evidence.Fact) diagnose.Finding {
	out := w.finding()
	f.Vantage, f.Where = evidence.Node, "node-2"
	out.Because = append(out.Because, &f)
	out.Confidence = diagnose.Confirmed
	return out
}

// TestExactSteps: what the node saw stands first, by name, in place of advice to go and look.
func TestExactSteps(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("ab", 32)
	host := func(h evidence.Host) evidence.Fact {
		if h.Name == "" {
			h.Name, h.Role = "registry.example.com", evidence.RoleRegistry
		}
		return evidence.Fact{Host: &h}
	}
	broken := host(evidence.Host{Fails: evidence.HopName, Names: []evidence.Resolution{{By: "10.0.0.2:53", Result: evidence.ServFail}, {By: "10.0.0.3:53", Result: evidence.Answered}, {By: "node", Result: evidence.ServFail}}})
	problem := func(e evidence.ConfigEffect) evidence.Fact {
		return evidence.Fact{RegistryConfig: &evidence.RegistryConfig{Problems: []evidence.ConfigProblem{{File: "/etc/containerd/certs.d/a/hosts.toml", Line: 3, Effect: e, Text: "expected newline"}}}}
	}
	full := evidence.Fact{Disk: &evidence.Disk{Frees: 3 << 30, Need: &evidence.DiskNeed{Compressed: 60 << 20, Unpacked: 100 << 20, Present: 10 << 20},
		Areas:  []evidence.DiskArea{{Path: "/data/containerd", Purposes: []string{"content"}, Short: "bytes", Filesystem: evidence.Filesystem{Available: 30 << 20}}},
		Unused: []evidence.UnusedImage{{Names: []string{"registry.example.com/old:1"}, ID: digest, Size: 2 << 30}, {ID: digest, Size: 1 << 30}, {Names: []string{"$(x)"}}}}}
	damaged := func(x evidence.Damage) evidence.Fact {
		return evidence.Fact{Content: &evidence.Content{Damages: []evidence.Damage{x}}}
	}
	provider := func(r evidence.ProviderResult) evidence.Fact {
		return evidence.Fact{Provider: &evidence.Provider{Name: "ecr", Path: "/usr/bin/ecr", Config: "/etc/kubernetes/credentials.yaml", Result: r, Hint: "write *.a"}}
	}
	ctr := evidence.NodeState{Runtime: "containerd"}
	talos := evidence.NodeState{Runtime: "containerd", Home: evidence.HomeTalos}
	for _, tt := range []struct {
		name   string
		in     diagnose.Finding
		first  string // the first step's title
		want   []string
		says   []string
		absent []string
	}{
		{"resolver", sight(world{cause: diagnose.DNS}, broken), "Correct the resolver of node-2 for registry.example.com: 10.0.0.2:53 answers SERVFAIL", []string{"nslookup registry.example.com 10.0.0.2"}, []string{"10.0.0.3:53 has the name"}, []string{"cat /etc/resolv.conf"}},
		{"resolver, Talos", sight(world{cause: diagnose.DNS, node: talos}, broken), "Correct the resolver of node-2", []string{"nameservers"}, nil, []string{"nslookup"}},
		{"blocked storage", sight(world{cause: diagnose.Timeout}, host(evidence.Host{Name: "blobs.example.com", Role: evidence.RoleStorage, Via: "registry.example.com", Fails: evidence.HopConnect, Failure: evidence.FailedTimeout, Addresses: []evidence.Address{{Address: "192.0.2.7:443"}}})),
			"Open the way from node-2 to 192.0.2.7:443, which is blobs.example.com, to which registry.example.com sends for content", []string{"nc -vz -w 5 192.0.2.7 443"}, []string{"an allow-list needs both", "Packets are lost"}, nil},
		{"CA", sight(world{cause: diagnose.TLSUntrusted, node: ctr}, host(evidence.Host{Fails: evidence.HopTLS, TLS: &evidence.TLS{MissingCA: "CN=Corp Root", Trusted: []string{"/etc/ssl/certs/ca-certificates.crt"}}})), "Get the CA CN=Corp Root", []string{"hosts.toml"}, []string{"trusts /etc/ssl/certs/ca-certificates.crt"}, []string{"openssl"}},
		{"clock", sight(world{cause: diagnose.TLSInvalid}, host(evidence.Host{Fails: evidence.HopTLS, TLS: &evidence.TLS{Skew: -7200}})), "Set the clock of node-2: it differs from that of registry.example.com by -7200 seconds", []string{"set-ntp"}, nil, nil},
		{"proxy", sight(world{cause: diagnose.Proxy}, host(evidence.Host{Fails: evidence.HopProxy, Proxy: "egress.example:3128", Text: "Forbidden"})), "Correct the proxy egress.example:3128 of the runtime on node-2, or list registry.example.com in its NO_PROXY", nil, []string{"It said: Forbidden"}, nil},
		{"hosts.toml", sight(world{cause: diagnose.RegistryConfig, node: ctr}, problem(evidence.EffectBypassed)), "Correct /etc/containerd/certs.d/a/hosts.toml, line 3, on node-2: expected newline", []string{"sudo cat -n /etc/containerd/certs.d/a/hosts.toml"}, []string{"ignores the whole file"}, nil},
		{"hosts.toml, k3s", sight(world{cause: diagnose.RegistryConfig, node: evidence.NodeState{Home: evidence.HomeK3s}}, problem(evidence.EffectFails)), "Correct /etc/containerd/certs.d/a/hosts.toml, line 3", []string{"registries.yaml"}, []string{"written by the node's own distribution"}, []string{"cat -n"}},
		{"mirror", sight(world{cause: diagnose.RegistryConfig, node: ctr}, host(evidence.Host{Name: "cache.example.com", Role: evidence.RoleMirror, File: "/etc/containerd/certs.d/a/hosts.toml", Fails: evidence.HopConnect, Text: "connection refused"})), "Repair the mirror cache.example.com, or take it out of /etc/containerd/certs.d/a/hosts.toml on node-2", nil, []string{"connection refused"}, nil},
		{"full", sight(world{cause: diagnose.DiskFull, node: ctr}, full), "Free at least 121 MiB on /data/containerd of node-2", []string{"crictl rmi registry.example.com/old:1", "crictl rmi " + digest}, []string{"registry.example.com/old:1 (2048 MiB)", "all that is unused is 3072 MiB"}, []string{"$(x)"}},
		{"damaged and shared", sight(world{cause: diagnose.CacheCorrupt, node: ctr}, damaged(evidence.Damage{Kind: evidence.DamageDigest, Role: "layer", Digest: digest, Images: []string{"a", "b"}, Namespaces: []string{"k8s.io", "moby"}})), "Remove the damaged layer " + digest + " on node-2, and nothing else",
			[]string{"--namespace k8s.io content rm " + digest, "--namespace moby content rm " + digest, "leases delete --sync"}, []string{"Others share it", "a, b"}, []string{"sha256sum"}},
		{"damaged snapshot", sight(world{cause: diagnose.CacheCorrupt, node: ctr}, damaged(evidence.Damage{Kind: evidence.DamageEmptied, Role: "snapshot"})), "Remove the damaged snapshot on node-2", []string{"crictl rmi"}, []string{"pins what is unpacked"}, nil},
		{"stalled", sight(world{cause: diagnose.Stalled, node: ctr}, evidence.Fact{Downloads: &evidence.Downloads{Active: []evidence.Download{{Digest: digest, Offset: 4096, Host: "registry.example.com", Still: true}}}}), "End the download of " + digest + ", which stands still at byte 4096", []string{"systemctl restart containerd"}, []string{"between the node and registry.example.com"}, []string{"content active"}},
		{"slow", sight(world{cause: diagnose.Unknown}, evidence.Fact{Downloads: &evidence.Downloads{Active: []evidence.Download{{Digest: digest}}}}), "Wait: the download moves", nil, nil, []string{"describe"}},
		{"provider gone", sight(world{cause: diagnose.ProviderFailed}, provider(evidence.ProviderMissing)), "Put the credential provider /usr/bin/ecr back on node-2", []string{"ls -l /usr/bin/ecr"}, []string{"/etc/kubernetes/credentials.yaml"}, nil},
		{"provider not asked", sight(world{cause: diagnose.ProviderFailed}, provider(evidence.ProviderNotAsked)), "Correct matchImages of the credential provider ecr on node-2: write *.a", []string{"restart kubelet"}, nil, nil},
		{"runtime", sight(world{cause: diagnose.RuntimeUnavailable}, evidence.Fact{Runtime: &evidence.Runtime{Answers: evidence.No, Text: "its process is not there"}}), "Read why: its process is not there", []string{"systemctl"}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := plan.For(tt.in)
			fits(t, p, tt.want, tt.says, tt.absent)
			holds(t, p)
			if !strings.HasPrefix(p.Steps[0].Title, tt.first) {
				t.Errorf("first is %q", p.Steps[0].Title)
			}
		})
	}
}

// What is only possible, or what another vantage point claims to be the node's, changes no step.
func TestExactStepsNeedSight(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*diagnose.Finding){
		func(f *diagnose.Finding) { f.Confidence = diagnose.Possible },
		func(f *diagnose.Finding) { f.Because[len(f.Because)-1].Vantage = evidence.API },
	} {
		f := sight(world{cause: diagnose.DiskFull}, evidence.Fact{Disk: &evidence.Disk{Areas: []evidence.DiskArea{{Path: "/x", Short: "bytes"}}}})
		change(&f)
		if p := plan.For(f); strings.Contains(prose(p), "/x of node-2") {
			t.Errorf("%s", p.Steps[0].Title)
		}
	}
}

// hostileSights are facts of a node whose every text is hostile, for the shell's test.
func hostileSights() []diagnose.Finding {
	const evil = "-x'$(reboot)`;\"\nrm -rf /"
	h := evidence.Host{Name: evil, Role: evidence.RoleRegistry, Via: evil, File: evil, Proxy: evil, Text: evil, Names: []evidence.Resolution{{By: evil, Result: evidence.ServFail}},
		Addresses: []evidence.Address{{Address: evil}}, TLS: &evidence.TLS{MissingCA: evil, Trusted: []string{evil}}}
	var all []diagnose.Finding
	for _, cause := range codes {
		for _, hop := range []evidence.Hop{evidence.HopName, evidence.HopConnect, evidence.HopProxy, evidence.HopTLS, evidence.HopHTTP} {
			x := h
			x.Fails = hop
			all = append(all, sight(world{cause: cause}, evidence.Fact{Host: &x}))
		}
		mirror := h
		mirror.Role, mirror.Lies = evidence.RoleMirror, evil
		for _, f := range []evidence.Fact{{Host: &mirror},
			{RegistryConfig: &evidence.RegistryConfig{Problems: []evidence.ConfigProblem{{File: evil, Line: -1, Effect: evidence.EffectFails, Text: evil}}}},
			{Disk: &evidence.Disk{Frees: -1, Need: &evidence.DiskNeed{Compressed: 1<<63 - 1, Unpacked: -5, Present: -7}, Areas: []evidence.DiskArea{{Path: evil, Short: "bytes", Purposes: []string{"temporary"}}}, Unused: []evidence.UnusedImage{{Names: []string{evil}}, {ID: evil}, {Names: []string{"a:1"}}}}},
			{Content: &evidence.Content{Damages: []evidence.Damage{{Role: evil, Digest: "sha256:" + strings.Repeat("0", 64), Namespaces: []string{evil, "a"}, Images: []string{evil, evil}}}}},
			{Content: &evidence.Content{Damages: []evidence.Damage{{Role: evil, Digest: evil}}}},
			{Downloads: &evidence.Downloads{Active: []evidence.Download{{Ref: evil, Still: true, Host: evil}}}},
			{Runtime: &evidence.Runtime{Text: evil}},
			{Provider: &evidence.Provider{Name: evil, Path: evil, Config: evil, Result: evidence.ProviderNotAsked}},
			{Provider: &evidence.Provider{Name: evil, Path: evil, Config: evil, Result: evidence.ProviderForbidden}}} {
			all = append(all, sight(world{cause: cause, node: evidence.NodeState{Runtime: "containerd"}}, f))
		}
	}
	return all
}
