package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// pathCases lists those where the way from one node to a registry is broken and the registry is well: other nodes pull what
// this one cannot.
func pathCases() []Case {
	return []Case{
		deadResolver(), missingCA(), strayAddress(), oldAddress(),
		throughProxy(scene{namespace: "mailroom", app: "relay", image: "open.lab/mailroom/relay:1.8", owner: deployment}, "egress.lab:443",
			// Clients ask a proxy with CONNECT and the host they are after.
			registrytest.Fault{ID: "proxy", Where: registrytest.Where{Method: "CONNECT", Early: true}, Answer: registrytest.Answer{Status: 403, Body: "Forbidden\n"}},
		).of(Case{Name: "proxy", Cause: "network.proxy", Takes: Takes{Node: true}, About: "one node's proxy refuses to connect to the registry"}),
		throughProxy(scene{namespace: "postage", app: "franking", image: "open.lab/postage/franking:2.2", owner: deployment}, "egress.lab:3128").of(Case{
			Name: "proxy-dead", Cause: "network.proxy", Takes: Takes{Node: true}, About: "nobody listens where one node's runtime has its proxy"}),
	}
}

// noticed waits until a running program resolves by the node's files as they are now: Go looks at them every five seconds.
func noticed(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(6 * time.Second):
		return nil
	}
}

// deadResolver takes a node: resolv.conf is for all its names. Where it points, nobody answers to DNS.
func deadResolver() Case {
	return outage{
		scene: scene{namespace: "aquarium", app: "feeding", image: "open.lab/aquarium/feeding:5.5", owner: deployment},
		on:    spareNode, edit: tolerateAll,
		fail: func(ctx context.Context, l *Lab) error {
			addr, ok := l.Address("egress.lab")
			if !ok {
				return errors.New("the lab has no host egress.lab")
			}
			return errors.Join(l.WriteFile(spareNode(l), ResolvConf, []byte(resolvConf(addr)), 0o644), noticed(ctx))
		},
		restore: func(_ context.Context, l *Lab) error {
			return l.WriteFile(spareNode(l), ResolvConf, []byte(resolvConf(l.state.plan().dns().String())), 0o644)
		},
	}.of(Case{Name: "dns-resolver", Cause: "network.dns", Takes: Takes{Node: true}, About: "one node's resolv.conf names a resolver that does not answer"})
}

// missingCA takes a node: a program reads the system's roots once, so its containerd starts anew.
func missingCA() Case {
	return outage{
		scene: scene{namespace: "ferry", app: "boarding", image: "open.lab/ferry/boarding:3.1", owner: deployment},
		on:    spareNode, edit: tolerateAll,
		fail: func(ctx context.Context, l *Lab) error {
			another, err := l.ReadFile(spareNode(l), "/var/lib/kubelet/pki/ca.crt")
			if err != nil {
				return err
			}
			return errors.Join(l.WriteFile(spareNode(l), CABundle, another, 0o644), l.restartContainerd(ctx, spareNode(l)))
		},
		restore: func(ctx context.Context, l *Lab) error {
			bundle, err := l.ReadFile(firstNode(l), CABundle)
			if err != nil {
				return err
			}
			return errors.Join(l.WriteFile(spareNode(l), CABundle, bundle, 0o644), l.restartContainerd(ctx, spareNode(l)))
		},
	}.of(Case{Name: "tls-untrusted-node", Cause: "network.tls-untrusted", Takes: Takes{Node: true}, About: "one node does not have the CA that the others trust"})
}

// strayAddress gives the first node itself the registry's address, as an interface left over from something else has it: there
// its connections end, and nobody listens.
func strayAddress() Case {
	const host = "mirror.lab"
	set := func(ctx context.Context, l *Lab, verb string) error {
		addr, ok := l.Address(host)
		if !ok {
			return fmt.Errorf("the lab has no host %s", host)
		}
		out, err := l.Exec(ctx, firstNode(l), "sh", "-c", "ip addr "+verb+" "+addr+"/32 dev lo 2>&1 || ip addr show dev lo | grep -q "+addr+" && test "+verb+" = add || test "+verb+" = del")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	return outage{
		scene:   scene{namespace: "choir", app: "scores", image: host + "/choir/scores:0.4", owner: daemonSet},
		fail:    func(ctx context.Context, l *Lab) error { return set(ctx, l, "add") },
		restore: func(ctx context.Context, l *Lab) error { return set(ctx, l, "del") },
	}.of(Case{Name: "refused-node", Cause: "network.refused", About: "one node's connections to the registry are refused, by the node itself"})
}

// oldAddress pins the registry's name, in the first node's /etc/hosts, to a machine whose certificate has run out.
func oldAddress() Case {
	const host, old = "faulty.lab", "expired.lab"
	edit := func(l *Lab, add string) error {
		data, err := l.ReadFile(firstNode(l), "/etc/hosts")
		if err != nil {
			return err
		}
		var kept []string
		for line := range bytes.Lines(data) {
			if !strings.Contains(string(line), host) {
				kept = append(kept, string(line))
			}
		}
		return l.WriteFile(firstNode(l), "/etc/hosts", []byte(strings.Join(kept, "")+add), 0o644)
	}
	return outage{
		scene: scene{namespace: "harvest", app: "silo", image: host + "/harvest/silo:1.0.8", owner: daemonSet},
		fail: func(ctx context.Context, l *Lab) error {
			addr, ok := l.Address(old)
			if !ok {
				return fmt.Errorf("the lab has no host %s", old)
			}
			return errors.Join(edit(l, addr+" "+host+"\n"), noticed(ctx))
		},
		restore: func(_ context.Context, l *Lab) error { return edit(l, "") },
	}.of(Case{Name: "tls-expired-node", Cause: "network.tls-invalid", About: "one node's /etc/hosts sends it to a machine whose certificate has run out"})
}

// throughProxy takes a node: a proxy is containerd's whole environment, not a registry's setting.
func throughProxy(s scene, proxy string, faults ...registrytest.Fault) outage {
	const settings = "/etc/default/containerd"
	return outage{scene: s, on: spareNode, edit: tolerateAll,
		fail: func(ctx context.Context, l *Lab) error {
			env := "HTTPS_PROXY=http://" + proxy + "\nNO_PROXY=10.0.0.0/8,127.0.0.1\n"
			if err := l.AddFault(ctx, faults...); err != nil {
				return err
			}
			if err := l.WriteFile(spareNode(l), settings, []byte(env), 0o644); err != nil {
				return err
			}
			return l.restartContainerd(ctx, spareNode(l))
		},
		restore: func(ctx context.Context, l *Lab) error {
			if err := l.RemoveFile(spareNode(l), settings); err != nil {
				return err
			}
			return l.restartContainerd(ctx, spareNode(l))
		},
	}
}
