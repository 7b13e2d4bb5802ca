package probe

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/wire"
)

type (
	loginKey   struct{ domain, user, password string }
	sessionKey struct {
		login      *login
		repository string
	}
	askKey struct {
		session      *session
		method, path string
		maxBody      int64 // what is read for its reason alone is cut short
	}
	contentKey struct {
		host   *host
		digest digest.Digest
	}
)

// session is one login asking about one repository. It keeps the token.
type session struct {
	w          *Walker
	host       *host
	login      *login
	repository string
	address    string
	// lines are the wire's sessions that nobody uses: one, and as many as ask for layers once there are layers.
	lines  chan *wire.Session
	spread sync.Once
	before time.Time // when an earlier run was refused here
}

// session finds or starts the one for a target and a credential; nil and an empty credential are the same.
func (w *Walker) session(t target, c *keyring.Credential) *session {
	client := w.wire()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hosts == nil {
		w.hosts, w.logins, w.sessions = map[string]*host{}, map[loginKey]*login{}, map[sessionKey]*session{}
	}
	h := w.hosts[t.domain]
	if h == nil {
		h = newHost()
		w.hosts[t.domain] = h
	}
	lk := loginKey{domain: t.domain}
	if !anonymous(c) {
		lk.user, lk.password = c.Username, c.Password
	}
	l := w.logins[lk]
	if l == nil {
		l = newLogin(t.domain, c)
		l.before = w.recall(l, "")
		w.logins[lk] = l
	}
	sk := sessionKey{l, t.repository}
	s := w.sessions[sk]
	if s == nil {
		line := client.Session(t.domain, t.repository, l.credential())
		s = &session{w: w, host: h, login: l, repository: t.repository, address: line.Host(), before: w.recall(l, t.repository)}
		s.lines = make(chan *wire.Session, layersAtOnce)
		s.lines <- line
		w.sessions[sk] = s
	}
	return s
}

// answer is what came of one ask, read. It is shared and never changed.
type answer struct {
	steps []evidence.Step
	// skipped is why no request was made.
	skipped string
	ok      bool
	// refused is set where the registry does not take the login: nothing more is to be asked with it.
	refused bool
	// digest is what the registry says that the answer has, as it came.
	digest string
	// The others are what reading the body gave.
	doc      *document
	err      error
	platform string
	tags     []string
	more     bool
}

func (a answer) last() evidence.Step {
	if len(a.steps) == 0 {
		return evidence.Step{}
	}
	return a.steps[len(a.steps)-1]
}

const stopped = "the run ended before it was asked"

// ask asks once in a run, and reads the body with read where there is one to read.
func (s *session) ask(ctx context.Context, q wire.Ask, read func(*answer, wire.Answer)) answer {
	stale := func(a answer) bool {
		return a.last().Status == http.StatusTooManyRequests && s.host.closed(s.w.now()) == ""
	}
	a, ok := s.w.asked.do(ctx, askKey{s, q.Method, q.Path, q.MaxBody}, stale, func() (answer, bool) {
		a := s.request(ctx, q, read)
		return a, a.skipped == "" && ctx.Err() == nil
	})
	if !ok {
		return answer{skipped: stopped}
	}
	return a
}

func (s *session) request(ctx context.Context, q wire.Ask, read func(*answer, wire.Answer)) answer {
	line, ok := s.line(ctx)
	if !ok {
		return answer{skipped: stopped}
	}
	defer func() { s.lines <- line }()
	var skipped string
	got, how, ok := s.login.use(ctx, func() wire.Answer {
		if !s.host.enter(ctx) {
			skipped = stopped
			return wire.Answer{}
		}
		defer s.host.leave()
		if skipped = s.host.closed(s.w.now()); skipped != "" {
			return wire.Answer{}
		}
		a := do(ctx, line, q)
		for _, st := range a.Steps {
			if st.Status == http.StatusTooManyRequests {
				s.host.limit(st)
			}
		}
		return a
	})
	if !ok || skipped != "" {
		return answer{skipped: cmp.Or(skipped, stopped)}
	}
	s.remember(how)
	a := answer{steps: got.Steps, ok: got.OK() && how != repeated, refused: how == refusedLogin || how == repeated}
	if a.ok {
		a.digest = got.Header.Get("Docker-Content-Digest")
	}
	if a.ok && read != nil {
		read(&a, got)
	}
	return a
}

func do(ctx context.Context, line *wire.Session, q wire.Ask) wire.Answer {
	if q.Step == evidence.StepPing {
		return line.Ping(ctx)
	}
	return line.Do(ctx, q)
}

// line takes one that nobody uses; false means that ctx ended first.
func (s *session) line(ctx context.Context) (*wire.Session, bool) {
	select {
	case l := <-s.lines:
		return l, true
	case <-ctx.Done():
		return nil, false
	}
}

// widen makes a line for each who asks for layers, so that they go at once with the one token.
func (s *session) widen(ctx context.Context) {
	l, ok := s.line(ctx)
	if !ok {
		return
	}
	s.spread.Do(func() {
		for range layersAtOnce - 1 {
			s.lines <- l.Fork()
		}
	})
	s.lines <- l
}

// remember passes a refusal on to later runs.
func (s *session) remember(how outcome) {
	if s.w.Refusals == nil {
		return
	}
	switch how {
	case refusedLogin:
		s.w.Refusals.Remember(s.login.key(""))
	case refusedHere:
		s.w.Refusals.Remember(s.login.key(s.repository))
	}
}

// refusedBefore says that an earlier run was refused; empty where none was.
func (s *session) refusedBefore() string {
	now := s.w.now()
	for _, at := range []time.Time{s.login.before, s.before} {
		if !at.IsZero() && !at.After(now) && now.Sub(at) < refusalLife {
			return ago(now.Sub(at))
		}
	}
	return ""
}

// recall asks once, before this run tries a credential, when an earlier one was refused with it.
func (w *Walker) recall(l *login, repository string) time.Time {
	if w.Refusals == nil || l.user == "" {
		return time.Time{}
	}
	at, _ := w.Refusals.Refused(l.key(repository))
	return at
}
