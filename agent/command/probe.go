package command

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/report"
)

const probeHelp = `Probe looks from this node at what a pull of IMAGE would meet: the names and
connections of every host it would touch, the runtime and its configuration, the
kubelet's credential providers, the disks, and what is stored. Without IMAGE it
looks at the node as a whole. It changes nothing, unless --pull has it pull.

  refloat-agent probe registry.example.com/shop/web:2.0
  refloat-agent probe registry.example.com/shop/web:2.0 --verify
  refloat-agent probe IMAGE --pull --docker-config - < config.json
  ssh worker-7 refloat-agent probe IMAGE -o json

Exit codes: 0 nothing is wrong; 1 refloat-agent itself failed; 2 usage; 3 something
is wrong here; 4 could not tell; 130 interrupted.
`

// maxDockerConfig bounds a docker config: a Secret, which it stands for, holds no more.
const maxDockerConfig = 1 << 20

type probeFlags struct {
	question     node.Question
	root         string
	name         string
	dockerConfig string
	format       string
}

func probe(ctx context.Context, args []string, s Streams) (int, error) {
	p, err := readProbe(args, s)
	if err != nil {
		return 0, err
	}
	engine := &node.Engine{Host: &host.Host{Root: p.root}, Name: p.name}
	defer func() { _ = engine.Close() }()
	began := time.Now()
	facts, gaps := engine.Look(ctx, p.question)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	v := report.NodeView{ObservedAt: began, Node: p.name, Image: evidence.CleanReference(p.question.Image), Facts: facts, Gaps: gaps}
	if err := report.WriteNode(s.Out, report.Format(p.format), v, report.OptionsFor(s.Out)); err != nil {
		return 0, err
	}
	switch report.ExitNode(v) {
	case report.Failing:
		return exitFailing, nil
	case report.CannotTell:
		return exitCannotTell, nil
	}
	return exitFine, nil
}

func readProbe(args []string, s Streams) (*probeFlags, error) {
	p := &probeFlags{}
	f := flag.NewFlagSet("probe", flag.ContinueOnError)
	f.BoolVar(&p.question.Verify, "verify", false, "read stored content and compare it with its digests")
	f.Int64Var(&p.question.Rate, "rate", 0, "`BYTES` that --verify may read in a second; 0 is unlimited")
	f.BoolVar(&p.question.Pull, "pull", false, "pull the image through CRI: it may then stay on the node")
	f.StringVar(&p.dockerConfig, "docker-config", "", "`FILE` with credentials for --pull, - for standard input")
	f.Func("checks", "`CHECKS` to make alone, with commas between them: path, config, providers, disk, content, downloads, health", func(list string) error {
		for c := range strings.SplitSeq(list, ",") {
			if p.question.Checks = append(p.question.Checks, node.Check(c)); !slices.Contains(node.Checks(), node.Check(c)) {
				return fmt.Errorf("there is no check %q", c)
			}
		}
		return nil
	})
	f.StringVar(&p.format, "o", "text", "`FORMAT`: text, json, yaml")
	f.StringVar(&p.root, "host-root", "/", "`FOLDER` where the node's own / is mounted")
	f.StringVar(&p.name, "node-name", nodeName(), "`NAME` of this node in what is printed")
	rest, err := parse(f, args, s.Out, probeHelp)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		p.question.Image = rest[0]
	}
	if err := p.valid(rest); err != nil {
		return nil, err
	}
	p.question.Credentials, err = credentials(p.dockerConfig, p.question.Image, s.In)
	return p, err
}

func (p *probeFlags) valid(args []string) error {
	switch {
	case len(args) > 1:
		return &usageError{fmt.Sprintf("probe takes one IMAGE, not %d", len(args)), "probe one after the other"}
	case len(args) == 1 && args[0] == "":
		return &usageError{"the IMAGE is empty", "name it, such as nginx:1.27; an empty variable of the shell looks like this too"}
	case len(p.question.Image) > evidence.MaxReference:
		return &usageError{fmt.Sprintf("the IMAGE is longer than %d bytes", evidence.MaxReference), "give a reference as a pod would have it"}
	case !slices.Contains(report.NodeFormats(), report.Format(p.format)):
		return &usageError{fmt.Sprintf("unknown output format %q", p.format), "use one of: text, json, yaml"}
	case p.question.Rate < 0:
		return &usageError{fmt.Sprintf("--rate cannot be negative: %d", p.question.Rate), "leave it out for no limit"}
	case p.question.Pull && p.question.Image == "":
		return &usageError{"--pull takes an IMAGE", "refloat-agent probe IMAGE --pull"}
	case p.dockerConfig != "" && !p.question.Pull:
		return &usageError{"--docker-config is for --pull", "add --pull, which pulls the image"}
	}
	return nil
}

// credentials are those of a docker config that the kubelet would offer for the image. They stay in memory.
func credentials(file, image string, stdin io.Reader) ([]keyring.Credential, error) {
	if file == "" {
		return nil, nil
	}
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, &usageError{"the docker config cannot be read: " + err.Error(), "name a file as docker login writes it, or - for standard input"}
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDockerConfig+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the docker config: %w", err)
	case len(raw) > maxDockerConfig:
		return nil, &usageError{fmt.Sprintf("the docker config is longer than %d MiB", maxDockerConfig>>20), "give a file as docker login writes it"}
	}
	found, ring := keyring.Lookup([]keyring.Secret{{
		Name: "file " + file, Type: "kubernetes.io/dockerconfigjson", Data: map[string][]byte{".dockerconfigjson": raw},
	}}, image)
	switch {
	case ring.Broken != "":
		return nil, &usageError{"the docker config cannot be used: " + ring.Broken, "give a file as docker login writes it"}
	case len(found) == 0:
		return nil, &usageError{"the docker config has no entry for " + evidence.CleanReference(image), "log in to its registry first, or leave --docker-config out"}
	}
	return found, nil
}

func nodeName() string {
	name, err := os.Hostname()
	if err != nil {
		name = "this node"
	}
	return cmp.Or(os.Getenv("NODE_NAME"), name)
}
