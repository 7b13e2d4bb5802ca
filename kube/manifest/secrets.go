package manifest

import (
	"cmp"
	"encoding/base64"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// credentials reads what pods get their credentials from, and tells whether the object was that.
func (o *object) credentials(apiVersion, kind string) (bool, error) {
	switch {
	case apiVersion == "v1" && kind == "Secret":
		return true, o.secret()
	case apiVersion == "v1" && kind == "ServiceAccount":
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: o.ref.Namespace, Name: o.ref.Name}}
		for _, s := range values(field(o.node, "imagePullSecrets")) {
			if name := text(field(s, "name")); name != "" && len(a.ImagePullSecrets) < maxPullSecrets {
				a.ImagePullSecrets = append(a.ImagePullSecrets, corev1.LocalObjectReference{Name: evidence.Clean(name)})
			}
		}
		o.set.Accounts = append(o.set.Accounts, a)
		return true, nil
	case kind == "ExternalSecret":
		o.promise(cmp.Or(text(at1(o.node, "spec", "target", "name")), o.ref.Name))
		return true, nil
	case kind == "SealedSecret", kind == "VaultStaticSecret", kind == "OnePasswordItem":
		o.promise(cmp.Or(text(at1(o.node, "spec", "destination", "name")), o.ref.Name))
		return true, nil
	}
	return false, nil
}

func at1(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		n = field(n, key)
	}
	return n
}

func (o *object) promise(name string) {
	p := Promise{Namespace: o.ref.Namespace, Name: evidence.Clean(name), By: o.ref.Kind + " " + o.ref.Name, Place: o.place(o.node.Line)}
	o.set.Promised = append(o.set.Promised, p)
}

// secret keeps a secret with no more of its data than a pull could use. What is wrong with it is said without
// a word of what is in it.
func (o *object) secret() error {
	if field(o.node, "sops") != nil {
		o.promise(o.ref.Name) // encrypted: another tool fills it in on the way to the cluster
		return nil
	}
	out := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.ref.Namespace, Name: o.ref.Name},
		Type:       corev1.SecretType(cmp.Or(evidence.Clean(text(field(o.node, "type"))), string(corev1.SecretTypeOpaque))),
		Data:       map[string][]byte{},
	}
	for _, key := range []string{corev1.DockerConfigJsonKey, corev1.DockerConfigKey} {
		if n := at1(o.node, "data", key); n != nil {
			raw, err := unbase64(text(n))
			if err != nil {
				return o.fail(n.Line, "put it there in base64, or under stringData as it is", "the secret's %s is not base64", key)
			}
			out.Data[key] = raw
		}
		// stringData wins, as in the API server.
		if n := at1(o.node, "stringData", key); n != nil {
			out.Data[key] = []byte(text(n))
		}
	}
	o.set.Secrets = append(o.set.Secrets, out)
	return nil
}

// unbase64 reads what encoding/json reads into bytes: line breaks aside, padded standard base64.
func unbase64(s string) ([]byte, error) { return base64.StdEncoding.DecodeString(s) }
