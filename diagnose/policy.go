package diagnose

// policyWords are rules of the cluster, not of the registry.
func policyWords() []rule {
	return []rule{
		likely(NeverPull).on("errimageneverpull", "pull policy of never"), // K36 pkg/kubelet/images/image_manager.go:129-160
		// C24 core/transfer/local/pull.go:78-91
		likely(Signature).on("blocked pull of", "blocking pull of").and("image verifier", "signature"),
		possible(Signature, RegistryBlocked).on("blocked pull of", "blocking pull of").and("image verifier"),
		// CIMG signature/policy_eval*.go. A rejection by the default names no signature.
		possible(RegistryBlocked, Signature).on("is rejected by policy"),
		likely(Signature).on("a signature was required", "none of the signatures were accepted", "signature for identity", "source image rejected: required email",
			"source image rejected: signature", "source image rejected: cryptographic",
			"source image rejected: missing dev.sigstore", "source image rejected: none of", "source image rejected: invalid gpg", "source image rejected: invalid signature",
			"invalid gpg signature", "signature key validation failed", "no matching signatures",
			"no signatures found", "signature verification failed", "signature validation failed", "failed to verify signature", "no valid trust data", "remote trust data",
			"trust data unavailable", "cosign verify", "verify image signature", "sigstore signature", "policy.sigstore.dev", "image is not signed", "is not accepted by the signature",
			"no trust data for").
			no("not signed in notary", "not signed in cosign", "not signed by"),
		possible(Signature, RegistryBlocked).on("image verification failed", "failed to verify image", "source image rejected", "signature is invalid", "cryptographic signature"),
		// CIMG docker/docker_image_src.go: blocked = true in registries.conf
		likely(RegistryBlocked).on("is blocked in /etc/", "blocked in registries.conf").no("mirrors also failed"),
		possible(RegistryBlocked, TagNotFound, DigestNotFound).on("is blocked in /etc/"),
		// OpenShift ImagePolicy; Gatekeeper K8sAllowedRepos; Kyverno; K36 plugin/pkg/admission/imagepolicy
		likely(RegistryBlocked).on("prohibited by policy", "allowed repos are", "unknown image registry", "image policy webhook backend denied", "denied by binary authorization",
			"imagepolicywebhook", "invalid image repo",
			"disallowed registry", "registry is not allowed", "not an allowed registry", "is not from an allowed registry", "unapproved registry", "untrusted registry", "registry not allowed",
			"images from this registry").no("denied by attestor", "attestors", "vpc service controls"),
		possible(Signature, RegistryBlocked).on("denied by attestor", "attestors", "binary authorization"),
		// K36 staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating/plugin.go; the rest is the policy's own message.
		possible(Signature, RegistryBlocked).on("validatingadmissionpolicy '").and("denied request", "signature"),
		possible(Signature, RegistryBlocked).on("validatingadmissionpolicy '").and("denied request", "attest"),
		possible(Signature, RegistryBlocked).on("validatingadmissionpolicy '").and("denied request", "signed"),
		likely(RegistryBlocked).on("must come from", "must be from", "must be pulled from", "must start with", "not from", "not allowed: ", " registry", " registries", " repositories",
			"allowed images").
			and("validatingadmissionpolicy '", "denied request", "image").no("latest", "pull policy", "imagepullpolicy", "pullsecret"),
		possible(Signature, RegistryBlocked).on("denied the request").and("failed to verify the artifact"), // Ratify
		possible(RegistryBlocked, Signature).on("only images from").and("is forbidden"),
		possible(RegistryBlocked, Signature).on("denied the request", "denied request").and("image"),
		possible(RegistryBlocked, Signature).on("denied the request", "denied request").and("registr"),
		possible(Signature, RegistryBlocked).on("signaturevalidationfailed").and("rejected"),
		likely(Signature).on("signaturevalidationfailed", "because the signature validation failed"),
	}
}

// reasonWords are the waiting reasons that say something where no text does (K36 pkg/kubelet/images/types.go).
func reasonWords() []rule {
	return []rule{
		likely(InvalidReference).on("invalidimagename"),
		possible(Refused, Unavailable).on("registryunavailable"), // CRI-O on ECONNREFUSED, cri-dockerd on 502 to 504
		possible(RuntimeUnavailable, CacheCorrupt).on("imageinspecterror"),
	}
}
