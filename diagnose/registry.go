package diagnose

// registryWords are a registry's own reasons; they stand above the status that carries them.
func registryWords() []rule {
	return []rule{
		// Google, Cloudsmith, Nexus, Quay (`Namespace X has been disabled.`), Alibaba Cloud.
		likely(AccountRestricted).on("402 payment required", "=402", "billing account", "requires billing", "billing is disabled", "billing to be enabled", "billing has not been enabled",
			"user is not active", "user is inactive", "account is not active",
			"account is inactive", "account has been suspended", "account is suspended", "account suspended", "account disabled", "account is disabled", "account has been disabled",
			"invalid license", "license expired", "license has expired",
			"licence has expired", "licence expired", "subscription has expired", "subscription expired", "trial has expired", "trial expired", "payment overdue", "payment is overdue",
			"account is overdue", "overdue payment", "in arrears", "userprojectmissing", "requester pays", "storage quota", "over quota", "bandwidth quota", "plan limit",
			"project has been suspended",
			"consumer_suspended", "registry is suspended", "usage limit", "bandwidth limit", "no active subscription", "insufficient balance", "data transfer limit", "exceeded its bandwidth"),
		likely(AccountRestricted).on("has been disabled").and("namespace"),   // Quay
		likely(AccountRestricted).on("has been suspended").and("consumer '"), // Google Service Control
		// Docker Hub's export page; Azure (`client with IP 'x' is not allowed access`); Google VPC-SC and Cloud Armor; public mirrors' allow-lists.
		likely(ClientBlocked).on("export control", "not in the allowlist", "not in allowlist", "not in whitelist", "not in the whitelist", "not in the allow list", "不在白名单", "client with ip",
			"block all ip addresses", "ip has been blocked", "ip address has been blocked",
			"ip address is blocked", "ip is blocked", "ip is not allowed", "ip address is not allowed", "ip not allowed", "aka.ms/acr/firewall", "not available in your country",
			"not available in your region", "not available in your location", "from your country", "in your country", "embargoed countr",
			"u.s. sanctions", "due to sanctions", "sanctioned countr", "geo block", "geo-blocked", "geographic location", "automated queries", "attention required! | cloudflare",
			"security service to protect", "web application firewall", "blocked by the security rules",
			"cloudfront distribution is configured to block access", "cloud armor", "ip restriction", "public network access", "not allowed access", "errors.edgesuite.net",
			"complete the captcha", "just a moment..."),
		possible(ClientBlocked, Proxy, Forbidden).on("does not have permission to get url", "web page blocked", "blocked by your", "access to this site", "url blocked", "website is blocked",
			"category:").and("denied"),
		possible(ClientBlocked, Proxy, Forbidden, ContentPolicy).on("denied: <html", "denied: <!doctype", "<title>blocked", "web page blocked", "url blocked", "you have been blocked"),
		possible(ClientBlocked, Proxy, ContentPolicy, Forbidden).on("been blocked by", "request blocked", "vpc service controls", "prohibited by organization", "vpcservicecontrols"),
		possible(ClientBlocked, Forbidden, ContentMissing, Proxy, ExpiredCredentials).on("denied: <?xml", "<code>accessdenied"), // S3 and GCS behind a redirect
		// Harbor src/server/middleware/vulnerable, contenttrust; JFrog Xray and Curation; Sonatype Firewall; ACR quarantine.
		likely(ContentPolicy).on("cannot be pulled due to configured policy", "projectpolicyviolation", "=412", "412 precondition failed", "vulnerable' cannot be pulled", "from running.'",
			"not signed in notary", "not signed in cosign", "not signed by cosign", "not signed by notary", "blocked by xray", "xray policy", "blocked by jfrog xray", "xray watch",
			"is quarantined", "been quarantined", "in quarantine", "jfrog curation", "blocked by jfrog", "curation service", "contains malware", "due to configured policy",
			"image has not been scanned", "is not scanned", "severity vulnerabilit", "download blocking policy"),
		possible(ContentPolicy, Signature, RegistryBlocked).on("content trust policy", "scan status", "failed the security scan", "security scan", " vulnerabilities",
			"vulnerability severity", "vulnerable image"),
		// C24 authorizer: a token endpoint's 429 may be a limit or a lock-out.
		possible(LockedOut, RateLimited).on("failed to fetch oauth token").and("=429").no("pull rate limit"),
		possible(RateLimited, LockedOut).on("=429").and("failed to authorize"),
		likely(RateLimited).on("toomanyrequests", "too many requests", "pull rate limit", "rate exceeded", "rate limit", " rate-limited", "ratelimit exceeded", "throttlingexception",
			"request was throttled", "requests are throttled", "being throttled", "throttled: ", ": throttled", "<code>slowdown", "=429", "429 (too many",
			"too_many_requests", "quota exceeded for quota metric", "reduce your request rate", "request limit exceeded", "error 429", "requests per minute"),
		possible(RateLimited, Unavailable).on(": slow down"),
		possible(RateLimited, AccountRestricted).on("quota exceeded", "quota_exceeded", "exceeded quota", "quota has been exceeded", "resource_exhausted").no("disk quota"),
	}
}

// registryStatus are answers by status alone, and answers that no registry gives.
func registryStatus() []rule {
	return []rule{
		likely(Unavailable).on("under maintenance", "for maintenance", "scheduled maintenance", "maintenance mode", "in maintenance", "temporarily unavailable", "service unavailable",
			"read-only mode", "no healthy upstream", "upstream connect error", "no available server", "=5xx", "bad gateway", "gateway timeout", "gateway time-out", "internal server error",
			"error 502", "error 503",
			"registry is not available", "service is unavailable").no("@proxytext"),
		possible(Unavailable, Proxy).on("bad gateway", "gateway timeout", "gateway time-out", "service unavailable", "=5xx"),
		// encoding/json on a web page; MOBY vendor distribution/registry/client/errors.go (error parsing HTTP … response body)
		possible(Forbidden, ClientBlocked, Proxy, DeniedOrMissing, NotARegistry).on("parsing http 403 response"),
		possible(NoCredentials, NotARegistry, Proxy, InvalidCredentials).on("parsing http 401 response"),
		possible(NotARegistry, Unavailable, UnsupportedFormat, Unknown).on("invalid character '<'", "looking for beginning of value", "error unmarshalling content", "<!doctype",
			"<html").no("children: invalid desc"),
		possible(NotARegistry, RegistryConfig).on("not a docker registry", "is not a registry", "not a valid registry", "registry endpoint not found", "v2 api not supported",
			"does not support the v2", "unable to ping registry endpoint", "invalid registry endpoint", "does not support v2", "unsupported api version"),
		possible(Unavailable, Unknown).on("error from registry: unknown"),
		possible(NotARegistry, UnsupportedFormat, Unavailable, Unknown).on("unexpected end of json input"),
		possible(NotARegistry, Unavailable, Unknown).on("=400", "=405", "400 bad request", "405 method not allowed", "stopped after 10 redirects", "unsupported protocol scheme"),
		possible(NotARegistry, Proxy, Unknown).on(": 301 moved", ": 302 found", ": 302 moved", ": 303 see other", ": 307 temporary", ": 308 permanent", "unexpected http status: 200",
			": 200 ok", ": 204 no content"),
		possible(ClientBlocked, AccountRestricted).on("=451", "unavailable for legal reasons"),
		possible(NotARegistry, Unavailable, Unknown).on("=4xx"),
	}
}
