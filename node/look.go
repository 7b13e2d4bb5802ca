package node

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/health"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/node/path"
	"github.com/refloat-dev/refloat/node/provider"
	"github.com/refloat-dev/refloat/node/store"
	"github.com/refloat-dev/refloat/registry"
	"github.com/refloat-dev/refloat/registry/keyring"
)

// patience bounds a look that neither hashes nor pulls: whoever asks for it waits half a minute.
const patience = 25 * time.Second

// Engine makes all checks of one node. Many goroutines may use one.
type Engine struct {
	Host *host.Host
	// Name is what the node is called in evidence.
	Name string
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu sync.Mutex
	// stores are kept: one goes on with hashing where it stopped before.
	stores  map[string]*store.Store
	refused *refused
}

// look is one call of Look.
type look struct {
	*Engine
	q       Question
	at      time.Time
	runtime *config.Runtime
	version string // the runtime's; empty where it does not tell at once
	mu      sync.Mutex
	facts   map[Check][]*evidence.Fact
	gaps    []evidence.Gap
}

// order is how the facts are told: what decides most often comes first, and what is cut comes last.
var order = []Check{CheckHealth, CheckPath, CheckConfig, CheckProviders, CheckContent, CheckDisk, CheckDownloads, checkPull}

const checkPull Check = "pull"

// Look makes the checks that q asks for, side by side, and returns when all have ended or ctx has: what was seen by then is told.
func (e *Engine) Look(ctx context.Context, q Question) ([]*evidence.Fact, []evidence.Gap) {
	if !q.Verify && !q.Pull {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	l := &look{Engine: e, q: q, at: e.now().UTC(), facts: map[Check][]*evidence.Fact{}}
	if l.q.Platform == "" {
		l.q.Platform = "linux/" + runtime.GOARCH
	}
	var gaps []evidence.Gap
	l.runtime, gaps = config.Read(e.Host)
	l.gap(gaps...)
	if l.version = l.ask(ctx); l.version != "" {
		l.runtime.Running(l.version)
	}

	var all sync.WaitGroup
	for check, run := range map[Check]func(context.Context){
		CheckHealth: l.health, CheckConfig: l.config, CheckPath: l.reach, CheckDownloads: l.downloads,
	} {
		if l.wants(check) || check == CheckPath && (l.wants(CheckProviders) || l.wants(CheckDisk) || l.wants(CheckContent)) {
			all.Go(func() { run(ctx) })
		}
	}
	all.Wait()
	if q.Pull {
		l.pull(ctx)
	}
	var facts []*evidence.Fact
	for _, c := range order {
		facts = append(facts, l.facts[c]...)
	}
	return facts, l.gaps
}

// Close ends the connections to the runtime.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for root, s := range e.stores {
		errs = append(errs, s.Close())
		delete(e.stores, root)
	}
	return errors.Join(errs...)
}

// refusals are remembered as long as the engine.
func (e *Engine) refusals() *refused {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refused == nil {
		e.refused = &refused{now: e.now}
	}
	return e.refused
}

func (e *Engine) now() time.Time {
	if e.Now == nil {
		return time.Now()
	}
	return e.Now()
}

func (l *look) wants(c Check) bool { return len(l.q.Checks) == 0 || slices.Contains(l.q.Checks, c) }

func (l *look) add(c Check, text, source string, f evidence.Fact) {
	f.Text, f.Vantage, f.Where, f.Source, f.Time = evidence.Clean(text), evidence.Node, l.Name, source, l.at
	l.mu.Lock()
	defer l.mu.Unlock()
	l.facts[c] = append(l.facts[c], &f)
}

func (l *look) gap(gaps ...evidence.Gap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaps = append(l.gaps, gaps...)
}

func (l *look) health(ctx context.Context) {
	r, gaps := health.Look(ctx, l.Host, l.runtime, l.q.Image)
	l.gap(gaps...)
	l.add(CheckHealth, sayRuntime(r), "CRI at "+r.Socket, evidence.Fact{Runtime: r})
}

