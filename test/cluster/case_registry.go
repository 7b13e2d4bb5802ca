package cluster

import (
	v1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// registryCases lists the cases of its family: each is one repository that its registry answers for in one way.
func registryCases() []Case {
	return []Case{
		scene{namespace: "analytics", app: "collector", image: "open.lab/analytics/collector:0.41", owner: daemonSet, faults: manifests("error-503")}.of(Case{
			Name: "unavailable", Cause: "registry.unavailable", About: "the registry answers 503"}),
		// Docker Hub counts manifest GETs and lets HEAD pass.
		scene{namespace: "reports", app: "monthly", image: "open.lab/reports/monthly:12.0", owner: cronJob, faults: fetches("rate-limited")}.of(Case{
			Name: "rate-limited", Cause: "registry.rate-limited", About: "too many pulls from this address"}),
		// Docker Hub names the account where the pull was authenticated: the limit is the same from everywhere.
		scene{namespace: "quotas", app: "counter", image: "hub.lab/acme/counter:1.4", owner: deployment, users: puller("acmequota", "acme/counter"),
			secrets: []v1.Secret{pullSecret("dockerhub", "hub.lab", login("acmequota", password))}, faults: spentBy("acmequota")}.of(Case{
			Name: "rate-limited-account", Cause: "registry.rate-limited", About: "too many pulls by this account"}),
		scene{namespace: "forecasts", app: "demand", image: "open.lab/forecasts/demand:0.6", owner: deployment, faults: fetches("error-502")}.of(Case{
			Name: "unavailable-gateway", Cause: "registry.unavailable", About: "the proxy before the registry answers 502 with its own page"}),
		scene{namespace: "vouchers", app: "redeem", image: "open.lab/vouchers/redeem:2.9", owner: statefulSet, faults: manifests("rate-limited-bare")}.of(Case{
			Name: "rate-limited-bare", Cause: "registry.rate-limited", About: "too many requests: a 429 without a word, to the HEAD"}),
		scene{namespace: "crm", app: "contacts", image: "open.lab/crm/contacts:9.0.1", owner: deployment, faults: manifests("payment-required")}.of(Case{
			Name: "account-restricted", Cause: "registry.account-restricted", About: "the account's plan is exhausted: 402"}),
		scene{namespace: "tickets", app: "seats", image: "open.lab/tickets/seats:1.15", owner: deployment, faults: manifests("namespace-disabled")}.of(Case{
			Name: "account-restricted-disabled", Cause: "registry.account-restricted", About: "the registry has disabled the namespace: 403"}),
		scene{namespace: "sensors", app: "ingest", image: "open.lab/sensors/ingest:3.0", owner: statefulSet, replicas: 2, faults: manifests("client-blocked-waf")}.of(Case{
			Name: "client-blocked", Cause: "registry.client-blocked", About: "a firewall before the registry answers with its own page: 403",
			// The page is HTML, which containerd does not pass on: a bare 403 is all there is.
			Ambiguous: []string{"registry.client-blocked", "auth.forbidden", "auth.no-credentials", "registry.account-restricted"}}),
		scene{namespace: "meters", app: "readings", image: "open.lab/meters/readings:2.3", owner: deployment, faults: manifests("client-blocked-acr")}.of(Case{
			Name: "client-blocked-address", Cause: "registry.client-blocked", About: "the registry's own firewall names the address it does not let in: 403"}),
		scene{namespace: "identity", app: "sessions", image: "open.lab/identity/sessions:2.11.4", owner: deployment, faults: manifests("content-policy")}.of(Case{
			Name: "content-policy", Cause: "registry.content-policy", About: "Harbor's scanner found too much: a 412 without a word, as to every HEAD"}),
		scene{namespace: "consent", app: "banner", image: "open.lab/consent/banner:1.6", owner: deployment, faults: fetches("content-policy")}.of(Case{
			Name: "content-policy-text", Cause: "registry.content-policy", About: "Harbor's scanner found too much: 412 with its text, to the GET"}),
		scene{namespace: "portal", app: "landing", image: "open.lab/portal/landing:1.3", owner: job, faults: []registrytest.Fault{{
			Answer: registrytest.Answer{Preset: "html"}}}}.of(Case{
			Name: "not-a-registry", Cause: "registry.not-a-registry", About: "a web server has the same page for every path: 200"}),
	}
}

// manifests has every request for a manifest answered in a preset's words.
func manifests(preset string) []registrytest.Fault {
	return []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepManifest}, Answer: registrytest.Answer{Preset: preset}}}
}

// spentBy is a pull limit that counts an account.
func spentBy(account string) []registrytest.Fault {
	f := fetches("rate-limited")
	f[0].Answer.Header = map[string]string{"docker-ratelimit-source": account}
	f[0].Answer.Body = `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit as '` + account +
		`'. You may increase the limit by upgrading. https://www.docker.com/increase-rate-limit"}]}` + "\n"
	return f
}

// fetches lets HEAD pass.
func fetches(preset string) []registrytest.Fault {
	f := manifests(preset)
	f[0].Where.Method = "GET"
	return f
}
