package pullsecret

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/kube/owner"
)

// marks are annotations and labels of tools that write secrets; the value names the source where it helps.
var marks = []struct{ key, owner string }{
	{"reconcile.external-secrets.io/data-hash", "ExternalSecret"},
	{"reconcile.external-secrets.io/created-by", "ExternalSecret"},
	{"sealedsecrets.bitnami.com/managed", "SealedSecret"},
	{"reflector.v1.k8s.emberstack.com/reflects", "reflector"},
	{"replicator.v1.mittwald.de/replicated-from-version", "kubernetes-replicator"},
	{"secrets.doppler.com/processed-secrets-version", "DopplerSecret"},
	{"openshift.io/token-secret.name", "the OpenShift service account controller"},
	{"kubed.appscode.com/origin", "config-syncer"},
}

// writers are field managers that no mark tells of.
var writers = map[string]string{
	"external-secrets": "ExternalSecret", "vault-secrets-operator": "VaultStaticSecret", "kyverno": "Kyverno",
	"imagepullsecret-patcher": "imagepullsecret-patcher",
}

// Owner is who writes a secret, such as `ExternalSecret shop/regcred`; empty where nobody else seems to.
func Owner(m metav1.Object) string {
	if refs := m.GetOwnerReferences(); len(refs) > 0 {
		ref := refs[0]
		for _, r := range refs {
			if r.Controller != nil && *r.Controller {
				ref = r
			}
		}
		return ref.Kind + " " + m.GetNamespace() + "/" + ref.Name
	}
	for _, mark := range marks {
		for _, set := range []map[string]string{m.GetAnnotations(), m.GetLabels()} {
			if v, ok := set[mark.key]; ok {
				if strings.Contains(v, "/") {
					return mark.owner + " " + v
				}
				return mark.owner
			}
		}
	}
	if manager, by := owner.Manager(m); manager != "" {
		return strings.TrimSpace(manager + " " + by)
	}
	for _, f := range m.GetManagedFields() {
		if w := writers[f.Manager]; w != "" {
			return w
		}
	}
	return ""
}

// Changed is the newest write to an object, its status aside; zero where nothing tells.
func Changed(m metav1.Object) time.Time {
	var newest time.Time
	for _, f := range m.GetManagedFields() {
		if f.Subresource == "" && f.Time != nil && f.Time.After(newest) {
			newest = f.Time.Time
		}
	}
	return newest.UTC()
}
