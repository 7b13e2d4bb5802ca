package probe

import (
	"context"
	"net/http"

	"github.com/refloat-dev/refloat/registry/wire"
)

// pinger asks for a registry's root without answering its challenge.
type pinger interface {
	Ping(ctx context.Context) wire.Answer
}

// learner answers a challenge that the same registry gave elsewhere, before anything is asked.
type learner interface{ Learn(header http.Header) }

// forker makes a session for one more goroutine, with the token that there is.
type forker interface{ Fork() *wire.Session }

func ping(ctx context.Context, s *wire.Session, q wire.Ask) wire.Answer {
	if p, ok := any(s).(pinger); ok {
		return p.Ping(ctx)
	}
	return s.Do(ctx, q)
}

func start(s *wire.Session, header http.Header) {
	if l, ok := any(s).(learner); ok {
		l.Learn(header)
	}
}

func fork(s *wire.Session) *wire.Session {
	if f, ok := any(s).(forker); ok {
		return f.Fork()
	}
	return nil
}
