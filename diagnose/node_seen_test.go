package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// there is a fact of the failing node itself.
func there(f evidence.Fact) *evidence.Fact {
	f.Vantage, f.Where, f.Source, f.Time = evidence.Node, "node-2", "node-2 itself", noon
	if f.Text == "" {
		f.Text = "node-2 sees it"
	}
	return &f
}

func hostSeen(h evidence.Host) *evidence.Fact {
	if h.Name == "" {
		h.Name = "shop.example"
	}
	if h.Role == "" {
		h.Role = evidence.RoleRegistry
	}
	return there(evidence.Fact{Text: "node-2 and " + h.Name + ": " + string(h.Fails), Host: &h})
}

func configSeen(c evidence.RegistryConfig) *evidence.Fact {
	c.Runtime, c.Registry = "containerd", "shop.example"
	c.ConfigPath = []string{"/etc/containerd/certs.d"}
	return there(evidence.Fact{Text: "its configuration", RegistryConfig: &c})
}

func problemSeen(e evidence.ConfigEffect, file, text string) *evidence.Fact {
	return configSeen(evidence.RegistryConfig{Problems: []evidence.ConfigProblem{{File: file, Line: 3, Effect: e, Text: text}}})
}

func mirrorSeen(h evidence.Host) *evidence.Fact {
	h.Name, h.Role, h.Order = "cache.example", evidence.RoleMirror, 1
	return hostSeen(h)
}

func answeredThere(p *evidence.Probe) *evidence.Fact { return there(evidence.Fact{Probe: p}) }

func message(host, text string) *evidence.Fact {
	return waiting(`failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: failed to do request: Head "https://` + host + `/v2/web/api/manifests/1.4": ` + text)
}

const hostsToml = "/etc/containerd/certs.d/shop.example/hosts.toml"

var (
	healthy   = evidence.Host{TLS: &evidence.TLS{}, Answer: &evidence.Step{Status: 401}}
	noName    = evidence.Host{Fails: evidence.HopName, Failure: evidence.FailedDNS, Names: []evidence.Resolution{{By: "10.0.0.2:53", Result: evidence.ServFail}, {By: "10.0.0.3:53", Result: evidence.DNSTimeout}, {By: "node", Result: evidence.ServFail}}}
	noConnect = evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedTimeout, Addresses: []evidence.Address{{Address: "192.0.2.7:443", Failure: evidence.FailedTimeout}}}
	refusing  = evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedRefused, Addresses: []evidence.Address{{Address: "192.0.2.7:443", Failure: evidence.FailedRefused}}}
	noCA      = evidence.Host{Fails: evidence.HopTLS, Failure: evidence.FailedUntrusted, TLS: &evidence.TLS{Failure: evidence.FailedUntrusted, MissingCA: "CN=Corp Root"}}
	onlyHere  = &evidence.Fact{Elsewhere: &evidence.Elsewhere{Running: []string{"node-1"}, Failing: []string{"node-2"}}}
	room      = there(evidence.Fact{Disk: &evidence.Disk{Areas: []evidence.DiskArea{{Path: "/var/lib/containerd", Filesystem: evidence.Filesystem{Available: 12 << 30, Capacity: 20 << 30}}}}})
	upAndWell = there(evidence.Fact{Runtime: &evidence.Runtime{Name: "containerd", Version: "2.4.2", Answers: evidence.Yes, Images: evidence.Yes, Since: noon.Add(-time.Minute)}})
)

