package diagnose

// Where a registry only says no, a text leaves several causes: node credentials
// may have failed unseen (K36 pkg/credentialprovider/plugin/plugin.go:414 only logs it),
// and many registries do not tell private from missing.

// authWords are refusals in words: what the registry or the kubelet says about the credential.
func authWords() []rule {
	return []rule{
		// Docker Hub's token server: 429 with {"details":"too many failed login attempts for username or IP address"}; the others are directories' words.
		likely(LockedOut).on("too many failed login", "failed login attempts", "too many login attempts", "too many authentication failures", "account is locked",
			"account has been locked", "account locked", "user is locked", "temporarily locked", "maximum number of failed"),
		possible(ExpiredCredentials, InvalidCredentials).on("expired or invalid", "invalid or expired", "invalid or has expired", "expired or is invalid", "expired or revoked", "revoked or expired"),
		// ECR (`Your authorization token has expired. Reauthenticate and try again.`), Artifactory (`Token failed verification: expired`), Azure AD (AADSTS7000222).
		likely(ExpiredCredentials).on("token has expired", "token is expired", "token expired", "expired token", "expiredtoken", "verification: expired", "credentials have expired",
			"credential has expired", "credentials expired", "password has expired", "password expired", "jwt expired", "secret keys for app", "session has expired", "token's lifetime",
			"token was expired", "access key expired", "certificate token is expired", "aadsts7000222", "expired credentials", "personal access token has expired", "robot account is expired").
			no("x509:"),
		// K36 pkg/credentialprovider/config.go:225-313 and encoding/base64, encoding/json: one bad entry fails the whole keyring.
		likely(SecretMalformed).on("unable to parse auth field", "struct field dockerconfigjson", "of type credentialprovider.", "go value of type credentialprovider",
			"data[.dockerconfigjson]", "data[.dockercfg]"),
		likely(SecretMalformed).on("illegal base64 data at input byte"),
		possible(SecretMalformed).on("couldn't find key .dockerconfigjson", "couldn't find key .dockercfg", "invalid decoded auth", // C24 image_pull.go ParseAuth
			"failed to decode auth", "failed to parse auth config", "invalid auth configuration", "invalid registry auth"),
		possible(SecretMalformed, NoCredentials).on("missing x-registry-auth"),                                                  // MOBY daemon/server/router/image/image_routes.go
		possible(SecretMalformed, InvalidCredentials).on("unable to parse json key", "invalid json key", "json key is invalid"), // GCR, user name _json_key
		possible(SecretMalformed, Unknown).on("invalid character").and("auths"),
		// K36 pkg/credentialprovider/plugin; plugin/pkg/admission/noderestriction/admission.go:699
		likely(ProviderFailed).on("register cri auth plugins", "credential provider config", "credential provider plugin", "failed to provide credentials for image",
			"failed to get credentials from plugin",
			"not found in pod spec volume", "request-serviceaccounts-token-audience", "external registry credential provider",
			"credential provider response", "error execing credential"),
		// AWS SDK aws/credentials, Google compute/metadata, Azure IMDS.
		possible(ProviderFailed, NoCredentials).on(" ecr-credential-provider", "bin/ecr-credential-provider", " acr-credential-provider", "bin/acr-credential-provider",
			"gcp-credential-provider ", "credential plugin", "image-credential-provider-",
			"nocredentialproviders", "no valid providers in chain", "no ec2 imds role found", "failed to refresh cached credentials", "metadata.google.internal",
			"169.254.169.254", "ec2rolerequesterror", "identity not found", "managed identity", "managedidentity", "unable to get ecr credentials", "failed to get ecr", "get ecr auth",
			"ecr authorization token"),
		possible(ProviderFailed, Forbidden, ExpiredCredentials).on("getauthorizationtoken", "aadsts", "assumerolewithwebidentity"),
		// IAM names the action that it denies (ECR 403 body).
		likely(Forbidden).on("is not authorized to perform: ecr", "not authorized to perform: ecr", "no identity-based policy allows", "no resource-based policy allows"),
		likely(Forbidden).on("permission_denied: read_package", "does not match expected scopes"), // GHCR, a token without read:packages
		possible(NoCredentials, ProviderFailed, DeniedOrMissing, Forbidden).on("unauthenticated request", "unauthenticated requests do not have", "anonymous caller does not have", "anonymous access"),
		// Artifact Registry: `Permission "artifactregistry.…" denied on resource "…" (or it may not exist)`.
		possible(Forbidden, DeniedOrMissing, RepositoryNotFound, NoCredentials).on("or it may not exist", "permission \"artifactregistry", "permission denied for",
			"permission 'artifactregistry", "denied: permission den"),
		possible(DeniedOrMissing, Forbidden, RepositoryNotFound, NoCredentials, AccountRestricted, ClientBlocked).on("or the resource may not exist", "caller does not have permission",
			"don't have the needed permissions", "do not have the needed permissions"),
		possible(Forbidden, NoCredentials, InvalidCredentials).on("does not have permission for manifest"), // Artifactory
		possible(Forbidden, InvalidCredentials, NotARegistry, Unavailable).on("does not match bearer token resource"),
		// CIMG docker/docker_client.go ErrUnauthorizedForCredentials, also without any
		possible(InvalidCredentials, ExpiredCredentials, NoCredentials).on("\"details\":\"incorrect username", "invalid username/password",
			"http basic: access denied", "authorization token is invalid", "bad props auth token", "token failed verification", "invalid authentication token", "invalid_token",
			"malformed token", "token is invalid",
			"invalid token", "signature verification failed for token", "unsupported auth", "authenticate failed", "authentication failed", "auth failed", "authentication is invalid",
			"failed to authenticate", "invalid login", "login failed").no("signature was required"),
		likely(InvalidCredentials).on("incorrect username or password", "invalid username or password", "username or password is incorrect", "wrong username or password",
			"incorrect password", "bad credentials",
			"invalid credentials", "invalid user name or password", "password is incorrect", "invalid username and password", "wrong password", "bad username or password",
			"could not find robot with username", "invalid robot credentials", "invalid robot account"), // Quay, Harbor
	}
}

