package diagnose

import (
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

func providerSeen(p evidence.Provider) *evidence.Fact {
	if p.Matches == "" {
		p.Matches = evidence.Yes
	}
	return there(evidence.Fact{Text: "the provider " + p.Name, Provider: &p})
}

func TestSeenLogins(t *testing.T) {
	t.Parallel()
	const basic401 = "no basic auth credentials"
	nobody := asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 401, basic401)}.challenged("Basic")...)))
	hides := asked(at(probeOf(try(nil, after(first401).challenged(scope)...)), "acme/api:1", "registry-1.docker.io"))
	may := ringOf(evidence.Keyring{NodeMay: "the kubelet on node-2 has a credential provider"})
	slow := providerSeen(evidence.Provider{Name: "ecr", Result: evidence.ProviderTimeout, Took: 10000})
	none := there(evidence.Fact{Text: "no provider", Provider: &evidence.Provider{Result: evidence.ProviderNone}})
	notMine := providerSeen(evidence.Provider{Name: "gcr", Matches: evidence.No, Result: evidence.ProviderNotAsked})
	near := providerSeen(evidence.Provider{Name: "ecr", Matches: evidence.No, Near: true, Hint: "write *.shop.example", Result: evidence.ProviderNotAsked})
	nodeLogin := &evidence.Login{Secret: "the node's credential provider ecr", Key: "shop.example", User: "AWS"}
	nodeOld := &evidence.Login{Secret: "the node's credential provider ecr", Key: "shop.example", User: "AWS", Expires: old.Expires}
	answers := providerSeen(evidence.Provider{Name: "ecr", Result: evidence.ProviderAnswered, Keys: []string{"shop.example"}})
	refusedThere := answeredThere(probeOf(try(nodeLogin, walk{ask(evidence.StepManifest, 401, "")}.challenged("Basic")...)))
	anon := answeredThere(probeOf(try(nil, walk{ask(evidence.StepManifest, 401, basic401)}.challenged("Basic")...)))
	mine := ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{entry(ci, true)}})
	regcred := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Registries: []string{"shop.example"}})
	eks := nodeFact(evidence.NodeState{Ready: "True", Home: evidence.HomeEKS})
	file := there(evidence.Fact{Keyring: &evidence.Keyring{Entries: []evidence.KeyringEntry{entry(nodeLogin, true)}}})
	unread := evidence.Gap{Vantage: evidence.Node, What: "the docker config file /var/lib/kubelet/config.json", Why: "permission denied"}
	runJoins(t, []join{
		{name: "a provider that times out", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, nobody, slow}, cause: ProviderFailed, sure: Confirmed, says: "handed out nothing for shop.example: ecr did not answer in 10s", cites: "the provider ecr", out: []Code{NoCredentials}},
		{name: "a provider that is not there, where the registry was asked from the node alone", facts: []*evidence.Fact{waiting(anonymous401), podWith(), providerSeen(evidence.Provider{Name: "ecr", Path: "/usr/bin/ecr", Result: evidence.ProviderMissing}), anon}, cause: ProviderFailed, sure: Confirmed, says: "ecr is not there: /usr/bin/ecr"},
		{name: "a provider that prints nonsense", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, nobody, providerSeen(evidence.Provider{Name: "ecr", Result: evidence.ProviderMalformed})}, cause: ProviderFailed, sure: Confirmed},
		{name: "a provider for another registry's key", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, nobody, providerSeen(evidence.Provider{Name: "ecr", Result: evidence.ProviderEmpty, Why: "its answer is for other.example"})}, cause: ProviderFailed, sure: Confirmed, says: "its answer is for other.example"},
		{name: "a provider fails, and the registry hides what there is", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, hides, slow}, cause: ProviderFailed, sure: Likely},
		{name: "a provider whose patterns miss it", facts: []*evidence.Fact{waiting(anonymous401), podWith(), nobody, near}, cause: ProviderFailed, sure: Likely, says: "ecr is not asked: write *.shop.example"},
		{name: "a provider fails, and another hands out", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, nobody, slow, answers}, cause: ProviderFailed, sure: Possible},
		{name: "a provider fails, and the pod has its own", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), regcred, mine, asked(probeOf(try(ci, first401, ask(evidence.StepToken, 401, "")))), slow}, cause: InvalidCredentials, sure: Confirmed, says: "shop/regcred"},
		{name: "a provider fails, and a tag is missing", facts: []*evidence.Fact{waiting(notFound), podWith(), asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), slow}, cause: TagNotFound, sure: Confirmed},
		{name: "a provider that wants a pod's token", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, nobody, providerSeen(evidence.Provider{Name: "ecr", Result: evidence.ProviderNeedsToken})}, cause: ProviderFailed, sure: Possible, stays: []Code{SecretMalformed}},

		{name: "no credentials anywhere", facts: []*evidence.Fact{waiting(anonymous401), podWith(), eks, ringOf(evidence.Keyring{}), nobody, none}, cause: NoCredentials, sure: Confirmed, says: "names no pull secret", out: []Code{ProviderFailed}},
		{name: "no credentials anywhere, asked from the node alone", facts: []*evidence.Fact{waiting(anonymous401), podWith(), eks, none, anon}, cause: NoCredentials, sure: Confirmed, cites: "from node-2, GET"},
		{name: "providers for other registries", facts: []*evidence.Fact{waiting(anonymous401), podWith(), may, nobody, notMine}, cause: NoCredentials, sure: Confirmed, out: []Code{ProviderFailed}},
		{name: "a docker config that has it", facts: []*evidence.Fact{waiting(anonymous401), podWith(), eks, nobody, none, file}, cause: ProviderFailed, sure: Possible},

		{name: "what the node offers is refused", facts: []*evidence.Fact{waiting(oauth401), podWith(), may, nobody, answers, refusedThere}, cause: InvalidCredentials, sure: Confirmed, says: "shop.example refused node-2's own credentials", cites: "with the node's credential provider ecr (user AWS) is answered 401"},
		{name: "what the node offers has ended", facts: []*evidence.Fact{waiting(oauth401), podWith(), may, nobody, answers, answeredThere(probeOf(try(nodeOld, walk{ask(evidence.StepManifest, 401, "")}.challenged("Basic")...)))}, cause: ExpiredCredentials, sure: Confirmed, says: "node-2's own credentials for shop.example have expired"},
		{name: "what the node offers is let in, and not to this", facts: []*evidence.Fact{waiting(plain403), podWith(), may, nobody, answers, answeredThere(probeOf(try(nodeLogin, token200, ask(evidence.StepManifest, 403, "requested access to the resource is denied", "DENIED"))))}, cause: Forbidden, sure: Confirmed},
		{name: "what the node offers is served", facts: []*evidence.Fact{waiting(oauth401), podWith(), may, nobody, answers, answeredThere(probeOf(good(nodeLogin)))}, cause: InvalidCredentials, sure: Possible, says: "served now: to node-2 itself"},
		{name: "the node is refused, while the pod has its own", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), regcred, mine, refusedThere}, cause: InvalidCredentials, sure: Possible, stays: []Code{ExpiredCredentials}},
		{name: "served to anybody, while the pod's own is refused", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), regcred, mine, answeredThere(probeOf(good(nil)))}, cause: InvalidCredentials, sure: Possible, not: []string{"served now"}},

		{name: "a missing tag, from the node alone", facts: []*evidence.Fact{waiting(notFound), podWith(), answeredThere(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200))}, cause: TagNotFound, sure: Confirmed, cites: "from node-2"},
		{name: "a missing tag, where this machine reaches nothing", facts: []*evidence.Fact{waiting(notFound), podWith(), asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 0, "no such host")}.broken(evidence.FailedDNS)...))), answeredThere(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200))}, cause: TagNotFound, sure: Confirmed},
		{name: "a block by address", facts: []*evidence.Fact{waiting(plain403), podWith(), asked(probeOf(good(nil))), answeredThere(probeOf(try(nil, ask(evidence.StepManifest, 403, "client with IP '192.0.2.8' is not allowed access.", "DENIED"))))}, cause: ClientBlocked, sure: Confirmed, not: []string{"served now"}},
		{name: "a limit by address", facts: []*evidence.Fact{waiting(limited), asked(probeOf(good(nil))), answeredThere(probeOf(try(nil, ask(evidence.StepManifest, 429, ""))))}, cause: RateLimited, sure: Confirmed},
		{name: "pushed since", facts: []*evidence.Fact{waiting(notFound), podWith(), answeredThere(probeOf(good(nil)))}, cause: TagNotFound, sure: Possible, says: "served now: to node-2 itself"},
	})
	for name, gap := range map[string]evidence.Gap{"a docker config that could not be read": unread} {
		c := caseOf(waiting(anonymous401), podWith(), eks, nobody, none)
		c.Gaps = append(c.Gaps, gap)
		if d := Diagnose(c, noon); d.Confidence == Confirmed {
			t.Errorf("%s: %s is confirmed", name, d.Cause)
		}
	}
}