const (
	untrusted  = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
	ioTimeout  = "dial tcp 192.0.2.7:443: i/o timeout"
	connRefuse = "dial tcp 192.0.2.7:443: connect: connection refused"
	badCA      = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unable to read CA cert "/etc/containerd/certs.d/shop.example/ca.pem": open /etc/containerd/certs.d/shop.example/ca.pem: no such file or directory`
)

func mirrorMessage(text string) *evidence.Fact {
	return waiting(`failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: failed to do request: Head "https://cache.example/v2/web/api/manifests/1.4?ns=shop.example": ` + text)
}

func TestSeenPath(t *testing.T) {
	t.Parallel()
	fine := asked(probeOf(good(nil)))
	storage := noConnect
	storage.Name, storage.Role, storage.Via = "blobs.example", evidence.RoleStorage, "shop.example"
	token := refusing
	token.Name, token.Role, token.Via = "auth.shop.example", evidence.RoleToken, "shop.example"
	proxied := evidence.Host{Fails: evidence.HopProxy, Failure: evidence.FailedProxy, Proxy: "egress.example:3128", Text: "Forbidden"}
	late := evidence.Host{Fails: evidence.HopTLS, Failure: evidence.FailedTLS, TLS: &evidence.TLS{Failure: evidence.FailedTLS, Skew: -7200, Text: "x509: certificate has expired or is not yet valid"}}
	plain := evidence.Host{Fails: evidence.HopTLS, Failure: evidence.FailedPlain, Text: "http: server gave HTTP response to HTTPS client"}
	down := evidence.Host{Fails: evidence.HopHTTP, Answer: &evidence.Step{Status: 503}, Text: "503 Service Unavailable"}
	page := evidence.Host{Fails: evidence.HopHTTP, Answer: &evidence.Step{Status: 200}, Text: "a page answers, and no registry"}
	slow := mirrorSeen(evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedTimeout, Costs: 150000})
	silent := podWith()
	silent.Pod.PullingSince = noon.Add(-2 * time.Minute)
	odd := noName
	odd.Fails, odd.Failure = "teleport", "gravity"
	runJoins(t, []join{
		{name: "a resolver", facts: []*evidence.Fact{waiting(noHost), onlyHere, hostSeen(noName), upAndWell, room}, cause: DNS, sure: Confirmed,
			says: "resolver 10.0.0.2:53 answers SERVFAIL, resolver 10.0.0.3:53 does not answer, while node-1 runs the image", cites: "node-2 and shop.example: name", out: []Code{RuntimeUnavailable, DiskFull}},
		{name: "a resolver, and the registry answers here", facts: []*evidence.Fact{waiting(noHost), fine, hostSeen(noName)}, cause: DNS, sure: Confirmed, says: "while this machine reaches it"},
		{name: "packets are lost", facts: []*evidence.Fact{message("shop.example", ioTimeout), hostSeen(noConnect)}, cause: Timeout, sure: Confirmed, says: "at 192.0.2.7:443"},
		{name: "nobody listens", facts: []*evidence.Fact{message("shop.example", connRefuse), hostSeen(refusing)}, cause: Refused, sure: Confirmed, out: []Code{DNS, Proxy}},
		{name: "a CA", facts: []*evidence.Fact{message("shop.example", untrusted), hostSeen(noCA), configSeen(evidence.RegistryConfig{})}, cause: TLSUntrusted, sure: Confirmed, says: "nothing on it vouches for CN=Corp Root", out: []Code{RegistryConfig, DNS}},
		{name: "a clock", facts: []*evidence.Fact{message("shop.example", "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-22T10:00:00Z is before 2026-11-22T11:00:00Z"), hostSeen(late)}, cause: TLSInvalid, sure: Confirmed, says: "its clock is off by -2h0m0s"},
		{name: "plain HTTP", facts: []*evidence.Fact{message("shop.example", "http: server gave HTTP response to HTTPS client"), hostSeen(plain)}, cause: HTTPMismatch, sure: Confirmed},
		{name: "a proxy", facts: []*evidence.Fact{message("shop.example", "proxyconnect tcp: Forbidden"), hostSeen(proxied)}, cause: Proxy, sure: Confirmed, says: "the runtime's proxy egress.example:3128 fails: Forbidden"},
		{name: "a storage host", facts: []*evidence.Fact{waiting(`failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://blobs.example/x": ` + ioTimeout), hostSeen(healthy), hostSeen(storage)}, cause: Timeout, sure: Confirmed, says: "blobs.example does not answer node-2: it is where shop.example sends for content"},
		{name: "a token server", facts: []*evidence.Fact{waiting(`failed to resolve image: failed to authorize: failed to fetch anonymous token: Get "https://auth.shop.example/token": ` + connRefuse), hostSeen(healthy), hostSeen(token)}, cause: Refused, sure: Confirmed, says: "it gives the tokens for shop.example"},
		{name: "out of order, for the node too", facts: []*evidence.Fact{waiting(serverError), hostSeen(down)}, cause: Unavailable, sure: Confirmed},
		{name: "a page", facts: []*evidence.Fact{waiting("unexpected media type text/html for sha256:11: not found"), hostSeen(page)}, cause: NotARegistry, sure: Confirmed},
		{name: "out of order for one image, at a registry that is up", facts: []*evidence.Fact{waiting(serverError), asked(probeOf(try(nil, ask(evidence.StepManifest, 503, "")))), hostSeen(healthy), answeredThere(probeOf(try(nil, ask(evidence.StepManifest, 503, ""))))}, cause: Unavailable, sure: Confirmed},
		{name: "out of order there alone, at a registry that is up", facts: []*evidence.Fact{waiting(serverError), hostSeen(healthy), answeredThere(probeOf(try(nil, ask(evidence.StepManifest, 503, ""))))}, cause: Unavailable, sure: Confirmed},
		{name: "well at this moment", facts: []*evidence.Fact{waiting(noHost), hostSeen(healthy)}, cause: DNS, sure: Possible, says: "shop.example answers node-2 at this moment"},
		{name: "well, and served", facts: []*evidence.Fact{waiting(noHost), hostSeen(healthy), answeredThere(probeOf(good(nil)))}, cause: DNS, sure: Possible, says: "served now: to node-2 itself"},
		{name: "another hop now", facts: []*evidence.Fact{waiting(noHost), hostSeen(refusing)}, cause: Refused, sure: Likely, out: []Code{DNS}},
		{name: "a broken transfer is met by no short look", facts: []*evidence.Fact{waiting("failed to copy: httpReadSeeker: unexpected EOF"), hostSeen(healthy)}, cause: Interrupted, sure: Possible, stays: []Code{CacheCorrupt}},
		{name: "no name, while the message says 401", facts: []*evidence.Fact{waiting(oauth401), hostSeen(noName)}, cause: InvalidCredentials, sure: Possible, stays: []Code{DNS}, cites: "shop.example: name"},
		{name: "no name, while two agree on 401", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{entry(ci, true)}}), asked(probeOf(try(ci, first401, ask(evidence.StepToken, 401, "")))), hostSeen(noName)}, cause: InvalidCredentials, sure: Confirmed, cites: "shop.example: name"},
		{name: "another host than the message's", facts: []*evidence.Fact{waiting(`Get "https://elsewhere.example/x": ` + ioTimeout), hostSeen(healthy)}, cause: Timeout, sure: Likely},
		{name: "silent, at a host that does not answer", facts: []*evidence.Fact{silent, hostSeen(noConnect)}, cause: Timeout, sure: Likely, stays: []Code{Stalled}},
		{name: "silent, at a mirror that costs minutes", facts: []*evidence.Fact{silent, slow, hostSeen(healthy)}, cause: RegistryConfig, sure: Likely, says: "its mirror cache.example costs each pull 2m30s"},
		{name: "no message", facts: []*evidence.Fact{waiting(`Back-off pulling image "shop.example/web/api:1.4"`), hostSeen(noCA)}, cause: TLSUntrusted, sure: Likely},
		{name: "nonsense", facts: []*evidence.Fact{waiting(noHost), hostSeen(odd)}, cause: DNS, sure: Likely},

		{name: "a dead mirror, alone", facts: []*evidence.Fact{mirrorMessage(connRefuse), onlyHere, mirrorSeen(refusing)}, cause: RegistryConfig, sure: Confirmed, says: "its mirror cache.example fails: at 192.0.2.7:443", out: []Code{Refused}},
		{name: "a dead mirror, and a registry as dead", facts: []*evidence.Fact{mirrorMessage(ioTimeout), mirrorSeen(noConnect), hostSeen(noConnect)}, cause: Timeout, sure: Confirmed, says: "shop.example does not answer node-2"},
		{name: "a dead mirror, and a registry that fails otherwise", facts: []*evidence.Fact{message("shop.example", ioTimeout), mirrorSeen(refusing), hostSeen(noConnect)}, cause: RegistryConfig, sure: Possible, says: "and then shop.example too (network.timeout)", stays: []Code{Timeout}},
		{name: "a dead mirror that hides the registry's answer", facts: []*evidence.Fact{mirrorMessage(connRefuse), mirrorSeen(refusing), hostSeen(healthy), answeredThere(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200))}, cause: RegistryConfig, sure: Possible, stays: []Code{TagNotFound}},
		{name: "a mirror that is back", facts: []*evidence.Fact{mirrorMessage(connRefuse), mirrorSeen(healthy)}, cause: RegistryConfig, sure: Possible, says: "cache.example answers node-2 at this moment"},
		{name: "a mirror that lies", facts: []*evidence.Fact{waiting("failed commit on ref: unexpected commit digest sha256:11, expected sha256:22: failed precondition"), mirrorSeen(evidence.Host{Lies: "layer sha256:22 has other bytes"}), hostSeen(healthy)}, cause: RegistryConfig, sure: Confirmed, says: "serves something else than the registry"},
		{name: "a mirror that lies, beside a wrong password", facts: []*evidence.Fact{waiting(oauth401), mirrorSeen(evidence.Host{Lies: "x"})}, cause: InvalidCredentials, sure: Possible},
		{name: "a mirror alone, which has not what the registry has", facts: []*evidence.Fact{waiting(notFound), fine, mirrorSeen(evidence.Host{Shown: true, Answer: &evidence.Step{Status: 404}})}, cause: RegistryConfig, sure: Confirmed, says: "it asks cache.example alone, which answers 404"},
		{name: "a dead mirror beside a missing tag", facts: []*evidence.Fact{waiting(notFound), asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), mirrorSeen(refusing), hostSeen(healthy)}, cause: TagNotFound, sure: Confirmed},

		{name: "a CA file that is not there", facts: []*evidence.Fact{waiting(badCA), problemSeen(evidence.EffectFails, hostsToml, "unable to read CA cert")}, cause: RegistryConfig, sure: Confirmed, says: "hosts.toml, line 3: unable to read CA cert"},
		{name: "a CA file of another registry", facts: []*evidence.Fact{waiting(noHost), problemSeen(evidence.EffectFails, "/etc/containerd/certs.d/other.example/hosts.toml", "unable to read CA cert"), hostSeen(noName)}, cause: DNS, sure: Confirmed},
		{name: "a file that is ignored", facts: []*evidence.Fact{message("shop.example", untrusted), onlyHere, problemSeen(evidence.EffectBypassed, hostsToml, "expected newline"), hostSeen(noCA)}, cause: RegistryConfig, sure: Confirmed, says: "it ignores /etc/containerd/certs.d/shop.example/hosts.toml, line 3", masks: []Code{TLSUntrusted}},
		{name: "a file that is ignored, with no other node to compare", facts: []*evidence.Fact{message("shop.example", untrusted), problemSeen(evidence.EffectBypassed, hostsToml, "expected newline"), hostSeen(noCA)}, cause: RegistryConfig, sure: Likely, stays: []Code{TLSUntrusted}},
		{name: "a file that is ignored, of another registry", facts: []*evidence.Fact{message("shop.example", untrusted), onlyHere, problemSeen(evidence.EffectBypassed, "/etc/containerd/certs.d/other.example/hosts.toml", "expected newline"), hostSeen(noCA)}, cause: TLSUntrusted, sure: Confirmed},
		{name: "a file that is ignored, and a missing tag", facts: []*evidence.Fact{waiting(notFound), asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), problemSeen(evidence.EffectBypassed, hostsToml, "expected newline"), hostSeen(healthy)}, cause: TagNotFound, sure: Possible, says: "no mirror in it was asked", stays: []Code{RegistryConfig}},
		{name: "a tag that another node has", facts: []*evidence.Fact{waiting(notFound), onlyHere, asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200))}, cause: TagNotFound, sure: Likely, stays: []Code{RegistryConfig}},
		{name: "a tag that another node has, on a node without mirrors", facts: []*evidence.Fact{waiting(notFound), onlyHere, asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), configSeen(evidence.RegistryConfig{})}, cause: TagNotFound, sure: Confirmed},
		{name: "a file that is ignored, and a tag that other nodes have", facts: []*evidence.Fact{waiting(notFound), onlyHere, asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), problemSeen(evidence.EffectBypassed, hostsToml, "expected newline"), hostSeen(healthy)}, cause: RegistryConfig, sure: Confirmed, says: "and node-1 runs the image", out: []Code{TagNotFound}},
		{name: "a runtime that its configuration stops", facts: []*evidence.Fact{nodeFact(evidence.NodeState{Ready: "False", ReadyReason: "KubeletNotReady: container runtime is down"}), problemSeen(evidence.EffectStops, "/etc/containerd/config.toml", "mirrors cannot be set"), there(evidence.Fact{Runtime: &evidence.Runtime{Answers: evidence.No}})}, cause: RegistryConfig, sure: Confirmed, says: "its runtime does not start", masks: []Code{RuntimeUnavailable}},
	})
}

