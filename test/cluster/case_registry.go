package cluster

import "github.com/refloat-dev/refloat/internal/registrytest"

// registryCases lists the cases of its family: each is one repository that its registry answers for in one way.
func registryCases() []Case {
	return []Case{
		scene{namespace: "analytics", app: "collector", image: "open.lab/analytics/collector:0.41", owner: daemonSet, faults: manifests("error-503")}.of(Case{
			Name: "unavailable", Cause: "registry.unavailable", About: "the registry answers 503"}),
		// Docker Hub counts manifest GETs and lets HEAD pass.
		scene{namespace: "reports", app: "monthly", image: "open.lab/reports/monthly:12.0", owner: cronJob, faults: []registrytest.Fault{{
			Where:  registrytest.Where{Step: registrytest.StepManifest, Method: "GET"},
			Answer: registrytest.Answer{Preset: "rate-limited"}}}}.of(Case{
			Name: "rate-limited", Cause: "registry.rate-limited", About: "too many pulls from this address"}),
		scene{namespace: "crm", app: "contacts", image: "open.lab/crm/contacts:9.0.1", owner: deployment, faults: manifests("payment-required")}.of(Case{
			Name: "account-restricted", Cause: "registry.account-restricted", About: "the account's plan is exhausted: 402"}),
		scene{namespace: "tickets", app: "seats", image: "open.lab/tickets/seats:1.15", owner: deployment, faults: manifests("namespace-disabled")}.of(Case{
			Name: "account-restricted-disabled", Cause: "registry.account-restricted", About: "the registry has disabled the namespace: 403"}),
		scene{namespace: "sensors", app: "ingest", image: "open.lab/sensors/ingest:3.0", owner: statefulSet, replicas: 2, faults: manifests("client-blocked-waf")}.of(Case{
			Name: "client-blocked", Cause: "registry.client-blocked", About: "a firewall before the registry answers with its own page: 403"}),
		scene{namespace: "identity", app: "sessions", image: "open.lab/identity/sessions:2.11.4", owner: deployment, faults: manifests("content-policy")}.of(Case{
			Name: "content-policy", Cause: "registry.content-policy", About: "Harbor's scanner found too much: 412"}),
		scene{namespace: "portal", app: "landing", image: "open.lab/portal/landing:1.3", owner: job, faults: manifests("html")}.of(Case{
			Name: "not-a-registry", Cause: "registry.not-a-registry", About: "a web server's page where the manifest should be: 200"}),
	}
}

// manifests has every request for a manifest answered in a preset's words.
func manifests(preset string) []registrytest.Fault {
	return []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepManifest}, Answer: registrytest.Answer{Preset: preset}}}
}
