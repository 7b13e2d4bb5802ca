package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
)

// networkCases lists the cases of its family. Each changes a host or a repository that no other case uses.
func networkCases() []Case {
	return append(tlsCases(),
		unresolved(scene{namespace: "treasury", app: "ledger-export", image: "harbor.lab/treasury/ledger-export:2.4.1", owner: deployment, replicas: 2}, everyNode, DNSNXDomain).of(Case{
			Name: "dns-nxdomain", Cause: "network.dns", About: "the registry's name does not exist"}),
		unresolved(scene{namespace: "newsroom", app: "editor", image: "quay.lab/newsroom/editor:1.9", owner: statefulSet}, everyNode, DNSServFail).of(Case{
			Name: "dns-servfail", Cause: "network.dns", About: "the resolver fails for the registry's name"}),
		unresolved(scene{namespace: "imaging", app: "scanner", image: "nexus.lab/imaging/scanner:3.0", owner: daemonSet}, firstNode, DNSNothing).of(Case{
			Name: "dns-timeout", Cause: "network.dns", About: "the resolver does not answer one node's questions for the registry"}),
		port("artifacts.lab", PortRefused, scene{namespace: "stockroom", app: "recount", image: "artifacts.lab/stockroom/recount:5.2", owner: cronJob}).of(Case{
			Name: "refused", Cause: "network.refused", About: "nobody listens on the registry's port"}),
		dropped("images.lab", scene{namespace: "telemetry", app: "collector", image: "images.lab/telemetry/collector:0.31.0", owner: daemonSet}).of(Case{
			Name: "timeout", Cause: "network.timeout", About: "one node's packets to the registry are lost"}),
		interrupted("interrupted-cut", "cut", "the connection is closed in the middle of a layer",
			scene{namespace: "statements", app: "render", image: "open.lab/statements/render:7.1", owner: job}),
		interrupted("interrupted-reset", "reset-body", "the connection is reset in the middle of a layer",
			scene{namespace: "auctions", app: "bidder", image: "open.lab/auctions/bidder:4.0.2", owner: statefulSet}),
		storageBlocked(),
		port("nas.lab", PortPlain, scene{namespace: "weather", app: "gauge", image: "nas.lab/weather/gauge:1.0.3"}).of(Case{
			Name: "http-mismatch", Cause: "network.http-mismatch", About: "the registry speaks plain HTTP, the node expects TLS"}),
		stalled(),
	)
}

// tlsCases are networkCases about certificates.
func tlsCases() []Case {
	return []Case{
		port("depot.lab", PortUntrusted, scene{namespace: "haulage", app: "courier", image: "depot.lab/haulage/courier:2.2", owner: deployment}).of(Case{
			Name: "tls-untrusted", Cause: "network.tls-untrusted", About: "the registry's certificate is of a CA that the nodes do not know"}),
		port("oci.lab", PortExpired, scene{namespace: "invoicing", app: "numbering", image: "oci.lab/invoicing/numbering:1.14", owner: deployment}).of(Case{
			Name: "tls-expired", Cause: "network.tls-invalid", About: "the registry's certificate has expired"}),
		port("packages.lab", PortWrongName, scene{namespace: "signon", app: "login", image: "packages.lab/signon/login:6.3", owner: deployment}).of(Case{
			Name: "tls-wrong-name", Cause: "network.tls-invalid", About: "the registry's certificate is for another name"}),
		port("builds.lab", PortNotYet, scene{namespace: "rewards", app: "voucher", image: "builds.lab/rewards/voucher:0.9", owner: deployment}).of(Case{
			Name: "tls-not-yet-valid", Cause: "network.tls-invalid", About: "the registry's certificate is valid from tomorrow: either its issuer's clock or the node's is wrong"}),
	}
}

func everyNode(*Lab) string { return "" }

// unresolved changes DNS for the scene's host, to one node or to everybody.
func unresolved(s scene, node func(*Lab) string, answer daemon.Answer) outage {
	host, _ := splitImage(s.image)
	return outage{scene: s,
		fail:    func(ctx context.Context, l *Lab) error { return l.SetDNS(ctx, node(l), host, answer) },
		restore: func(ctx context.Context, l *Lab) error { return l.SetDNS(ctx, node(l), host, DNSOK) },
	}
}

// port changes how a host answers everybody.
func port(host string, mode daemon.Mode, s scene) outage {
	return outage{scene: s,
		fail:    func(ctx context.Context, l *Lab) error { return l.SetPort(ctx, host, mode) },
		restore: func(ctx context.Context, l *Lab) error { return l.SetPort(ctx, host, PortTLS) },
	}
}

// dropped loses what the first node sends to a host. containerd dials five times for 30 seconds each, which nobody wants to
// wait for; its own setting for the scene's registry makes that ten seconds in all.
func dropped(host string, s scene) outage {
	registry, _ := splitImage(s.image)
	patience := fmt.Sprintf("server = \"https://%s\"\ndial_timeout = \"2s\"\n", registry)
	o := configured(s, patience)
	write, remove := o.fail, o.restore
	o.fail = func(ctx context.Context, l *Lab) error {
		addr, ok := l.Address(host)
		if !ok {
			return fmt.Errorf("the lab has no host %s", host)
		}
		return errors.Join(write(ctx, l), l.DropTraffic(ctx, firstNode(l), addr, false))
	}
	o.restore = func(ctx context.Context, l *Lab) error {
		addr, _ := l.Address(host)
		return errors.Join(remove(ctx, l), l.RestoreTraffic(ctx, firstNode(l), addr))
	}
	return o
}

// bulk is large enough that a layer of it takes more than one read.
func bulk() []imagetest.File {
	return []imagetest.File{imagetest.Big("usr/share/data", 256<<10, 7)}
}

func interrupted(name, preset, about string, s scene) Case {
	return outage{scene: s, files: bulk(), layer: preset}.of(Case{Name: name, Cause: "network.interrupted", About: about})
}

// storageBlocked is the shape of a firewall that lets the registry through and forgot where its blobs are.
func storageBlocked() Case {
	o := dropped(daemon.Storage, scene{namespace: "classroom", app: "whiteboard", image: "campus.lab/classroom/whiteboard:1.3", owner: daemonSet,
		faults: []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepBlob}, Answer: registrytest.Answer{Redirect: "https://" + daemon.Storage}}}})
	return o.of(Case{Name: "storage-blocked", Cause: "network.timeout", Takes: Takes{Host: daemon.Storage},
		About: "layers are redirected to a storage host that one node cannot reach"})
}

// stalled sends a layer's header and then nothing. containerd 2.1 and later never give up on that: the pod shows no error.
func stalled() Case {
	return outage{scene: scene{namespace: "gallery", app: "resizer", image: "open.lab/gallery/resizer:2.0.5", owner: statefulSet},
		files: bulk(), layer: "stall-header"}.of(Case{Name: "stalled", Cause: "network.stalled", About: "a layer that begins and never comes; no error",
		Ambiguous: []string{"network.stalled", "network.timeout", "unknown"}})
}