// What another node sees, and what an agent claims of the API or the registry, counts for nothing.
func TestSeenFromElsewhere(t *testing.T) {
	t.Parallel()
	plain := Diagnose(caseOf(waiting(noHost)), noon)
	other := hostSeen(noName)
	other.Where = "node-3"
	forged := there(evidence.Fact{Message: &evidence.Message{Origin: evidence.Waiting, Text: oauth401}})
	for name, f := range map[string]*evidence.Fact{"another node": other, "a message": forged, "a secret": there(evidence.Fact{Secret: &evidence.Secret{Exists: evidence.No}}),
		"a probe of another node": {Vantage: evidence.Node, Where: "node-3", Probe: probeOf(good(nil))}, "nothing": there(evidence.Fact{})} {
		d := Diagnose(caseOf(waiting(noHost), f), noon)
		if d.Cause != plain.Cause || d.Confidence != plain.Confidence || d.Summary != plain.Summary {
			t.Errorf("%s: %s (%s): %s", name, d.Cause, d.Confidence, d.Summary)
		}
	}
}

// Nodes that fail alike are one finding, nodes that fail each in its own way are not.
func TestSeenGroups(t *testing.T) {
	t.Parallel()
	on := func(node string, h evidence.Host) *evidence.Case {
		f := hostSeen(h)
		f.Where = node
		c := caseOf(waiting(noHost), f)
		c.Pull.Node, c.Pull.UID = node, node
		return c
	}
	elsewhere := noName
	elsewhere.Names = []evidence.Resolution{{By: "10.0.9.9:53", Result: evidence.DNSTimeout}}
	found := Findings(&evidence.Collection{ObservedAt: noon, Cases: []*evidence.Case{on("node-1", noName), on("node-2", noName), on("node-3", elsewhere)}})
	if len(found) != 2 || len(found[0].Cases) != 2 || found[1].Cases[0].Pull.Node != "node-3" {
		t.Fatalf("%d findings", len(found))
	}
	if !strings.Contains(found[1].Summary, "node-3 cannot resolve shop.example: resolver 10.0.9.9:53 does not answer") {
		t.Error(found[1].Summary)
	}
}