func (l *look) config(context.Context) {
	c := l.runtime.For(registryOf(l.q.Image))
	source := c.HostsFile
	if source == "" {
		source = c.File
	}
	l.add(CheckConfig, sayConfig(&c), source, evidence.Fact{RegistryConfig: &c})
}

// reach looks at the way to the image, with what the node's own credentials are, and then at what depends on the answer:
// the room that it takes, and which of its content is there.
func (l *look) reach(ctx context.Context) {
	var probe *evidence.Probe
	if l.q.Image != "" {
		credentials := l.providers(ctx)
		if l.wants(CheckPath) || l.wants(CheckDisk) {
			probe = l.hosts(ctx, credentials)
		}
	}
	var all sync.WaitGroup
	if l.wants(CheckContent) {
		all.Go(func() { l.content(ctx, probe) })
	}
	if l.wants(CheckDisk) {
		all.Go(func() { l.disk(ctx, probe) })
	}
	all.Wait()
}

func (l *look) providers(ctx context.Context) []keyring.Credential {
	if !l.wants(CheckProviders) {
		return nil
	}
	ring, credentials, gaps := provider.Files(l.Host, l.q.Image)
	l.gap(gaps...)
	if ring != nil {
		l.add(CheckProviders, sayFiles(ring), "the node's docker config", evidence.Fact{Keyring: ring})
	}
	providers, more, gaps := provider.Look(ctx, l.Host, l.q.Image)
	l.gap(gaps...)
	for _, p := range providers {
		l.add(CheckProviders, sayProvider(p), p.Config, evidence.Fact{Provider: p})
	}
	return append(credentials, more...)
}

func (l *look) hosts(ctx context.Context, credentials []keyring.Credential) *evidence.Probe {
	looker := &path.Looker{Host: l.Host, Runtime: l.runtime, Env: l.env(), Version: l.version, Now: l.Now, Refusals: l.refusals()}
	hosts, probe, gaps := looker.Look(ctx, l.q.Image, l.q.Platform, credentials)
	if !l.wants(CheckPath) {
		return probe
	}
	if own, err := l.Host.Networked(); err == nil && !own {
		l.gap(evidence.Gap{Vantage: evidence.Node, What: "the way from " + l.Name + " to the image", Why: "this program is on another network than the node",
			How: "run refloat-agent with hostNetwork", Deciding: true})
		return probe // what a node needs of room is told by any network
	}
	l.gap(gaps...)
	for _, h := range hosts {
		l.add(CheckPath, sayHost(l.Name, h), "host "+h.Name, evidence.Fact{Host: h})
	}
	if probe != nil {
		l.add(CheckPath, registry.Sentence(probe), "registry "+probe.Host, evidence.Fact{Probe: probe})
	}
	return probe
}

// ask asks the runtime for its version: what a file leaves out depends on it.
func (l *look) ask(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c := l.dial(ctx)
	if c == nil {
		return ""
	}
	defer func() { _ = c.Close() }()
	v, err := c.Version(ctx)
	if err != nil {
		return ""
	}
	return v.GetRuntimeVersion()
}

// env is the environment of the runtime's own process: its proxy counts, not ours.
func (l *look) env() map[string]string {
	err := errors.New("its process is not seen")
	if p := l.runtime.Process; p != nil {
		var env map[string]string
		if env, err = p.Env(); err == nil {
			return env
		}
	}
	l.gap(evidence.Gap{Vantage: evidence.Node, What: "the proxy settings of the runtime's process on " + l.Name, Why: err.Error(),
		How: "on the node: sudo cat /proc/$(pidof containerd)/environ | tr '\\0' '\\n' | grep -i proxy"})
	return nil
}

// registryOf is the host that the kubelet names the image's registry by; empty where the image does not parse.
func registryOf(image string) string {
	repository, ok := evidence.Repository(image)
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(repository, "/")
	return host
}
