package agent

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
)

// maxItems bounds facts, and gaps: the CRD takes a few more.
const maxItems = 1000

// pack makes facts and gaps fit for a status: this node's, redacted, what tells most first, and of MaxEvidence bytes at
// most. Lists are cut before facts are, and what was cut is counted.
func (a *agent) pack(facts []*evidence.Fact, gaps []evidence.Gap) *v1alpha1.Evidence {
	out := &v1alpha1.Evidence{Gaps: slices.Clone(gaps)}
	for _, f := range facts {
		f := *clone(f) // what is shared is not changed
		f.Vantage, f.Where = evidence.Node, a.Node
		out.Facts = append(out.Facts, &f)
	}
	evidence.EachText(out, evidence.Clean)
	slices.SortStableFunc(out.Facts, func(x, y *evidence.Fact) int { return cmp.Compare(rank(x), rank(y)) })
	if over := len(out.Facts) - maxItems; over > 0 {
		out.Facts, out.Cut = out.Facts[:maxItems], out.Cut+over
	}
	if over := len(out.Gaps) - maxItems; over > 0 {
		out.Gaps, out.Cut = out.Gaps[:maxItems], out.Cut+over
	}
	for _, most := range []limits{{100, 4 << 10}, {40, 2 << 10}, {20, 1 << 10}, {10, 512}, {5, 256}} {
		if size(out) <= v1alpha1.MaxEvidence {
			return out
		}
		for _, f := range out.Facts {
			out.Cut += most.cut(reflect.ValueOf(f))
		}
	}
	for len(out.Facts) > 1 && size(out) > v1alpha1.MaxEvidence {
		out.Facts = out.Facts[:len(out.Facts)-1]
		out.Cut++
	}
	for len(out.Gaps) > 0 && size(out) > v1alpha1.MaxEvidence {
		out.Gaps = out.Gaps[:len(out.Gaps)-1]
		out.Cut++
	}
	return out
}

func clone(f *evidence.Fact) *evidence.Fact {
	out := new(evidence.Fact)
	raw, err := json.Marshal(f)
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return &evidence.Fact{Text: f.Text, Source: f.Source, Time: f.Time}
	}
	return out
}

func size(e *v1alpha1.Evidence) int {
	raw, err := json.Marshal(e)
	if err != nil {
		return 0
	}
	return len(raw)
}

// rank puts first what fails, and among the rest what tells most in few bytes.
func rank(f *evidence.Fact) int {
	switch {
	case evidence.Fault(f):
		return 0
	case f.Host != nil, f.RegistryConfig != nil, f.Runtime != nil, f.NodePull != nil:
		return 1
	case f.Downloads != nil, f.Provider != nil, f.Disk != nil:
		return 2
	}
	return 3
}

// limits are how long a list and a text may be.
type limits struct{ items, text int }

// cut shortens lists and texts in v and counts what it left out. A list keeps its end too: the last step is where it stopped.
func (m limits) cut(v reflect.Value) int {
	n := 0
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n = m.cut(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				n += m.cut(v.Field(i))
			}
		}
	case reflect.Slice:
		if over := v.Len() - m.items; over > 0 {
			n += over
			v.Index(m.items - 1).Set(v.Index(v.Len() - 1))
			v.SetLen(m.items)
		}
		for i := range v.Len() {
			n += m.cut(v.Index(i))
		}
	case reflect.String:
		if s := v.String(); len(s) > m.text {
			n++
			v.SetString(strings.ToValidUTF8(s[:m.text], "") + " … [cut]")
		}
	}
	return n
}