// authStatus are refusals by status or by stock phrase.
func authStatus() []rule {
	return []rule{
		// C24 core/remotes/docker/authorizer.go:307-347: the oauth token is asked for with a credential, the anonymous one without.
		possible(InvalidCredentials, ExpiredCredentials, ProviderFailed, Forbidden, NoCredentials).on("failed to fetch oauth token").and("=401"),
		possible(InvalidCredentials, ExpiredCredentials, Forbidden, DeniedOrMissing).on("failed to fetch oauth token").and("=403", "@ghcr"), // a bad GitHub token is a 403: https://github.com/sigstore/scaffolding/issues/127
		possible(Forbidden, InvalidCredentials, ExpiredCredentials, DeniedOrMissing, ClientBlocked).on("failed to fetch oauth token").and("=403"),
		possible(InvalidCredentials, SecretMalformed, NotARegistry, ExpiredCredentials).on("failed to fetch oauth token").and("=400"),
		possible(NotARegistry, RepositoryNotFound, InvalidCredentials, RegistryConfig).on("failed to fetch oauth token", "failed to fetch anonymous token").and("=404"),
		possible(NoCredentials, ProviderFailed, DeniedOrMissing, SecretMissing, RepositoryNotFound).on("failed to fetch anonymous token").and("=401"),
		possible(NoCredentials, DeniedOrMissing, ProviderFailed, Forbidden, RepositoryNotFound, ClientBlocked).on("failed to fetch anonymous token").and("=403"),
		possible(NotARegistry, InvalidCredentials, NoCredentials).on("did not include a token in the response"), // C24 core/remotes/docker/auth/fetch.go
		possible(NoCredentials, DeniedOrMissing, Forbidden, InvalidCredentials).on("requesting bearer token", "unable to retrieve auth token").and("=403"),
		possible(NoCredentials, InvalidCredentials, DeniedOrMissing).on("requesting bearer token", "unable to retrieve auth token").and("=401"),
		possible(NoCredentials, ProviderFailed, InvalidCredentials, ExpiredCredentials, SecretMalformed).on("no basic auth credentials"), // C24 authorizer.go:201; distribution registry/client/auth
		// A token was granted for less than was asked for: Docker Hub answers so for private and for missing alike.
		possible(DeniedOrMissing, NoCredentials, RepositoryNotFound, Forbidden, ProviderFailed).on("insufficient_scope: authorization failed", "repository does not exist or may require authorization"),
		possible(Forbidden, DeniedOrMissing, NoCredentials).on("insufficient scope", "insufficient_scope"),
		possible(DeniedOrMissing, RepositoryNotFound, NoCredentials).on("does not exist or no pull access"), // MOBY distribution/errors.go, 1.13 to 17
		possible(DeniedOrMissing, NoCredentials, RepositoryNotFound, Forbidden, InvalidCredentials, ProviderFailed).on("requested access to the resource is denied",
			"access to the requested resource is not authorized",
			"may require 'docker login'", "access to the resource is denied"),
		possible(NoCredentials, Forbidden, DeniedOrMissing, InvalidCredentials).on("unauthorized to access repository"), // Harbor
		possible(NoCredentials, DeniedOrMissing, InvalidCredentials, Forbidden, ProviderFailed).on("authentication required", "authentication is required", "requires authentication",
			"require authentication",
			"authorization required", "login required", "unauthorized: not authorized", "not logged in", "please login", "please log in", "needs authentication",
			"authentication credentials were not provided"),
		possible(Forbidden, NoCredentials, DeniedOrMissing, InvalidCredentials).on("access forbidden", "permission denied for resource", "you don't have permission",
			"you do not have permission", "does not have permission",
			"not have access", "access denied", "permission to access", "no permission", "not permitted to pull", "not allowed to pull", "pull permission", "insufficient permission",
			"denied: permission_denied", "is not authorized", "not authorized"),
		// GitHub answers a bad token and a private package alike (https://github.com/openai/tunnel-client/issues/75).
		possible(DeniedOrMissing, NoCredentials, Forbidden, InvalidCredentials, RepositoryNotFound).on(": denied", "desc = denied", "=403").and("@ghcr"),
		possible(NoCredentials, InvalidCredentials, ExpiredCredentials, DeniedOrMissing, ProviderFailed, Forbidden, SecretMalformed).on("=401", "401 unauthorized", "(unauthorized)"),
		// A bare 403: a permission, a block or a proxy; only the registry's own words would tell.
		possible(Forbidden, DeniedOrMissing, NoCredentials, ClientBlocked, ExpiredCredentials, Proxy, ContentPolicy).on("=403", "403 forbidden"),
		possible(Forbidden, DeniedOrMissing, NoCredentials, ClientBlocked, InvalidCredentials).on(": denied", "desc = denied", "denied: "),
		possible(Forbidden, DeniedOrMissing, NoCredentials, ClientBlocked).on(": forbidden", "desc = forbidden"),
		possible(NoCredentials, InvalidCredentials, DeniedOrMissing, Forbidden, ExpiredCredentials).on(": unauthorized", "desc = unauthorized", "unauthorized: "),
		// K36 pkg/kubelet/kubelet_pods.go:1071-1096, event FailedToRetrieveImagePullSecret: printed at every sync, even while pulls work.
		possible(SecretMissing, Unknown).on("unable to retrieve pull secret", "unable to retrieve some image pull secrets").and("failed to sync secret cache"),
		possible(SecretMissing, Unknown).on("unable to retrieve pull secret", "unable to retrieve some image pull secrets").and("forbidden"),
		likely(SecretMissing).on("unable to retrieve pull secret", "unable to retrieve some image pull secrets", "failedtoretrieveimagepullsecret"),
		possible(SecretMissing, Unknown).on("secret \"", "secrets \"").and("\" not found").no("mountvolume", "createcontainerconfigerror"),
	}
}
