package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/report"
)

// toDeploy is a shop that is about to be deployed: line numbers below are its own.
const toDeploy = `apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: storefront-eu}
spec:
  selector: {matchLabels: {app: edge}}
  template:
    metadata: {labels: {app: edge}}
    spec:
      nodeSelector: {kubernetes.io/hostname: node-1}
      imagePullSecrets: [{name: team}]
      containers:
      - {name: edge, image: "open.lab/gateway/edge:1.27.1"}
      - {name: browser, image: "ecr.lab/catalog/browser:1.12.0"}
      - {name: helper, image: "open.lab/gateway/edge:1.27.l"}
      - {name: tiles, image: "open.lab/maps/tiles:8.2"}
---
apiVersion: v1
kind: Pod
metadata: {name: reader, namespace: storefront-eu}
spec:
  nodeSelector: {kubernetes.io/hostname: node-1}
  containers:
  - {name: reader, image: "ecr.lab/inventory/stock:5.3"}
---
apiVersion: v1
kind: Pod
metadata: {name: anywhere, namespace: storefront-eu}
spec:
  containers:
  - {name: reader, image: "ecr.lab/search/indexer:7.0.2"}
`

// TestCheck asks before anything is deployed, with the secrets that the cluster has and the nodes that the pods could land on.
func TestCheck(t *testing.T) {
	t.Parallel()
	const ns = "storefront-eu"
	namespace(t, ns)
	if err := lab.SetUser(t.Context(), "ecr.lab", registrytest.User{Name: "eu-team", Password: "blue-door", Pull: []string{"catalog/*"}}); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "team"}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{"ecr.lab":{"username":"eu-team","password":"blue-door"}}}`)},
	}
	if _, err := lab.Client().CoreV1().Secrets(ns).Create(t.Context(), secret, create); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte(toDeploy), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := refloat(t.Context(), "check", "-f", dir, "-o", "json")
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("exit %d: %v\n%s%s", code, err, stdout, stderr)
	}
	if code != 3 {
		t.Errorf("exit %d, want 3", code)
	}
	want := map[string]struct {
		cause diagnose.Code
		line  int
	}{
		"open.lab/gateway/edge:1.27.l": {diagnose.TagNotFound, 14},
		"open.lab/maps/tiles:8.2":      {diagnose.PlatformMismatch, 15},
		"ecr.lab/inventory/stock:5.3":  {diagnose.NoCredentials, 23},
		// Where a node that the pod may land on has a credential provider, nobody here can tell.
		"ecr.lab/search/indexer:7.0.2": {diagnose.Unknown, 30},
	}
	for _, f := range r.Findings {
		w, ok := want[f.Image]
		if !ok || f.Cause != w.cause || f.Confidence == diagnose.Confirmed || len(f.Places) != 1 || f.Places[0].Line != w.line {
			t.Errorf("%s: %s, %s at %v; want %+v", f.Image, f.Cause, f.Confidence, f.Places, w)
		}
		delete(want, f.Image)
	}
	for image := range want {
		t.Errorf("nothing is said of %s", image)
	}
	if strings.Contains(stdout, "blue-door") {
		t.Error("the report holds the password")
	}
}
