// Package observe runs the sources that fill cases with facts, one vantage
// point after the other.
//
// It decides nothing about causes, and it never drops a case: a source that
// fails leaves a Gap on each case instead.
package observe

import (
	"context"
	"fmt"

	"github.com/refloat-dev/refloat/evidence"
)

// Source adds facts to cases. It builds on the facts that earlier sources left,
// does work that cases share once, and leaves a Gap for what it could not see.
// An error means that the source saw nothing at all.
type Source interface {
	Observe(ctx context.Context, cases []*evidence.Case) error
}

// Named is a source and the vantage point it speaks for.
type Named struct {
	Vantage evidence.Vantage
	Source  Source
}

// Run asks the sources in the order given: api, registry, node.
func Run(ctx context.Context, cases []*evidence.Case, sources ...Named) error {
	for _, s := range sources {
		err := s.Source.Observe(ctx, cases)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return fmt.Errorf("observing from the %s vantage point: %w", s.Vantage, ctx.Err())
		}
		for _, c := range cases {
			c.Gaps = append(c.Gaps, evidence.Gap{
				Vantage: s.Vantage, What: "the " + string(s.Vantage) + " vantage point", Why: err.Error(), Deciding: true,
			})
		}
	}
	return nil
}
