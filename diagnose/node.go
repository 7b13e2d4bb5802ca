package diagnose

// nodeOwn are faults of the node itself: they come before any registry is asked, or hide what it said.
func nodeOwn() []rule {
	return []rule{
		// A sandbox's network, a volume or a process that does not start: no image is missing.
		{sure: NoConfidence, say: []Code{Unknown}, any: []string{"setup network for sandbox", "networkplugin cni failed", "failed to setup network", "mountvolume.setup failed",
			"mountvolume.mountdevice failed",
			"failed to create shim task", "failed to reserve sandbox name", "failed to reserve container name", "restarting failed container", "liveness probe failed",
			"readiness probe failed"}, not: []string{"exec format error"}},
		likely(PullThrottled).on("pull qps exceeded"), // K36 pkg/kubelet/images/helpers.go:51
		likely(DiskFull).on("no space left on device", "disk quota exceeded", "not enough space on the disk", "there is not enough space", "insufficient free disk space",
			"not enough free space", "not enough disk space", "no space left",
			// syscall ENOSPC, EDQUOT; K36 pkg/kubelet/images/image_gc_manager.go:408
			"garbage collect required amount of images", "create more free space in thin pool", "thin pool is full", "out of data space", "no free space", "insufficient disk space",
			"disk is full", "device is full"),
		possible(FilesystemFailed, RuntimeUnavailable).on("dial unix", "failed to dial").and("snapshotter"),
		possible(FilesystemFailed, RuntimeUnavailable).on("stargz", "nydus", "soci-snapshotter").and("dial unix"),
		// MOBY client/errors.go; gRPC's Unimplemented and Unavailable where the CRI plugin or socket is missing.
		likely(RuntimeUnavailable).on("cannot connect to the docker daemon", "is the docker daemon running", "unknown service runtime.", "server is not initialized yet", "dial unix",
			"error reading server preface", "container runtime is down",
			"validate service connection", "and the runtime has been started", "failed to dial \"/run/", "failed to dial \"/var/run/", "failed to dial \"unix:",
			"unable to determine image api version", "unable to determine runtime api version", "getting the runtime version", "validate cri", "runtime api is not implemented",
			"container runtime is not ready", "container runtime not ready").no("runtime network not ready", "dockershim.sock", "docker.sock: connect: permission"),
		possible(RuntimeUnavailable, FilesystemFailed).on("docker daemon socket at").and("permission denied"),
		// C24 core/remotes/docker/config/hosts.go; C17 pkg/cri/server/image_pull.go getTLSConfig; MOBY registry; CIMG pkg/sysregistriesv2, pkg/tlsclientconfig
		likely(RegistryConfig).on("unable to read ca cert", "unable to load ca", "failed to load ca file", "failed to load cert file", "tlsconfig for registry",
			"loading registries configuration", "error loading registries", "hosts.toml", "for client certificate", "missing client certificate", "failed to load x509 key pair",
			"unable to load x509", "cannot be set when `config_path`", "invalid host config", "failed to decode hosts", "for ca certificate", "failed to find any pem data",
			"failed to find certificate pem", "failed to read ca", "parse registry endpoint", "invalid registries configuration",
			"mixing sysregistry", "/registries.yaml", "registries.conf: ", "registries.conf\": ", "parsing registries").no("is blocked in"),
		// gRPC: the runtime went away in the middle
		possible(RuntimeUnavailable, CacheCorrupt).on("code = unavailable desc = error reading from server", "code = 14 desc = ", "code = unavailable desc = transport"),
		possible(RegistryConfig, FilesystemFailed).on("/certs.d/", "/certs.d:", "policy.json").and("no such file or directory"),
		possible(RegistryConfig, FilesystemFailed).on("/certs.d/", "policy.json", "auth.json", "config.json", "registries.conf").and("permission denied"),
		possible(RegistryConfig, SecretMalformed).on("auth.json", "docker/config.json").and("json"),
		possible(RegistryConfig, NotARegistry).on("no host in request url", "unsupported protocol scheme", "invalid port \"", "toml: ", "error loading trust policy", "unmarshaling policy",
			"first path segment in url"),
		possible(RegistryConfig, Unknown).on("no available registry endpoint: <nil>", "no available registry endpoint for"),
	}
}

