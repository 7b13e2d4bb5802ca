package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/test/cluster"
)

// asked is what registries were asked while a program ran, by their own log, sorted by what it was for.
type asked struct {
	// manifests counts tag lists too, blobs configs and layers, and other what was asked to find something else.
	pings, manifests, tokens, blobs, other int
	// mostOfBlob is how often a single config or layer was asked for.
	mostOfBlob int
	// settled is from the first request to the answer to the last that a verdict needs; whole counts also what was asked to find something else.
	settled, whole time.Duration
}

func (a asked) all() int { return a.pings + a.manifests + a.tokens + a.blobs + a.other }

// since is the registries' log from a moment on.
func since(ctx context.Context, lab *cluster.Lab, begin time.Time) ([]registrytest.Entry, error) {
	log, err := lab.Requests(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(log, func(e registrytest.Entry) bool { return e.Time.Before(begin) }), nil
}

// sorted sorts a log by what the shelves have; late is how long each answer was held back. What lies on no shelf was asked for to
// find something else.
func sorted(log []registrytest.Entry, shelves map[string]shelf, late time.Duration) asked {
	var a asked
	if len(log) == 0 {
		return a
	}
	first, blobs := log[0].Time, map[string]int{}
	for _, e := range log {
		at := e.Host + "/" + e.Repository
		s, known := shelves[at]
		switch {
		case e.Step == registrytest.StepPing:
			a.pings++
		case known && e.Step == registrytest.StepToken:
			a.tokens++
		case s.tags && e.Step == registrytest.StepTags, known && e.Step == registrytest.StepManifest && s.own[e.Object]:
			a.manifests++
		case known && e.Step == registrytest.StepBlob && s.own[e.Object]:
			a.blobs++
			blobs[at+"@"+e.Object]++
			a.mostOfBlob = max(a.mostOfBlob, blobs[at+"@"+e.Object])
		default:
			a.other++
			a.whole = e.Time.Sub(first) + late
			continue
		}
		a.whole = e.Time.Sub(first) + late
		a.settled = a.whole
	}
	return a
}

// course is a log in one line, for whoever looks for a request to save.
func course(log []registrytest.Entry) string {
	var out []string
	for _, e := range log {
		object, _, _ := strings.Cut(e.Object, ":")
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %d", e.Method, e.Step, object, e.Scheme, e.Status)), " "))
	}
	return strings.Join(out, "; ")
}
