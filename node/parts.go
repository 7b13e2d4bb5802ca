package node

import (
	"context"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/cri"
	"github.com/refloat-dev/refloat/node/disk"
	"github.com/refloat-dev/refloat/node/store"
	"github.com/refloat-dev/refloat/registry/keyring"
)

func (l *look) content(ctx context.Context, probe *evidence.Probe) {
	s := l.store(ctx)
	if s == nil {
		return
	}
	o := store.Options{Platform: l.q.Platform, Verify: l.q.Verify, Rate: l.q.Rate, Digest: served(probe)}
	c, gaps := s.Look(ctx, l.q.Image, o)
	l.gap(gaps...)
	l.add(CheckContent, sayContent(c), "content store "+l.runtime.Root, evidence.Fact{Content: c})
}

// served is the digest under which the registry serves the image; empty where it was not seen.
func served(p *evidence.Probe) string {
	if p == nil {
		return ""
	}
	for _, a := range p.Attempts {
		if a.Found != nil && a.Found.Digest != "" {
			return a.Found.Digest
		}
	}
	return ""
}

func (l *look) downloads(ctx context.Context) {
	s := l.store(ctx)
	if s == nil {
		return
	}
	d, gaps := s.Downloads(ctx, l.q.Image, 0)
	l.gap(gaps...)
	l.add(CheckDownloads, sayDownloads(d, l.at), "downloads of "+l.runtime.Root, evidence.Fact{Downloads: d})
}

// store opens the store once for all looks, and again where the runtime was started anew or did not answer before.
func (l *look) store(ctx context.Context) *store.Store {
	l.Engine.mu.Lock()
	defer l.Engine.mu.Unlock()
	was := l.stores[l.runtime.Root]
	if was != nil && was.Current(l.runtime) {
		return was
	}
	s, err := store.Open(ctx, l.Host, l.runtime)
	if err != nil {
		l.gap(evidence.Gap{Vantage: evidence.Node, What: "stored content on " + l.Name, Why: err.Error()})
		return nil
	}
	if was != nil {
		s.GoOn(was)
		_ = was.Close() // looks that still use it are of a runtime that is gone
	}
	if l.stores == nil {
		l.stores = map[string]*store.Store{}
	}
	l.stores[l.runtime.Root] = s
	return s
}

func (l *look) disk(ctx context.Context, probe *evidence.Probe) {
	c := l.dial(ctx)
	if c != nil {
		defer func() { _ = c.Close() }()
	}
	d, gaps := disk.Look(ctx, l.Host, l.runtime, c, disk.Need(probe))
	l.gap(gaps...)
	l.add(CheckDisk, sayDisk(d), "filesystems", evidence.Fact{Disk: d})
}

func (l *look) dial(ctx context.Context) *cri.Client {
	c, err := cri.Dial(ctx, l.Host, l.runtime.Socket)
	if err != nil {
		return nil // health says so
	}
	return c
}

// pull tries a real pull with each credential, as the kubelet does: without one where there is none.
func (l *look) pull(ctx context.Context) {
	c := l.dial(ctx)
	if c == nil {
		l.gap(evidence.Gap{Vantage: evidence.Node, What: "a real pull on " + l.Name, Why: "the runtime does not answer at " + l.runtime.Socket, Deciding: true})
		return
	}
	defer func() { _ = c.Close() }()
	tries := []*keyring.Credential{nil}
	if len(l.q.Credentials) > 0 {
		tries = nil
		for i := range l.q.Credentials {
			tries = append(tries, &l.q.Credentials[i])
		}
	}
	for _, cred := range tries {
		p, err := c.Pull(ctx, l.q.Image, cred)
		if err != nil {
			l.gap(evidence.Gap{Vantage: evidence.Node, What: "a real pull on " + l.Name, Why: err.Error(), Deciding: true})
			return
		}
		l.add(checkPull, sayPull(p), "CRI PullImage", evidence.Fact{NodePull: p})
		if p.OK {
			return
		}
	}
}
