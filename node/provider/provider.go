// Package provider runs the kubelet's exec credential providers for one image
// as the kubelet runs them, and reads the docker config file that the kubelet
// reads on the node.
//
// What they hand out leaves in keyring.Credential only, which does not print
// itself. Nothing else of the node is executed, and no provider is run that
// wants a service account token. The package asks no registry and says nothing
// about causes.
package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/registry/keyring"
)

const (
	// wait bounds one run; the kubelet waits for a minute (K36 pkg/credentialprovider/plugin/plugin.go:703).
	wait = 10 * time.Second
	// maxProviders bounds those that are looked at, maxNames what a fact lists.
	maxProviders = 20
	maxNames     = 10
)

// Look runs every provider that the kubelet would ask for the image. The facts
// are one for each provider in the kubelet's order, those that are not asked
// too, or a single one that says that there are none, or that their
// configuration is broken. The credentials are those that the kubelet would
// try, in its order, after those of Files. Without an image nothing is run, and
// only what cannot be run is told.
func Look(ctx context.Context, h *host.Host, image string) ([]*evidence.Provider, []keyring.Credential, []evidence.Gap) {
	return look(ctx, h, image, wait)
}

func look(ctx context.Context, h *host.Host, image string, wait time.Duration) ([]*evidence.Provider, []keyring.Credential, []evidence.Gap) {
	repository, ok := evidence.Repository(image)
	if !ok && image != "" {
		return nil, nil, nil // such an image is never pulled
	}
	k := find(h)
	var gaps []evidence.Gap
	s, gap := k.setting()
	if gap != nil {
		gaps = append(gaps, *gap)
	}
	switch {
	case s == nil:
		return nil, nil, gaps
	case s.config == "" && s.bin == "":
		return []*evidence.Provider{{Result: evidence.ProviderNone, Text: "the kubelet is started without credential providers"}}, nil, gaps
	}
	entries, err := k.providers(*s)
	var unread *unreadError
	switch {
	case errors.As(err, &unread) && !k.isAbsent(unread.path, unread.err):
		g := gapOf("the kubelet's credential providers", err.Error(), k.mountIt(unread.path))
		g.Deciding = true
		return nil, nil, append(gaps, g)
	case err != nil:
		return []*evidence.Provider{{Config: s.config, Path: s.bin, Result: evidence.ProviderBadConfig, Text: evidence.Clean(err.Error())}}, nil, gaps
	}
	gaps = append(gaps, k.changed(entries)...)
	if over := len(entries) - maxProviders; over > 0 {
		gaps = append(gaps, gapOf("the kubelet's credential providers", fmt.Sprintf("there are more than %d: %d were left out", maxProviders, over), ""))
		entries = entries[:maxProviders]
	}
	l := &looker{kubelet: k, bin: s.bin, repository: repository, wait: wait}
	for _, e := range entries {
		l.one(ctx, e)
	}
	creds, _ := keyring.Lookup(l.answers, cmp.Or(repository, "none"))
	return l.facts, creds, append(gaps, l.gaps...)
}

// looker gathers what is seen of the providers.
type looker struct {
	*kubelet
	bin        string
	repository string // empty: nothing is run
	wait       time.Duration

	facts []*evidence.Provider
	gaps  []evidence.Gap
	// answers are what providers returned, in their order: the kubelet puts all of it into one keyring, as it does with secrets.
	answers []keyring.Secret
}

// one looks at one provider. A run that was not as the kubelet's own proves only what went well.
func (l *looker) one(ctx context.Context, e entry) {
	p := &evidence.Provider{Name: show(e.Name), Path: filepath.Join(l.bin, e.Name), Config: e.file}
	for _, m := range e.MatchImages[:min(len(e.MatchImages), maxNames)] {
		p.Images = append(p.Images, show(m))
	}
	l.match(p, e)
	p.Result = evidence.ProviderNotAsked
	if p.Matches == evidence.No {
		l.facts = append(l.facts, p)
		return
	}
	result, text, gap := l.executable(p.Path)
	switch {
	case gap != "":
		l.gap(p, gap, l.mountIt(p.Path))
		return
	case result != "":
		p.Result, p.Text = result, text
	case l.repository == "":
	case e.wantsToken():
		p.Result = evidence.ProviderNeedsToken
		l.gap(p, "it wants a token of the pod's service account, which only the kubelet can ask for", "")
	default:
		if why, how := l.ask(ctx, p, e); why != "" {
			l.gap(p, why, how)
			return
		}
	}
	l.facts = append(l.facts, p)
}

// ask runs a provider and reads its answer; what it gives back is why that could not be done as the kubelet does it.
func (l *looker) ask(ctx context.Context, p *evidence.Provider, e entry) (why, how string) {
	request, err := requestFor(e.APIVersion, l.repository)
	if err != nil {
		return err.Error(), ""
	}
	got := l.run(ctx, command{path: p.Path, args: e.Args, env: l.environ(e), stdin: request, wait: l.wait})
	p.Took = got.took.Milliseconds()
	if got.gap != "" {
		return got.gap, ""
	}
	p.Result, p.Text = got.result, evidence.Clean(hide(got.text, l.secrets(e, got.stdout)))
	if p.Result == evidence.ProviderAnswered {
		auth, err := readResponse(got.stdout, e.APIVersion)
		if err != nil {
			p.Result, p.Text = evidence.ProviderMalformed, evidence.Clean(err.Error())
		} else {
			l.take(p, auth)
		}
	}
	if p.Result != evidence.ProviderAnswered && !l.envKnown {
		return fmt.Sprintf("it was run without the kubelet's own environment, which cannot be read from here, and that may be why: %s: %s",
			p.Result, cmp.Or(p.Text, p.Why, "no credentials")), seeEnv
	}
	return "", ""
}

// take keeps what a provider returned, and tells of it whom it is for.
func (l *looker) take(p *evidence.Provider, auth []byte) {
	s := keyring.Secret{Name: "the node's credential provider " + p.Name, Type: "kubernetes.io/dockerconfigjson",
		Data: map[string][]byte{".dockerconfigjson": auth}}
	l.answers = append(l.answers, s)
	creds, report := keyring.Lookup([]keyring.Secret{s}, l.repository)
	for _, e := range report.Entries[:min(len(report.Entries), maxNames)] {
		p.Keys = append(p.Keys, e.Key)
		if e.User != "" {
			p.Users = append(p.Users, e.User)
		}
	}
	for _, c := range creds {
		if c.Username != "" || c.Password != "" {
			return
		}
	}
	p.Result = evidence.ProviderEmpty
	switch {
	case len(report.Entries) == 0:
		p.Why = "its answer has no entry under auth"
	case len(creds) > 0:
		p.Why = "its answer has an entry for this image without user and password"
	default:
		e := report.Entries[0]
		p.Why, p.Near, p.Hint = "its answer is for "+e.Key+": "+e.Why, e.Near, e.Hint
	}
}

func (l *looker) gap(p *evidence.Provider, why, how string) {
	g := gapOf("what the credential provider "+p.Name+" hands out", why, how)
	g.Deciding = p.Matches == evidence.Yes
	l.gaps = append(l.gaps, g)
}

func gapOf(what, why, how string) evidence.Gap {
	return evidence.Gap{Vantage: evidence.Node, What: what, Why: evidence.Clean(why), How: how}
}

// show makes a name of a configuration fit for a sentence.
func show(text string) string {
	const most = 256
	text = evidence.Clean(text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
