package path

import (
	"net/http"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// What containerd waits (C24 core/remotes/docker/registry.go:254), and how often it asks the last of its hosts again where nothing
// answered (resolver.go:776, 826).
const (
	runtimeDial      = 30 * time.Second
	runtimeHandshake = 10 * time.Second
	runtimeAnswer    = 30 * time.Second
	runtimeAttempts  = 5
	layersAtOnce     = 3
	systemDial       = 127 * time.Second // the kernel's patience, where the configuration sets no bound
	// muchWait is from where waiting is told.
	muchWait = time.Second
)

// costs is what a pull would wait for at a host: at each of its requests for a mirror, since the runtime begins with the first host anew for every
// part of an image, and five times at the last host, after which it fails. A host that refuses at once costs nothing.
func (v *visit) costs(image parts, last bool) time.Duration {
	requests := 3 + (max(image.layers, 1)+layersAtOnce-1)/layersAtOnce // HEAD, manifest, config, layers
	if image.index {
		requests++
	}
	var each time.Duration
	waits := v.h.Failure == evidence.FailedTimeout
	switch {
	case waits && v.h.Fails == evidence.HopConnect:
		each = v.patience
	case waits && v.h.Fails == evidence.HopTLS:
		each = runtimeHandshake
	case waits && v.h.Fails == evidence.HopHTTP:
		each = runtimeAnswer
	case v.h.Answer != nil:
		each = time.Duration(v.h.Answer.Took.Total) * time.Millisecond
	}
	if n := len(v.h.Names); n > 0 {
		each += time.Duration(v.h.Names[n-1].Took) * time.Millisecond // resolvers that do not answer
		waits = waits || v.h.Names[n-1].Result == evidence.DNSTimeout
	}
	if waits && last {
		requests = runtimeAttempts
	}
	if each < muchWait && !waits {
		return 0 // what is slow by a little is so for everybody
	}
	return each * time.Duration(requests)
}

// show marks the host whose error the runtime reports where none serves the image: containerd 1.x's is the first that is no 404, and
// 2.x's the first of those that came furthest (C24 core/remotes/docker/resolver.go:289; tried with both).
func show(hosts []*evidence.Host, p *evidence.Probe, version string) {
	var at *evidence.Host
	best := 0
	first := strings.HasPrefix(strings.TrimPrefix(version, "v"), "1.")
	for _, h := range hosts {
		if h.Order == 0 {
			continue
		}
		r := rank(h, p)
		if first && r != notFound && r != served {
			r = refused // all of them alike, so that the first one stays
		}
		if at == nil || r > best {
			at, best = h, r
		}
	}
	if at == nil {
		return
	}
	if onward := blame(hosts, at, p); onward != nil {
		onward.Shown = true
		return
	}
	at.Shown = best != served
}

// blame is the host that another one sends on to, where the registry's last request ended there: the runtime names that one (2.1 and later for
// storage).
func blame(hosts []*evidence.Host, at *evidence.Host, p *evidence.Probe) *evidence.Host {
	if at.Role != evidence.RoleRegistry || p == nil || len(p.Attempts) == 0 {
		return nil
	}
	a := p.Attempts[len(p.Attempts)-1]
	if a.Served || len(a.Steps) == 0 {
		return nil
	}
	last := a.Steps[len(a.Steps)-1]
	for _, h := range hosts {
		if h.Order == 0 && h.Fails != "" && (h.Role == evidence.RoleToken) == (last.Name == evidence.StepToken) {
			return h
		}
	}
	return nil
}

// How far asking a host came.
const (
	unanswered = iota + 1
	notFound
	refused
	served
)

func rank(h *evidence.Host, p *evidence.Probe) int {
	answer := h.Answer
	if h.Role == evidence.RoleRegistry && h.Fails == "" {
		if p == nil || len(p.Attempts) == 0 {
			return served // it is there, and what it says of the image is not known
		}
		last := p.Attempts[len(p.Attempts)-1]
		if last.Served || last.Found != nil || len(last.Steps) == 0 {
			return served
		}
		answer = &last.Steps[len(last.Steps)-1]
	}
	switch {
	case answer == nil || answer.Status == 0:
		return unanswered
	case answer.Status == http.StatusUnauthorized && h.Role == evidence.RoleMirror:
		return served // it asks for a login or a token, and what it says to one is not known
	case answer.Status == http.StatusNotFound:
		return notFound
	case answer.Status >= 400:
		return refused
	case h.Fails != "":
		return unanswered
	}
	return served
}
