package registrytest

import "net/http"

const (
	lockedBody    = `{"details":"too many failed login attempts for username or IP address"}` + "\n"
	noSuchKeyBody = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`
	accessDeniedBody = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`
	exportBody = "<html><body><h1>403 Forbidden</h1>\nSince Docker is a US company, we must comply with US export " +
		"control regulations. In an effort to comply with these, we now block all IP addresses that are located in Cuba, " +
		"Iran, North Korea, Republic of Crimea, Sudan, and Syria.\n</body></html>\n"
	wafBody = "<html>\n<head><title>403 Forbidden</title></head>\n<body>\n<center><h1>403 Forbidden</h1></center>\n" +
		"<p>The request could not be satisfied. Request blocked by the web application firewall.</p>\n</body>\n</html>\n"
	webBody = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"
	hubText = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"
	// Harbor's server/middleware/vulnerable and policy texts.
	harborText = "current image with 4 vulnerabilities cannot be pulled due to configured policy in 'Prevent images with " +
		"vulnerability severity of \\\"Critical\\\" or higher from running.' To continue with pull, please contact your " +
		"project administrator to exempt matched vulnerabilities through configuring the CVE allowlist."
)

// Presets returns the named answers, a fresh map each time.
func Presets() map[string]Answer {
	return map[string]Answer{
		// Limits.
		"rate-limited": {Status: http.StatusTooManyRequests, Body: errorBody("TOOMANYREQUESTS", hubText), Header: map[string]string{
			"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600",
			"docker-ratelimit-source": "192.0.2.10", "retry-after": "3600",
		}},
		"rate-limited-ecr":  {Status: http.StatusTooManyRequests, Body: errorBody("TOOMANYREQUESTS", "Rate exceeded")},
		"rate-limited-bare": {Status: http.StatusTooManyRequests, Body: "Too Many Requests\n"},
		"locked-out":        {Status: http.StatusTooManyRequests, Body: lockedBody},

		// Out of order.
		"error-500": {Status: http.StatusInternalServerError, Body: errorBody("UNKNOWN", "unknown error")},
		"error-502": {Status: http.StatusBadGateway, Body: "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\n"},
		"error-503": {Status: http.StatusServiceUnavailable, Body: errorBody("UNAVAILABLE", "service unavailable")},
		"error-504": {Status: http.StatusGatewayTimeout, Body: "<html><head><title>504 Gateway Time-out</title></head><body><center><h1>504 Gateway Time-out</h1></center></body></html>\n"},

		// Refusals that no credential changes.
		"payment-required":   {Status: http.StatusPaymentRequired, Body: errorBody("DENIED", "Payment required: this account has exceeded its plan's limits")},
		"user-inactive":      {Status: http.StatusForbidden, Body: `{"err":"user is not active"}` + "\n"},
		"namespace-disabled": {Status: http.StatusForbidden, Body: errorBody("DENIED", "Namespace team has been disabled. Please contact a system administrator.")},
		"client-blocked-geo": {Status: http.StatusForbidden, Body: exportBody},
		"client-blocked-waf": {Status: http.StatusForbidden, Body: wafBody},
		"client-blocked-acr": {Status: http.StatusForbidden, Body: errorBody("DENIED", "client with IP '192.0.2.10' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.")},
		"content-policy":     {Status: http.StatusPreconditionFailed, Body: errorBody("PROJECTPOLICYVIOLATION", harborText)},
		"forbidden":          {Status: http.StatusForbidden, Body: errorBody("DENIED", "requested access to the resource is denied")},

		// Refusals in other registries' words.
		"no-challenge":  {Status: http.StatusUnauthorized, Body: errorBody("UNAUTHORIZED", "authentication required")},
		"token-refused": {Status: http.StatusUnauthorized, Body: errorBody("UNAUTHORIZED", "authentication required")},
		"no-token":      {Status: http.StatusOK, Body: "{}"},

		// Missing parts.
		"name-unknown":     {Status: http.StatusNotFound, Body: errorBody("NAME_UNKNOWN", "repository name not known to registry")},
		"manifest-unknown": {Status: http.StatusNotFound, Body: errorBody("MANIFEST_UNKNOWN", "manifest unknown")},
		"blob-unknown":     {Status: http.StatusNotFound, Body: errorBody("BLOB_UNKNOWN", "blob unknown to registry")},
		"storage-denied":   {Status: http.StatusForbidden, Body: accessDeniedBody},

		// Somebody else answers.
		"html":        {Status: http.StatusOK, Body: webBody},
		"foreign-api": {Status: http.StatusOK, Body: `{"status":"ok","service":"artifact-portal","version":"7.2"}` + "\n"},
		"no-type":     {Header: map[string]string{"content-type": ""}},
		"odd-type":    {Header: map[string]string{"content-type": "application/x-foo"}},

		// The connection.
		"silence":       {Break: BreakStall},
		"stall-header":  {Break: BreakStall, After: AfterHeader},
		"stall-body":    {Break: BreakStall, After: AfterHalf},
		"hang-up":       {Break: BreakClose},
		"cut":           {Break: BreakClose, After: AfterHalf},
		"reset":         {Break: BreakReset},
		"reset-body":    {Break: BreakReset, After: AfterHalf},
		"wrong-bytes":   {Break: BreakWrong},
		"endless":       {Break: BreakEndless},
		"slow":          {BytesPerSecond: 1 << 10},
		"late":          {DelayMillis: 5000},
		"redirect-away": {Redirect: "https://storage.invalid/bucket"},
	}
}

func errorBody(code, text string) string {
	return `{"errors":[{"code":"` + code + `","message":"` + text + `"}]}` + "\n"
}
