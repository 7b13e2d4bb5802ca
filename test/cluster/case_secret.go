package cluster

import (
	"encoding/base64"
	"encoding/json"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// dockerAuth is an entry of a pull secret.
type dockerAuth struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Auth     string `json:"auth,omitempty"`
}

// login is an entry as kubectl create secret docker-registry writes it.
func login(user, password string) dockerAuth {
	return dockerAuth{user, password, base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}
}

// pullSecret is a pull secret with one entry.
func pullSecret(name, host string, entry dockerAuth) v1.Secret {
	return pullSecretOf(name, map[string]dockerAuth{host: entry})
}

func pullSecretOf(name string, entries map[string]dockerAuth) v1.Secret {
	data, err := json.Marshal(map[string]any{"auths": entries})
	if err != nil {
		panic(err) // strings always marshal
	}
	return v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Type:       v1.SecretTypeDockerConfigJson,
		Data:       map[string][]byte{v1.DockerConfigJsonKey: data},
	}
}
