package diagnose

// nameSyntax are references that never reach a registry.
func nameSyntax() []rule {
	return []rule{
		// CRIO internal/storage/image.go:1026; CIMG pkg/shortnames/shortnames.go:320
		likely(ShortName).on("short name mode is enforcing", "did not resolve to an alias", "short-name resolution enforced", "no unqualified-search registries", "returns ambiguous list",
			"returned ambiguous list",
			"unqualified-search registries are defined", "short-name \""),
		// CRI-O before 1.20
		possible(ShortName, RegistryConfig).on("no search registries are defined", "provided is a short name", "no registries found in registries.conf", "no registries configured while"),
		// distribution/reference reference.go
		likely(InvalidReference).on("invalid reference format", "couldn't parse image", "failed to parse image reference", "failed to apply default image tag", "repository name must be lowercase",
			"both a tag and digest are currently not supported", "expected colon-separated transport:reference", "invalid repository name", "invalid tag format", "invalid checksum digest",
			"unsupported digest algorithm",
			"64-byte hexadecimal", "must not be more than 255 characters", "error parsing image name", "parsing named reference", "invalid image reference", "unable to parse image",
			"cannot parse image", "invalid image name \"",
			"repository name must be canonical", "repository name must have at least one component", "could not parse reference", "failed to normalize image reference"),
		likely(InvalidReference).on("invalidimagename"),
		possible(InvalidReference, Unknown).on(": object required", ": invalid reference ", "invalid reference:"), // C24 pkg/reference
		possible(InvalidReference, RepositoryNotFound).on("name invalid:", "name_invalid", "tag_invalid", "invalid repository name or tag",
			"missing image name").no("does not match bearer token resource"),
	}
}

// nameWords are registries that say they do not have it.
func nameWords() []rule {
	return []rule{
		// Quay says which: `Tag X was deleted or has expired. To pull, revive via time machine`; so did docker 1.x: `Tag X not found in repository Y`.
		likely(TagNotFound).on("was deleted or has expired", "revive via time machine"),
		// A 404 to /v2/ itself, from the token server, or as a web page: no registry answered (CIMG docker/docker_client.go).
		possible(NotARegistry, RegistryConfig, Unavailable).on("pinging docker registry", "pinging container registry").and("=404"),
		possible(NotARegistry, RepositoryNotFound, InvalidCredentials).on("requesting bear", "login attempt to http").and("=404"),
		possible(NotARegistry, TagNotFound, RepositoryNotFound).on("parsing http 404 response").and("invalid character '<'"),
		likely(TagNotFound).on(": tag ", "(tag ", "error: tag ").and("not found in repository"),
		// distribution registry/api/errcode/register.go:20-220; ECR
		likely(RepositoryNotFound).on("name unknown", "name_unknown", "repository name not known", "repo not found", "repo_not_found", "does not exist in the registry with id"),
		possible(RepositoryNotFound, AccountRestricted, DeniedOrMissing).on("not found or deleted", "project not found", "project does not exist", "project has been deleted", "namespace not found"),
		possible(RepositoryNotFound, TagNotFound).on("error: image "),
		// Harbor: `artifact P/R:T not found` for either, `repository P/R not found` for the repository.
		possible(DigestNotFound, TagNotFound, RepositoryNotFound).on(": artifact ").and("@pinned", "not found"),
		possible(DigestNotFound, TagNotFound, RepositoryNotFound).on("artifact ").and("sha256:", "not found"),
		possible(TagNotFound, RepositoryNotFound).on(": artifact ").and("not found"),
		possible(RepositoryNotFound, TagNotFound).on(": repository ", "unknown: repository", "the repository", "repository '").and("not found"),
		possible(RepositoryNotFound, DeniedOrMissing).on("repository does not exist", "no such repository", "repository was not found", "repository is not found").no("or may require"),
		// manifest unknown: the repository answered (distribution registry/handlers/manifests.go); some registries say it for a missing repository too.
		possible(DigestNotFound, TagNotFound, RepositoryNotFound, ContentMissing).on("manifest unknown", "manifest_unknown", "manifest for ", "manifest is not known",
			"manifest is unknown").and("@pinned"),
		possible(DigestNotFound, TagNotFound, RepositoryNotFound, ContentMissing).on("reading manifest sha256:").and("manifest unknown"),
		possible(TagNotFound, RepositoryNotFound).on("failed to fetch \"").and("manifest unknown").no("fetch \"sha256:"), // Artifact Registry names the tag that it lacks
		possible(TagNotFound, RepositoryNotFound, DigestNotFound, ContentMissing).on("manifest unknown", "manifest_unknown", "manifest is not known", "manifest is unknown",
			"manifest not found", "no such manifest", "requested image not found"),
		possible(TagNotFound, RepositoryNotFound).on("manifest for ").and("not found"),
		possible(TagNotFound, RepositoryNotFound).on("tag does not exist", "no such tag", "tag not found", "unknown tag", "tag unknown"),
		// C24 core/remotes/docker/resolver.go: one text for every 404, HEAD has no body.
		possible(DigestNotFound, TagNotFound, RepositoryNotFound).on("@refnotfound").and("@pinned"),
		possible(TagNotFound, RepositoryNotFound, DeniedOrMissing).on("@refnotfound"),
		possible(NotARegistry, TagNotFound, RepositoryNotFound).on("404 page not found"), // net/http NotFound: not a registry's JSON
		possible(DigestNotFound, TagNotFound, RepositoryNotFound, NotARegistry).on("=404").and("@pinned"),
		possible(TagNotFound, RepositoryNotFound, NotARegistry, DeniedOrMissing).on("=404", "404 not found", "(not found)", "no such image", "image not found", "could not find image",
			"image does not exist"),
	}
}
