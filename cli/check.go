package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
	"github.com/refloat-dev/refloat/kube/manifest"
	"github.com/refloat-dev/refloat/observe"
	"github.com/refloat-dev/refloat/report"
)

const checkLong = `Check says, before anything is deployed, whether images would pull: it asks their
registries as the kubelet would, with the credentials that pods of the namespace
would get, for every platform among the nodes they could land on, down to each
layer, and compares their size with the nodes' free room where that is readable.

Images are given by name, or taken from manifests: files, directories (and what
is below them), or what helm template, kubectl kustomize and the like print, on
standard input. Secrets and service accounts in the manifests count before those
of the cluster. Nothing is deployed or changed.

Without a kubeconfig, or with --local, no cluster is asked: images are then asked
for without credentials, or with those of --docker-config, which is the only way
in which a docker login of this machine is ever used.`

const checkExample = `  kubectl refloat check -f deploy/ -n shop
  helm template shop ./chart | kubectl refloat check -n shop -f -
  kubectl refloat check nginx:1.27 reg.example.com/shop/web:2.0
  kubectl refloat check -f deploy/ -o github    annotations of a pull request
  kubectl refloat check --local --platform linux/amd64,linux/arm64 nginx:1.27
  kubectl refloat check --docker-config ~/.docker/config.json -f deploy/`

const (
	// checkBudget is what a check may take; who waits for it can interrupt it.
	checkBudget = 10 * time.Minute
	// maxDockerConfig bounds the file of --docker-config: a Secret, which it stands for, holds no more.
	maxDockerConfig = 1 << 20
)

var checkFormats = append(slices.Clone(formats), string(report.GitHub))

type checkFlags struct {
	kube         *genericclioptions.ConfigFlags
	files        []string
	dockerConfig string
	platforms    []string
	noLayers     bool
	local        bool
	format       string
}

// checkRequest is what is to be checked, and against what.
type checkRequest struct {
	planned kube.Planned
	// config is a docker config in place of the cluster's secrets; nil for those.
	config []byte
	layers bool
	gaps   []evidence.Gap
}