// Two faults of one node are two findings, one that stops its runtime is one whatever was wanted.
func TestSeenGroupsByRegistry(t *testing.T) {
	t.Parallel()
	on := func(registry string, facts ...*evidence.Fact) *evidence.Case {
		c := caseOf(facts...)
		c.Pull.Image, c.Pull.UID, c.Pull.Node = registry+"/web/api:1.4", registry, "node-2"
		return c
	}
	said := func(registry string) *evidence.Fact {
		return waiting(strings.ReplaceAll(badCA, "shop.example", registry))
	}
	apart := Findings(&evidence.Collection{ObservedAt: noon, Cases: []*evidence.Case{on("gitlab.example", said("gitlab.example")), on("releases.example", said("releases.example"))}})
	if len(apart) != 2 {
		t.Errorf("%d findings", len(apart))
	}
	stops := []*evidence.Fact{nodeFact(evidence.NodeState{Ready: "False", ReadyReason: "KubeletNotReady: container runtime is down"}),
		problemSeen(evidence.EffectStops, "/etc/containerd/config.toml", "mirrors cannot be set"), there(evidence.Fact{Runtime: &evidence.Runtime{Answers: evidence.No}})}
	if one := Findings(&evidence.Collection{ObservedAt: noon, Cases: []*evidence.Case{on("gitlab.example", stops...), on("releases.example", stops...)}}); len(one) != 1 {
		t.Errorf("%d findings", len(one))
	}
}

