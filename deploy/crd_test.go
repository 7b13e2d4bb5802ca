package deploy

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node"
)

// schema is the part of a JSON schema that the CRD uses.
type schema struct {
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	MaxLength  int               `json:"maxLength"`
	MaxItems   int               `json:"maxItems"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Keep       bool              `json:"x-kubernetes-preserve-unknown-fields"`
}

func crdSchema(t *testing.T) schema {
	t.Helper()
	data, err := files.ReadFile("agent/crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Group    string
			Names    struct{ Kind, Plural string }
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema schema }
			}
		}
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	s := crd.Spec
	got := []string{s.Group, s.Versions[0].Name, s.Names.Kind, s.Names.Plural}
	if diff := cmp.Diff([]string{v1alpha1.Group, v1alpha1.Version, v1alpha1.NodeProbeKind, v1alpha1.NodeProbeResource}, got); diff != "" {
		t.Error(diff)
	}
	return s.Versions[0].Schema.OpenAPIV3Schema
}

// TestCRDFollowsTypes holds the schema to the Go types: a field that it lacks would be dropped by the API server without a word.
func TestCRDFollowsTypes(t *testing.T) {
	t.Parallel()
	s := crdSchema(t)
	same(t, "", s, reflect.TypeFor[v1alpha1.NodeProbe]())

	var want []string
	for _, c := range node.Checks() {
		want = append(want, string(c))
	}
	spec := s.Properties["spec"].Properties
	if diff := cmp.Diff(want, spec["checks"].Items.Enum); diff != "" {
		t.Errorf("the checks are package node's: %s", diff)
	}
	phases := []string{string(v1alpha1.ProbeRunning), string(v1alpha1.ProbeDone), string(v1alpha1.ProbeRefused)}
	if diff := cmp.Diff(phases, s.Properties["status"].Properties["phase"].Enum); diff != "" {
		t.Error(diff)
	}
}

func same(t *testing.T, path string, s schema, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	kinds := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Slice: "array", reflect.Struct: "object"}
	if typ == reflect.TypeFor[metav1.Time]() {
		if s.Type != "string" || s.Format != "date-time" {
			t.Errorf("%s: a time is a string of format date-time", path)
		}
		return
	}
	if want := kinds[typ.Kind()]; s.Type != want || want == "" {
		t.Errorf("%s: %q in the schema, %s in Go", path, s.Type, typ)
		return
	}
	switch typ.Kind() {
	case reflect.String:
		if s.MaxLength == 0 && path != ".apiVersion" && path != ".kind" {
			t.Errorf("%s has no maxLength", path)
		}
	case reflect.Slice:
		if s.MaxItems == 0 {
			t.Errorf("%s has no maxItems", path)
		}
		same(t, path+"[]", *s.Items, typ.Elem())
	case reflect.Struct:
		sameFields(t, path, s, typ)
	}
}

func sameFields(t *testing.T, path string, s schema, typ reflect.Type) {
	t.Helper()
	foreign := typ == reflect.TypeFor[metav1.ObjectMeta]() || typ.PkgPath() == reflect.TypeFor[evidence.Fact]().PkgPath()
	if s.Keep && !foreign {
		t.Errorf("%s: only evidence's own types are kept without a schema", path)
	}
	if foreign {
		return
	}
	left := map[string]bool{}
	for name := range s.Properties {
		left[name] = true
	}
	for _, f := range fields(typ) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p, ok := s.Properties[name]
		if !ok {
			t.Errorf("%s.%s is not in the schema", path, name)
			continue
		}
		delete(left, name)
		if must := !strings.Contains(options, "omit"); must != slices.Contains(s.Required, name) {
			t.Errorf("%s.%s: required or not?", path, name)
		}
		same(t, path+"."+name, p, f.Type)
	}
	for name := range left {
		t.Errorf("%s.%s is in the schema and not in Go", path, name)
	}
}

// fields are a struct's, with those of what is inline in it.
func fields(typ reflect.Type) []reflect.StructField {
	var all []reflect.StructField
	for i := range typ.NumField() {
		if f := typ.Field(i); strings.Contains(f.Tag.Get("json"), ",inline") {
			all = append(all, fields(f.Type)...)
		} else {
			all = append(all, f)
		}
	}
	return all
}
