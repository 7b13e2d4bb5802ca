package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/refloat-dev/refloat/test/cluster"
)

// registries is what the registry vantage point was measured to take.
type registries struct {
	rounds   int
	machine  string
	revision string
	probing  *probing
	checked  []checked
}

// onRegistries measures the registry vantage point on a lab of its own, whose every pod fails.
func onRegistries(ctx context.Context, progs programs, o options) (*registries, error) {
	lab, err := cluster.Up(ctx, cluster.Config{Name: "bench-registry", Bare: true, Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	r := &registries{rounds: o.rounds, machine: machine(), revision: revision(ctx)}
	err = r.measure(ctx, bench{lab: lab, progs: progs, rounds: o.rounds})
	return r, errors.Join(err, lab.Down(context.WithoutCancel(ctx)))
}

func (r *registries) measure(ctx context.Context, b bench) error {
	f, err := clientsOf(b.lab, os.Stderr)
	if err != nil {
		return err
	}
	shelves, err := f.fillPairs(ctx)
	if err != nil {
		return err
	}
	if err := f.stockPublic(ctx); err != nil {
		return err
	}
	if r.probing, err = b.probing(ctx, shelves); err != nil {
		return fmt.Errorf("why: %w", err)
	}
	for _, by := range []time.Duration{0, checkLate} {
		c, err := b.public(ctx, by)
		if err != nil {
			return fmt.Errorf("check: %w", err)
		}
		r.checked = append(r.checked, c)
	}
	return nil
}