func newCheck(s Streams, kube *genericclioptions.ConfigFlags) *cobra.Command {
	f := checkFlags{kube: kube}
	cmd := &cobra.Command{
		Use:               "check IMAGE... | -f FILE...",
		Short:             "Say before deploying whether images would pull",
		Long:              checkLong,
		Example:           checkExample,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), s, args) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.files, "filename", "f", nil, "file or directory of manifests; - is standard input; may be given again")
	flags.StringVar(&f.dockerConfig, "docker-config", "", "credentials from this docker config file, in place of the cluster's")
	flags.StringSliceVar(&f.platforms, "platform", nil, "ask for these platforms, such as linux/amd64,linux/arm64, in place of the nodes' own")
	flags.BoolVar(&f.noLayers, "no-layers", false, "do not ask for each layer: fewer requests, and a missing layer is not seen")
	flags.BoolVar(&f.local, "local", false, "ask no cluster")
	flags.StringVarP(&f.format, "output", "o", "text", "format: "+strings.Join(checkFormats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(checkFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("platform", cobra.FixedCompletions([]string{"linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("docker-config")
	return cmd
}

func (f *checkFlags) run(ctx context.Context, s Streams, args []string) error {
	if err := f.valid(args); err != nil {
		return err
	}
	q, err := f.request(s, args)
	if err != nil {
		return err
	}
	c, err := q.look(ctx, s)
	if err != nil {
		return interrupted(ctx, err)
	}
	r := diagnoseAll(c)
	if r.Checked == nil {
		r.Checked = &report.Checked{Platforms: []string{}, Pull: []string{}}
	}
	return render(s.Out, f.format, r)
}

var platformText = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?(:[0-9.]+)?$`)

func (f *checkFlags) valid(args []string) error {
	if err := checkFormat(f.format, checkFormats); err != nil {
		return err
	}
	if len(args) == 0 && len(f.files) == 0 {
		return usage("name images, or manifests with -f: kubectl refloat check -f deploy/", "check takes at least one IMAGE or -f FILE")
	}
	for _, p := range f.platforms {
		if !platformText.MatchString(p) {
			return usage("write it as os/architecture[/variant]: --platform linux/amd64,linux/arm64", "the platform %q does not parse", p)
		}
	}
	stdin := 0
	for _, file := range f.files {
		if strings.HasPrefix(file, "http://") || strings.HasPrefix(file, "https://") {
			return usage("fetch it yourself: curl -fsSL URL | kubectl refloat check -f -", "-f takes files, not URLs: %s", file)
		}
		if file == "-" {
			stdin++
		}
	}
	if stdin > 1 {
		return usage("give -f - once", "standard input can be read only once")
	}
	for _, a := range args {
		if strings.TrimSpace(a) == "" {
			return usage("name it, such as nginx:1.27; an empty variable of the shell looks like this too", "an IMAGE is empty")
		}
		if _, err := os.Stat(a); err == nil && (strings.ContainsAny(a, `\`) || manifestName.MatchString(a)) {
			return usage("check the images in it with: -f "+a, "%s is a file, not an image", a)
		}
	}
	return nil
}

var manifestName = regexp.MustCompile(`\.(ya?ml|json)$|/$`)

// request turns flags and arguments into what is to be looked at.
func (f *checkFlags) request(s Streams, args []string) (*checkRequest, error) {
	q := &checkRequest{layers: !f.noLayers}
	set, err := manifest.Files(s.In, f.files)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("give a file or directory of manifests, or - for standard input", "%s", pathError(err))
	}
	if err != nil {
		return nil, err
	}
	for _, a := range args {
		set.Images = append(set.Images, manifest.Image{Reference: evidence.CleanReference(a), Kind: evidence.App, Pod: &manifest.Pod{}})
	}
	q.planned.Manifests, q.planned.Platforms = set, f.platforms
	if f.dockerConfig != "" {
		if q.config, err = readDockerConfig(f.dockerConfig); err != nil {
			return nil, err
		}
		q.planned.ByHand = "file " + f.dockerConfig
	}
	return q, f.cluster(q)
}

// pathError is an error of the file system on one line: which file, and what of it.
func pathError(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return "no such file: " + path.Path
	}
	return err.Error()
}

func readDockerConfig(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage("it is what docker login writes, often ~/.docker/config.json", "no such file: %s", file)
	case err != nil:
		return nil, fmt.Errorf("reading the docker config: %w", err)
	case info.IsDir():
		return nil, usage("name the file in it: --docker-config "+strings.TrimSuffix(file, "/")+"/config.json", "%s is a directory", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the docker config: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxDockerConfig+1)) // a pipe has no size
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the docker config: %w", err)
	case len(raw) > maxDockerConfig:
		return nil, usage("give a file as docker login writes it", "%s is longer than %d MiB", file, maxDockerConfig>>20)
	}
	return raw, nil
}

// look asks the cluster, and then the registries.
func (q *checkRequest) look(ctx context.Context, s Streams) (*evidence.Collection, error) {
	c, err := q.planned.Find(ctx)
	var away *kube.UnreachableError
	if errors.As(err, &away) {
		what, _, _ := strings.Cut(err.Error(), "\n")
		return nil, &userError{what: what, do: "check --context and the network, or leave the cluster out with --local", code: exitFailed, err: err}
	}
	if err != nil {
		return nil, err
	}
	c.Gaps = append(c.Gaps, q.gaps...)
	if len(c.Cases) == 0 {
		return c, nil
	}
	tell, done := progress(s.Err, askingRegistries)
	defer done()
	source := newRegistrySource(&q.planned)
	source.Config, source.ConfigName = q.config, q.planned.ByHand
	source.Layers = func(*evidence.Case) bool { return q.layers }
	source.Progress, source.Budget = tell, checkBudget
	return c, observe.Run(ctx, c.Cases,
		observe.Named{Vantage: evidence.Registry, Source: source},
		observe.Named{Vantage: evidence.API, Source: unseenSecrets{local: q.planned.API == nil}})
}

// unseenSecrets adds to what a keyring could not read the secrets that a service account may have, where the
// account could not be read.
type unseenSecrets struct{ local bool }

// Observe replaces the Keyring facts, which no other case shares. Without a cluster an image that everybody may
// pull counts as one that pulls: that no secret was looked at is said once for the whole run.
func (u unseenSecrets) Observe(_ context.Context, cases []*evidence.Case) error {
	for _, c := range cases {
		i := slices.IndexFunc(c.Facts, func(f *evidence.Fact) bool { return f.Keyring != nil })
		if i < 0 {
			continue
		}
		fact, ring := *c.Facts[i], *c.Facts[i].Keyring
		ring.Unread = slices.Concat(ring.Unread, kube.Unread(c))
		if u.local && public(c) {
			ring.Unread = nil
		}
		fact.Keyring = &ring
		c.Facts[i] = &fact
		if !answered(c) { // no secret would make the name valid, or the registry answer
			c.Gaps = slices.DeleteFunc(c.Gaps, kube.UnreadAccount)
		}
	}
	return nil
}

// answered tells whether the registry said anything.
func answered(c *evidence.Case) bool {
	f := c.First(func(f *evidence.Fact) bool { return f.Probe != nil })
	return f != nil && slices.ContainsFunc(f.Probe.Attempts, func(a evidence.Attempt) bool {
		return slices.ContainsFunc(a.Steps, func(s evidence.Step) bool { return s.Status != 0 })
	})
}

// public tells an image that was served to who offered nothing.
func public(c *evidence.Case) bool {
	f := c.First(func(f *evidence.Fact) bool { return f.Probe != nil })
	return f != nil && slices.ContainsFunc(f.Probe.Attempts, func(a evidence.Attempt) bool { return a.Served && a.Login == nil && !a.Compared })
}
