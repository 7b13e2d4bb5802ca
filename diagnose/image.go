package diagnose

// imageWords are images that are there and cannot be used.
func imageWords() []rule {
	return []rule{
		// C24 core/images/image.go (no match for platform); MOBY daemon/internal/distribution/pull_v2.go (no matching manifest for); CIMG internal/manifest/oci_index.go (no image found)
		likely(PlatformMismatch).on("no match for platform", "no matching manifest for ", "no image found in image index for", "no image found in manifest list for",
			"cannot be used on this platform", "no child with platform",
			"does not match the specified platform", "image platform does not match", "does not match the detected host platform",
			"does not provide the specified platform", "operating system does not match the host",
			"-based image is incompatible with a", // Windows
			"no suitable image for platform", "no manifest found for platform", "no supported platform found in manifest list"),
		likely(PlatformMismatch).on("choosing an image from manifest list", "choosing image instance").and("no image found"),
		possible(PlatformMismatch, UnsupportedFormat).on("exec format error"),
		// C24 internal/cri/opts/spec_opts.go; MOBY daemon/create.go: neither the image nor the pod says what to run.
		possible(UnsupportedFormat, Unknown).on("no command specified"),
		// Schema 1: C24 core/transfer/local/pull.go, RELEASES.md; MOBY daemon/internal/distribution/errors.go:230-237; registry.redhat.io's own words.
		likely(UnsupportedFormat).on("schema 1 image", "schema 1 support", "schema 1 manifest", "manifest.v1+prettyjws\" is no longer", "failed to get converter for",
			"no longer supported since containerd", "deprecated-image-specs",
			"v2 schema 1", "unsupported schema version", "unsupported manifest schema", "schema1 manifest", "manifest schema1", "docker schema1"),
		possible(UnsupportedFormat, DigestNotFound, ContentMissing).on("manifest.v1+prettyjws", "manifest.v1+json"),
		// C24 core/diff/stream.go, core/images; CIMG internal/manifest/errors.go
		likely(UnsupportedFormat).on("number of layers and diffids don't match", "mismatched image rootfs and manifest layers", "no processor for media-type",
			"unsupported image-specific operation on artifact",
			"unsupported docker v2s2 media type", "unsupported media type application/vnd.", "unsupported media type \"application/vnd.", "encountered remote \"", "not an oci image",
			"invalid mixed oci image", "unsupported oci media type", "unsupported mimetype", "unsupported mime type", "does not support oci index", "does not support oci manifest",
			"unknown media type during manifest conversion", "unhandled media type", "unsupported manifest media type", "unsupported layer media type", "encountered unknown type application/",
			"unimplemented manifest mime type",
			"mediatype application/vnd.cncf.helm", "invalid manifest: layers", "unsupported compression", "decompressor for", "unknown compression"),
		// C24 core/images/handlers.go: a page came where a manifest should
		likely(NotARegistry).on("unexpected media type text/html for sha256:"),
		// a page in place of a manifest
		possible(NotARegistry, UnsupportedFormat).on("unexpected media type text/html", "media type text/plain", "media type application/json", "unsupported media type text/html"),
		possible(UnsupportedFormat, RuntimeUnavailable).on("manifest invalid: unsupported", "is too old: manifest"),
		possible(UnsupportedFormat, Unknown).on("needed for decryption", "no suitable key unwrapper", "found for decrypting layer", "decrypting layer"), // ocicrypt
		possible(UnsupportedFormat, NotARegistry).on("unexpected media type", "unsupported media type", "no signatures ", "missing signature key", "+json unsupported", "unknown media type",
			"unrecognized manifest", "unsupported manifest format"),
		possible(UnsupportedFormat, CacheCorrupt, Unknown).on("invalid tar header", "gzip: invalid header", "magic number mismatch", "tar: unexpected eof", "unrecognized image format",
			"archive/tar:", "invalid tar"),
		// Layers or children that the registry lacks: C24 core/remotes/docker/fetcher.go; CIMG docker/docker_image_src.go GetBlob; distribution BLOB_UNKNOWN.
		// The type in parentheses is what the manifest, or a page in its place, says the descriptor is.
		likely(NotARegistry).on("could not fetch content descriptor").and("(text/html"),
		likely(ContentMissing).on(".tar+gzip) from remote: not found", ".tar.gzip) from remote: not found", ".tar) from remote: not found",
			".tar+zstd) from remote: not found", ".tar.zstd) from remote: not found"), // nobody names a layer
		possible(ContentMissing, DigestNotFound, UnsupportedFormat).on("could not fetch content descriptor"),
		possible(ContentMissing, DigestNotFound).on("unknown blob", "blob unknown", "blob_unknown", "manifest_blob_unknown", "blob unknown to registry",
			"manifest references a manifest or blob").no("expected at"),
		likely(ContentMissing).on("content at http").and("/manifests/sha256:", "not found: not found").no("@pinned"), // a child of the index that the tag names
		possible(ContentMissing, DigestNotFound).on("content at http").and("not found"),
		possible(ContentMissing, DigestNotFound).on("/blobs/sha256:", "fetching blob", "reading blob").and("=404"),
		possible(ContentMissing, Unavailable).on("nosuchkey", "the specified key does not exist", "blobnotfound", "the specified blob does not exist"), // S3, Azure storage behind a redirect
	}
}
