// Command lab-credential-provider is the kubelet credential provider of the lab's nodes: it answers what the file
// /etc/kubernetes/credential-provider.json tells it to. It refuses to ask any cloud.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const settings = "/etc/kubernetes/credential-provider.json"

type behaviour struct {
	Username string `json:"username"`
	Password string `json:"password"`
	// Fail is what to say on stderr before exiting with 1; empty means answer.
	Fail string `json:"fail"`
	// Raw is printed instead of a proper answer, for a provider that talks nonsense.
	Raw string `json:"raw"`
	// Sleep is a Go duration to wait first.
	Sleep string `json:"sleep"`
}

type request struct {
	Image string `json:"image"`
}

type auth struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type response struct {
	APIVersion    string          `json:"apiVersion"`
	Kind          string          `json:"kind"`
	CacheKeyType  string          `json:"cacheKeyType"`
	CacheDuration string          `json:"cacheDuration"`
	Auth          map[string]auth `json:"auth"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "lab-credential-provider:", err)
		os.Exit(1)
	}
}

func run() error {
	var req request
	if err := json.NewDecoder(os.Stdin).Decode(&req); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	data, err := os.ReadFile(settings)
	if err != nil {
		return err
	}
	var b behaviour
	if err := json.Unmarshal(data, &b); err != nil {
		return fmt.Errorf("reading %s: %w", settings, err)
	}
	if d, err := time.ParseDuration(b.Sleep); err == nil {
		time.Sleep(d)
	}
	switch {
	case b.Fail != "":
		return fmt.Errorf("%s", b.Fail)
	case b.Raw != "":
		fmt.Println(b.Raw)
		return nil
	}
	return json.NewEncoder(os.Stdout).Encode(response{
		APIVersion:    "credentialprovider.kubelet.k8s.io/v1",
		Kind:          "CredentialProviderResponse",
		CacheKeyType:  "Image",
		CacheDuration: "0s",
		Auth:          map[string]auth{req.Image: {Username: b.Username, Password: b.Password}},
	})
}
