package provider

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/dockerconfig"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/registry/keyring"
)

// docker is a kind of docker config file, and the type of pull secret that holds the same.
type docker struct {
	name, kind, key string
	wrapped         bool
}

var dockers = []docker{
	{"config.json", "kubernetes.io/dockerconfigjson", ".dockerconfigjson", true},
	{".dockercfg", "kubernetes.io/dockercfg", ".dockercfg", false},
}

// Files reads the docker config file that the kubelet takes on this node, the
// first that parses, and what it has for the image (K36 pkg/credentialprovider/config.go:86-205).
// The keyring is nil where there is no such file. One that does not parse is an
// entry without a key: the kubelet passes it over without a word.
func Files(h *host.Host, image string) (*evidence.Keyring, []keyring.Credential, []evidence.Gap) {
	repository, ok := evidence.Repository(image)
	if !ok {
		return nil, nil, nil
	}
	k := find(h)
	var gaps []evidence.Gap
	if !k.envKnown {
		gaps = append(gaps, gapOf("whether the kubelet has a docker config file in its home", "its environment cannot be read from here; its own folder was looked at", seeEnv))
	}
	var passed []evidence.KeyringEntry
	for _, d := range dockers {
		for _, dir := range k.dockerDirs(d) {
			path := filepath.Join(dir, d.name)
			secret, err := k.docker(path, d)
			switch {
			case err == nil:
				creds, report := keyring.Lookup([]keyring.Secret{secret}, repository)
				report.Entries = append(passed, report.Entries...)
				return &report, creds, gaps
			case k.isAbsent(path, err):
			case errors.Is(err, errUnparsed):
				passed = append(passed, evidence.KeyringEntry{Login: evidence.Login{Secret: secret.Name, Problem: evidence.Clean(err.Error())},
					Why: "the file does not parse, and the kubelet passes it over without a word", Near: true,
					Hint: "repair or remove " + path})
			case dir != k.rootDir() && errors.Is(err, fs.ErrNotExist): // most nodes have no such folder
			default:
				gaps = append(gaps, gapOf("the docker config file "+path, err.Error(), k.mountIt(path)))
			}
		}
	}
	if len(passed) == 0 {
		return nil, nil, gaps
	}
	return &evidence.Keyring{Repository: repository, Entries: passed}, nil, gaps
}

var errUnparsed = errors.New("it does not parse")

// docker reads one file as a pull secret of its content.
func (k *kubelet) docker(path string, d docker) (keyring.Secret, error) {
	secret := keyring.Secret{Name: "the node's file " + path, Type: d.kind}
	data, err := k.files.ReadFile(path)
	if err != nil {
		return secret, err
	}
	if _, err := dockerconfig.Parse(data, d.wrapped); err != nil {
		return secret, fmt.Errorf("%w: %w", errUnparsed, err)
	}
	secret.Data = map[string][]byte{d.key: data}
	return secret, nil
}

func (k *kubelet) rootDir() string {
	if k.process != nil {
		if dir := k.flag("root-dir"); dir != "" {
			return dir
		}
	}
	return "/var/lib/kubelet"
}

// dockerDirs are the folders that the kubelet looks into, in its order. Without a home the kubelet takes its working directory for one.
func (k *kubelet) dockerDirs(d docker) []string {
	home := k.abs(k.env["HOME"])
	if d.wrapped {
		return []string{k.rootDir(), k.dir, filepath.Join(home, ".docker"), "/.docker"}
	}
	return []string{k.rootDir(), k.dir, home, "/"}
}