// What one node alone receives wrong, or does not find, may be its mirror's doing.
func TestOneNodeMayHaveAMirror(t *testing.T) {
	t.Parallel()
	wrong := waiting(`failed to pull and unpack image "shop.example/web/api:1.4": failed commit on ref "layer-sha256:1": unexpected commit digest sha256:2, expected sha256:1: failed precondition`)
	noCA := problemSeen(evidence.EffectFails, hostsToml, "unable to read CA cert")
	runJoins(t, []join{
		{name: "wrong bytes", facts: []*evidence.Fact{wrong, onlyHere}, cause: CacheCorrupt, sure: Possible, stays: []Code{RegistryConfig, Proxy, Interrupted, ContentMissing}},
		{name: "not found", facts: []*evidence.Fact{waiting(notFound), onlyHere}, cause: TagNotFound, sure: Possible, stays: []Code{RegistryConfig, RepositoryNotFound}},
		{name: "wrong bytes are no CA's fault", facts: []*evidence.Fact{wrong, noCA}, cause: CacheCorrupt, sure: Possible, stays: []Code{RegistryConfig}},
	})
}

// A site without a way out asks its mirror, and the registry that nobody reaches is no fault.
func TestSeenWithoutAWayOut(t *testing.T) {
	t.Parallel()
	has := mirrorSeen(evidence.Host{Answer: &evidence.Step{Name: evidence.StepManifest, Status: 200}})
	lacks := mirrorSeen(evidence.Host{Answer: &evidence.Step{Name: evidence.StepManifest, Status: 404}})
	login := mirrorSeen(evidence.Host{Shown: true, Answer: &evidence.Step{Name: evidence.StepManifest, Status: 401}})
	fine := asked(probeOf(good(nil)))
	silent := podWith()
	silent.Pod.PullingSince = noon.Add(-2 * time.Minute)
	runJoins(t, []join{
		{name: "the mirror has it", facts: []*evidence.Fact{message("shop.example", ioTimeout), has, hostSeen(noConnect)}, cause: Timeout, sure: Possible, says: "its mirror cache.example has the image"},
		{name: "the mirror has it, and no message", facts: []*evidence.Fact{silent, has, hostSeen(noConnect)}, cause: Stalled, sure: Possible},
		{name: "the mirror has it not", facts: []*evidence.Fact{waiting(notFound), lacks, hostSeen(noConnect)}, cause: TagNotFound, sure: Possible, stays: []Code{Timeout}},
		{name: "a mirror alone, that asks for a login", facts: []*evidence.Fact{waiting(notFound), fine, login}, cause: TagNotFound, sure: Possible},
		{name: "a mirror before a registry that was not come to", facts: []*evidence.Fact{mirrorMessage(connRefuse), mirrorSeen(refusing),
			configSeen(evidence.RegistryConfig{Hosts: []evidence.ConfiguredHost{{Role: evidence.RoleMirror}, {Role: evidence.RoleRegistry}}})}, cause: RegistryConfig, sure: Possible, stays: []Code{Refused}},
	})
	c := caseOf(waiting(noHost), hostSeen(refusing))
	c.Gaps = append(c.Gaps, evidence.Gap{Vantage: evidence.Node, What: "the way to blobs.example", Why: "the look ended before it answered"})
	direct := caseOf(message("shop.example", ioTimeout), hostSeen(noConnect))
	direct.Gaps = append(direct.Gaps, evidence.Gap{Vantage: evidence.Node, What: "the proxy settings of the runtime's process on node-2"})
	if d := Diagnose(direct, noon); d.Cause != Timeout || d.Confidence != Likely || !d.allows(Proxy) {
		t.Errorf("by an unknown proxy: %s (%s)", d.Cause, d.Confidence)
	}
	if d := Diagnose(c, noon); slices.ContainsFunc(d.RuledOut, func(r RuledOut) bool { return strings.Contains(r.Why, "resolves") }) {
		t.Errorf("%v", d.RuledOut)
	}
}

// A healthy node's hosts are no evidence for a reader.
func TestSeenShowsOnlyWhatBears(t *testing.T) {
	t.Parallel()
	storage := healthy
	storage.Name, storage.Role = "blobs.example", evidence.RoleStorage
	d := Diagnose(caseOf(waiting("write /x: no space left on device"), hostSeen(healthy), hostSeen(storage), upAndWell,
		there(evidence.Fact{Disk: &evidence.Disk{Areas: []evidence.DiskArea{{Path: "/var/lib/containerd", Short: "bytes"}}}})), noon)
	if d.Cause != DiskFull || d.Confidence != Confirmed || len(d.Because) != 2 {
		t.Errorf("%s (%s) because of %d facts", d.Cause, d.Confidence, len(d.Because))
	}
	if slices.ContainsFunc(d.Because, func(f *evidence.Fact) bool { return f.Host != nil }) {
		t.Error("a healthy host is given as evidence")
	}
}
