package manifest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/kube/manifest"
)

// lines shows a set in short, one image a line.
func lines(s *manifest.Set) []string {
	var out []string
	for _, i := range s.Images {
		line := fmt.Sprintf("%d %s %s", i.Place.Line, i.Kind, i.Reference)
		for _, part := range [][2]string{
			{"in", i.Container + i.Volume}, {"policy", i.Policy}, {"of", i.Place.Object.Kind + "/" + i.Place.Object.Name}, {"ns", i.Pod.Namespace},
			{"sa", i.Pod.ServiceAccount}, {"secrets", strings.Join(i.Pod.PullSecrets, "+")}, {"os", i.Pod.OS},
		} {
			if part[1] != "" {
				line += " " + part[0] + "=" + part[1]
			}
		}
		out = append(out, line)
	}
	for _, l := range s.Later {
		out = append(out, fmt.Sprintf("%d later %s: %s", l.Place.Line, l.Reference, l.Why))
	}
	return out
}

func read(text string) (*manifest.Set, error) {
	return manifest.Files(strings.NewReader(text), []string{"-"})
}

func TestHelmOutput(t *testing.T) {
	t.Parallel()
	s, err := manifest.Files(nil, []string{"testdata/helm.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"62 init reg.lab/shop/migrate:1.4.0 in=migrate policy=IfNotPresent of=Deployment/shop sa=shop",
		"68 container reg.lab/shop/web:1.4.0 in=shop policy=Always of=Deployment/shop sa=shop",
		"74 container quay.io/prometheus/statsd-exporter:v0.27.2 in=metrics of=Deployment/shop sa=shop",
		"78 volume reg.lab/shop/models:7 in=models policy=IfNotPresent of=Deployment/shop sa=shop",
		"106 container busybox in=wget of=Pod/shop-test-connection",
	}
	if diff := cmp.Diff(want, lines(s)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	p := s.Images[0].Pod
	if p.NodeSelector["kubernetes.io/arch"] != "arm64" || p.Required == nil || len(p.Required.NodeSelectorTerms) != 1 || len(p.Tolerations) != 1 {
		t.Errorf("placement %+v", p)
	}
	if len(s.Accounts) != 1 || s.Accounts[0].ImagePullSecrets[0].Name != "shop-regcred" {
		t.Errorf("accounts %+v", s.Accounts)
	}
	if len(s.Secrets) != 1 || string(s.Secrets[0].Data[".dockerconfigjson"]) != `{"auths":{"reg.lab":{"auth":"dTpw"}}}` {
		t.Errorf("%d secrets, or the data differs", len(s.Secrets))
	}
}

func TestKustomizeOutput(t *testing.T) {
	t.Parallel()
	s, err := manifest.Files(nil, []string{"testdata/kustomize.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"19 container reg.lab/imaging/report@sha256:" + strings.Repeat("a", 64) + " in=report of=CronJob/nightly ns=imaging secrets=first+second",
		"36 container reg.lab/imaging/scanner:3.0 in=app of=DaemonSet/scanner ns=imaging",
	}
	if diff := cmp.Diff(want, lines(s)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !s.Images[1].Pod.OwnSecrets || len(s.Images[1].Pod.PullSecrets) != 0 {
		t.Error("an empty name in imagePullSecrets keeps the service account's out, and names nothing")
	}
	if len(s.Promised) != 1 || s.Promised[0].Name != "second" || s.Promised[0].By != "ExternalSecret regcred-source" {
		t.Errorf("promised %+v", s.Promised)
	}
}

// TestKinds has one object for each place in which a kind keeps its pods.
func TestKinds(t *testing.T) {
	t.Parallel()
	const c = "containers: [{name: a, image: i:1}]"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"pod template", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: x}\ntemplate: {spec: {" + c + "}}", []string{"4 container i:1 in=a of=PodTemplate/x"}},
		{"replication controller", "apiVersion: v1\nkind: ReplicationController\nspec: {template: {spec: {" + c + "}}}", []string{"3 container i:1 in=a of=ReplicationController/"}},
		{"debug container", "apiVersion: v1\nkind: Pod\nspec: {ephemeralContainers: [{name: d, image: e:1}]}", []string{"3 ephemeral e:1 in=d of=Pod/"}},
		{"rollout", "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {template: {spec: {" + c + "}}}", []string{"3 container i:1 in=a of=Rollout/"}},
		{"knative service", "apiVersion: serving.knative.dev/v1\nkind: Service\nspec: {template: {spec: {" + c + "}}}", []string{"3 container i:1 in=a of=Service/"}},
		{"deployment config", "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nspec: {template: {spec: {" + c + "}}}", []string{"3 container i:1 in=a of=DeploymentConfig/"}},
		{"job set", "apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nspec: {replicatedJobs: [{template: {spec: {template: {spec: {" + c + "}}}}}]}", []string{"3 container i:1 in=a of=JobSet/"}},
		{"leader and workers", "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet\nspec: {leaderWorkerTemplate: {size: 2, workerTemplate: {spec: {" + c + "}}}}", []string{"3 container i:1 in=a of=LeaderWorkerSet/"}},
		{"prometheus", "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nspec: {image: p:1, serviceAccountName: prom, " + c + "}",
			[]string{"3 container p:1 of=Prometheus/ sa=prom", "3 container i:1 in=a of=Prometheus/ sa=prom"}},
		{"workflow", `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: build-}
spec:
  serviceAccountName: builder
  imagePullSecrets: [{name: regcred}]
  templates:
  - name: compile
    container: {image: go:1}
  - name: loop
    serviceAccountName: other
    script: {image: sh:1, source: echo}
    sidecars: [{name: db, image: db:1}]
  - name: given
    container: {image: "{{inputs.parameters.image}}"}
`, []string{
			"9 container go:1 of=Workflow/build- sa=builder secrets=regcred",
			"12 container sh:1 of=Workflow/build- sa=other secrets=regcred",
			"13 container db:1 in=db of=Workflow/build- sa=other secrets=regcred",
			"15 later {{inputs.parameters.image}}: a parameter of the Workflow",
		}},
		{"cron workflow", "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nspec: {workflowSpec: {templates: [{container: {image: i:1}}]}}", []string{"3 container i:1 of=CronWorkflow/"}},
		{"task", "apiVersion: tekton.dev/v1\nkind: Task\nspec: {steps: [{name: s, image: s:1}, {image: $(params.image)}], sidecars: [{image: c:1}]}",
			[]string{"3 container s:1 in=s of=Task/", "3 container c:1 of=Task/", "3 later $(params.image): a parameter of the Task"}},
		{"task run", "apiVersion: tekton.dev/v1\nkind: TaskRun\nspec:\n  serviceAccountName: ci\n  podTemplate: {imagePullSecrets: [{name: r}]}\n  taskSpec: {steps: [{image: s:1}]}",
			[]string{"6 container s:1 of=TaskRun/ sa=ci secrets=r"}},
		{"unknown kind", "apiVersion: example.com/v1\nkind: Gadget\nspec: {podTemplate: {spec: {" + c + "}}}", []string{"3 container i:1 in=a of=Gadget/"}},
		{"unknown kind without pods", "apiVersion: example.com/v1\nkind: Gadget\nspec: {image: i:1, containers: [{image: i:1}]}", nil},
		{"policy with a pattern", "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {rules: [{validate: {pattern: {spec: {containers: [{image: '*:*'}]}}}}]}", nil},
		{"list", `{"apiVersion": "v1", "kind": "List", "items": [
 {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "n"},
  "spec": {"containers": [
   {"name": "c",
    "image": "i:1"}]}}]}`, []string{"5 container i:1 in=c of=Pod/a ns=n"}},
		{"JSON objects one after the other", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"a:1\"}]}}\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"b\\/c:1\",\"name\":\"\\ud83d\\ude00\"}]}}\n",
			[]string{"1 container a:1 of=Pod/", "2 container b/c:1 in=😀 of=Pod/"}},
		{"flow mapping that is no JSON", "{apiVersion: v1, kind: Pod, spec: {containers: [{image: a:1}]}}", []string{"1 container a:1 of=Pod/"}},
		{"openshift template", "apiVersion: template.openshift.io/v1\nkind: Template\nobjects:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: 'a:${TAG}'}]}}", []string{"4 later a:${TAG}: a variable that nobody has filled in"}},
		{"anchors and merges", `apiVersion: v1
kind: Pod
metadata: {annotations: {a: &img reg.lab/a:1}}
spec:
  initContainers: [&base {name: i, image: *img, imagePullPolicy: Always}]
  containers:
  - <<: *base
    name: m
  - <<: [*base]
    image: reg.lab/b:1
`, []string{
			"5 init reg.lab/a:1 in=i policy=Always of=Pod/",
			"5 container reg.lab/a:1 in=m policy=Always of=Pod/",
			"10 container reg.lab/b:1 in=i policy=Always of=Pod/",
		}},
		{"windows", "apiVersion: v1\nkind: Pod\nspec: {os: {name: windows}, " + c + "}", []string{"3 container i:1 in=a of=Pod/ os=windows"}},
		{"istio's gateway", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: istio-proxy, image: auto}]}}}", []string{"3 later auto: a webhook puts it in when the pod is made"}},
		{"a patch names no image", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a}, null]}}}", nil},
		{"a credential in the reference", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'bob:hunter2@reg.lab/a:1'}]}", []string{"3 container REDACTED@reg.lab/a:1 of=Pod/"}},
		{"values of a chart", "image:\n  repository: nginx\n", nil},
		{"nothing", "# nothing\n---\n---\n", nil},
		{"CRLF and a byte order mark", "\ufeffapiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: a:1\r\n", []string{"5 container a:1 of=Pod/"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := read(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, lines(s)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// bomb is nine aliases of nine aliases of …
func bomb() string {
	text := "apiVersion: v1\nkind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return text
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const list = `{"apiVersion":"v1","kind":"List","items":[`
	tests := []struct{ name, text, what, do string }{
		{"bad YAML", "apiVersion: v1\nkind: Pod\nspec: a: b\n", "standard input:3: it does not parse: mapping values are not allowed in this context", "leave this one out"},
		{"bad JSON", "{\"apiVersion\": \"v1\",\n \"kind\": }\n", "standard input:2: it does not parse: invalid character '}'", "leave this one out"},
		{"JSON cut off", "{\"apiVersion\": \"v1\",\n \"kind\": \"Pod\"\n", "standard input:2: it does not parse: unexpected EOF", "leave"},
		{"template", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n", "standard input:4: it is a template that nobody has rendered", "helm template … | kubectl refloat check -f -"},
		{"template with control lines", "{{- if .Values.on }}\napiVersion: v1\nkind: Pod\n{{- end }}\n", "it is a template that nobody has rendered", "helm template"},
		{"template in quotes", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: \"{{ .Values.image }}\"\n", `standard input:5: the image "{{ .Values.image }}" is a template`, "helm template"},
		{"kustomization", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n", "it is a kustomization", "kubectl kustomize DIR"},
		{"bomb", bomb(), "the aliases stand for too much", "leave"},
		{"cycle", "a: &a [*a]\n", "an alias names what it is a part of", "leave"},
		{"deep", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "too deep", "leave"},
		{"deep JSON", `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "too deep", "leave"},
		{"lists in lists", strings.Repeat(list, 8) + strings.Repeat("]}", 8), "lists stand in lists too deep", "leave"},
		{"affinity that is none", "apiVersion: v1\nkind: Pod\nspec:\n  affinity: {nodeAffinity: [1]}\n", "standard input:4: affinity does not read", "mend it"},
		{"secret that is no base64", "apiVersion: v1\nkind: Secret\ndata:\n  .dockerconfigjson: '{\"auths\":{\"r\":{\"password\":\"hunter2\"}}}'\n", "standard input:4: the secret's .dockerconfigjson is not base64", "stringData"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := read(tt.text)
			var e *manifest.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			what, do, _ := strings.Cut(err.Error(), "\n")
			if !strings.Contains(what, tt.what) || !strings.Contains(do, tt.do) || strings.Contains(err.Error(), "hunter2") || strings.Contains(do, "\n") {
				t.Errorf("error %q\n%q", what, do)
			}
		})
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pod := func(image string) string {
		return "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: '" + image + "'}]}\n"
	}
	put("b.yml", pod("b:1"))
	put("a/c.yaml", pod("c:1"))
	put("a/d.JSON", `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"d:1"}]}}`)
	put("README.md", "{{{")
	put(".git/e.yaml", pod("e:1"))
	s, err := manifest.Files(nil, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range s.Images {
		rel, _ := filepath.Rel(dir, i.Place.File)
		got = append(got, filepath.ToSlash(rel)+" "+i.Reference)
	}
	if diff := cmp.Diff([]string{"a/c.yaml c:1", "a/d.JSON d:1", "b.yml b:1"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	put("chart/Chart.yaml", "apiVersion: v2\nname: x\n")
	_, err = manifest.Files(nil, []string{dir})
	if err == nil || !strings.Contains(err.Error(), "it is a Helm chart") || !strings.Contains(err.Error(), "helm template "+dir+"/chart |") {
		t.Errorf("error %v", err)
	}
	if _, err = manifest.Files(nil, []string{filepath.Join(dir, "nowhere")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err = manifest.Files(nil, []string{t.TempDir()}); err == nil || !strings.Contains(err.Error(), "no *.yaml") {
		t.Errorf("error %v", err)
	}
	put("k/kustomization.yaml", "resources: [a.yaml]\n")
	if _, err = manifest.Files(nil, []string{filepath.Join(dir, "k")}); err == nil || !strings.Contains(err.Error(), "kubectl kustomize "+dir+"/k |") {
		t.Errorf("error %v", err)
	}
}

// FuzzRead holds the reader to three promises: it ends, each image has a line of the text and a pod, and no
// secret's data is in an error.
func FuzzRead(f *testing.F) {
	// Short ones: the fuzzer spends its seconds on making long ones shorter.
	f.Add([]byte("apiVersion: v1\nkind: Secret\ndata: {.dockerconfigjson: e30=}\n---\nkind: x\n"))
	f.Add([]byte("apiVersion: v1\nkind: Pod\nspec:\n  volumes: [{image: {reference: a}}]\n"))
	f.Add([]byte("a: &a [1]\nb: [*a, *a]\n"))
	f.Add([]byte(`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"a"}]}}]}`))
	f.Add([]byte("apiVersion: v1\nkind: Pod\nspec: {containers: [&a {<<: *a, image: {{ x }}}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := read(string(data))
		if err != nil {
			var e *manifest.Error
			if !errors.As(err, &e) || strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("error %q", err)
			}
			return
		}
		for _, i := range s.Images {
			if n := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2; i.Place.Line < 1 || i.Place.Line > n || i.Pod == nil || i.Reference == "" {
				t.Errorf("image %+v of %d lines", i, n)
			}
		}
	})
}