// nodeStore are stored content that is damaged and filesystems that fail. What a layer is unpacked
// into can fail for either reason, so bare errno texts stay possible.
func nodeStore() []rule {
	return []rule{
		// C24 plugins/content/local/store.go (expected at); core/metadata/snapshot.go (missing parent … bucket); core/images (unmarshal, children)
		// C24 core/metadata/snapshot.go. At creation the image counts as complete: an artifact whose layers no snapshotter took, or a snapshot lost since.
		possible(UnsupportedFormat, CacheCorrupt).on("failed to create containerd container: parent snapshot sha256:").and("does not exist"),
		likely(CacheCorrupt).on("expected at").and("blob not found"),
		likely(CacheCorrupt).on("missing parent").and("bucket: not found"),
		// CIMG storage; pigz
		likely(CacheCorrupt).on("may be corrupted", "unmarshal image config: ", "children: invalid desc", "layer not known", "locating item named", "corrupted -- crc32", "corrupted -- ",
			"corrupt layer", "content store is corrupt", "invalid checksum digest length"),
		likely(FilesystemFailed).on("fork/exec /usr/bin/unpigz: permission denied", "unpigz: permission denied"),
		possible(CacheCorrupt, FilesystemFailed).on("/containers/storage/").and("unexpected end of json"),
		possible(CacheCorrupt, Interrupted, FilesystemFailed).on("gzip: invalid checksum", "flate: corrupt", "zlib: invalid", "crc32 mismatch", "checksum mismatch", "invalid checksum",
			"unpigz: ", "zstd: ", "corrupt input before offset", "unexpected end of file").no("no such file", "not found in $path"),
		// What came has other bytes than its digest: the connection, a proxy, a mirror of the node's, or the registry itself.
		possible(CacheCorrupt, Interrupted, Proxy, RegistryConfig, DigestNotFound).on("unexpected commit digest", "does not match provided manifest digest").and("@pinned"),
		// C24 plugins/content/local/writer.go:111-136
		possible(CacheCorrupt, Interrupted, Proxy, RegistryConfig, ContentMissing).on("unexpected commit digest", "failed size validation", "filesystem layer verification failed",
			"manifest verification failed", "digest did not match", "does not match provided manifest digest", "content does not match digest",
			"digest mismatch", "verification failed for digest", "unexpected digest", "wrong content size", "size mismatch", "failed to verify content", "blob digest mismatch",
			"digest verification failed", "does not match digest"),
		// C24 core/unpack/unpacker.go; CIMG storage
		possible(CacheCorrupt, UnsupportedFormat, Interrupted, Unknown).on("wrong diff id", "does not match config's diffid", "from manifest don't match image configuration", "rootfs: layer"),
		// containers/storage; C24 internal/cri
		possible(CacheCorrupt, FilesystemFailed).on("but uses a different top layer", "failed to get image from containerd \""),
		possible(CacheCorrupt, FilesystemFailed).on("parent snapshot", "missing parent", "failed to get reader from content store", "content digest", "target snapshot",
			"snapshot does not exist", "failed to rebase", "layerdb", "image not known", "unable to stat blob",
			"parent layer", "failed to get layer", "unknown parent", "loading primary layer store", "failed to prepare extraction snapshot", "layer does not exist", "unable to retrieve layer",
			"bucket: not found", "failed to stat blob"),
		// Names of what is missing on the node: pkg/archive/compression forks unpigz, igzip.
		likely(FilesystemFailed).on("fork/exec /", "\"unpigz\": executable", "executable file not found in $path").and("extract"),
		likely(FilesystemFailed).on("fork/exec /usr/bin/unpigz", "exec: \"unpigz\"", "exec: \"pigz\"", "exec: \"xz\"", "exec: \"zstd\"", "fork/exec /usr/bin/igzip"),
		// errno texts below a layer: syscall zerrors_linux; containers/storage and moby pkg/idtools.
		likely(FilesystemFailed).on("read-only file system", "enough ids available in the namespace", "insufficient uids or gids", "subordinate id", "/etc/subuid", "failed to lchown",
			"whiteout file", "structure needs cleaning", "stale file handle", "stale nfs", "hcsshim::",
			"snapshotter not loaded", "no snapshotter", "no unpack platforms defined", "transport endpoint is not connected", "idmapped mount", " id-mapped", "failed to idmap", "idmap mount",
			"userxattr option", "overlayfs is not supported", "overlay is not supported", "failed to mount overlay", "unknown filesystem type", "newuidmap",
			"modprobe fuse", "fuse: device not found", "without d_type support", "does not support overlay", "not supported as upperdir", "missing d_type", "fusermount: ",
			"is not supported over overlayfs", "prerequisites for driver not satisfied").no("registries.conf"),
		possible(FilesystemFailed, RuntimeUnavailable).on("too many open files"),
		possible(FilesystemFailed, CacheCorrupt).on("input/output error", "bad message", "i/o error").no("i/o timeout"),
		possible(CacheCorrupt, FilesystemFailed).on("/containers/storage/", "/var/lib/docker/", "/graphroot/", "overlay/l:", "overlay2/", "/overlay/", "creating overlay mount",
			"io.containerd.", "rename /").and("no such file or directory"),
		possible(CacheCorrupt, FilesystemFailed).on("/containers/storage/", "/var/lib/docker/", "/graphroot/").and("invalid argument"),
		possible(CacheCorrupt, FilesystemFailed, Interrupted, UnsupportedFormat).on("extract layer", "tar file", "register layer", "applylayer", "applying layer").and("unexpected eof"),
		possible(FilesystemFailed, CacheCorrupt).on("directory not empty", "file exists", "not a directory", "is a directory", "device or resource busy", "resource busy", "too many links",
			"file name too long", "bad file descriptor", "too many levels of symbolic links", "max depth exceeded", "no such device"),
		possible(FilesystemFailed, Unknown).on("operation not permitted", "operation not supported", "permission denied", "lchown ", "lsetxattr", "setxattr", "mknod", "invalid argument",
			"function not implemented", "value too large").and("layer"),
		possible(FilesystemFailed, Unknown).on("operation not permitted", "operation not supported", "permission denied").and("/var/lib"),
		possible(FilesystemFailed, Unknown).on("operation not permitted", "operation not supported").and("tar file"),
		possible(FilesystemFailed, CacheCorrupt, UnsupportedFormat, Unknown).on("failed to extract layer", "failed to register layer", "error processing tar file", "adding layer with blob",
			"mount callback failed", "applying layer", "applylayer", "failed to unpack image on snapshotter", "error unpacking image", "creating overlay mount", "failed to mount"),
		possible(CacheCorrupt, FilesystemFailed).on("driver overlay", "failed to create image rootfs", "/overlay/"),
	}
}

// nodeWeak are deadlines, and words that mean little by themselves.
func nodeWeak() []rule {
	return []rule{
		// C24 internal/cri/server/images/image_pull.go: the progress reporter cancels; CRIO pull_progress_timeout.
		likely(PullDeadline).on("\": context canceled").and("code = canceled", "failed to pull and unpack image").no("failed to do request", "failed to resolve", "failed to authorize"),
		possible(PullDeadline, Timeout).on("context canceled", "context cancelled", "code = canceled", "pull progress timeout", "no progress", "progress deadline",
			"operation was canceled").no("exceeded its progress"),
		possible(PullDeadline, Timeout).on("context deadline exceeded", "code = deadlineexceeded", "code = 4 desc"),
		possible(CacheCorrupt, Stalled, Unknown).on("locked for ", " locked: unavailable", "locked: unavailable"), // C24 core/content/local locks: another pull holds the download
		possible(RuntimeUnavailable, Unknown).on("dial unix", "containerd.sock", "crio.sock", "cri-dockerd.sock", "pipe/containerd", "pipe/docker_engine", "transport is closing",
			"error while dialing", "code = unavailable", "connection error: desc", "connection closed before server preface", "code = unimplemented", "ttrpc: closed", "containerd is not"),
		possible(PullDeadline, Timeout).on("deadline exceeded", "image pull timed out", "waiting for image pull", "pull timed out"),
	}
}
