package kube

import (
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/discovery"
	appsv1client "k8s.io/client-go/kubernetes/typed/apps/v1"
	batchv1client "k8s.io/client-go/kubernetes/typed/batch/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/kube/owner"
)

// requests is how many requests are under way at once: the API server's own fairness does the rest.
const requests = 8

// Client talks to one cluster. Make it with New.
type Client struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Patience is how long a pull may say nothing before it counts as stuck; 0 is
	// 5 minutes, and 1 minute for a pod that is asked for by name.
	Patience time.Duration

	host      string
	core      *corev1client.CoreV1Client
	apps      *appsv1client.AppsV1Client
	batch     *batchv1client.BatchV1Client
	metadata  metadata.Interface
	discovery *discovery.DiscoveryClient
}

// New returns a client for the cluster of a configuration, which it copies.
// Without a timeout of its own a request ends after a minute.
func New(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.RateLimiter = -1, nil
	if config.Timeout == 0 {
		config.Timeout = time.Minute
	}
	if config.UserAgent == "" {
		config.UserAgent = "refloat"
	}
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("setting up the connection to %s: %w", config.Host, err)
	}
	c := &Client{host: config.Host}
	return c, c.connect(config, transport)
}

func (c *Client) connect(config *rest.Config, transport *http.Client) (err error) {
	if c.metadata, err = metadata.NewForConfigAndClient(metadata.ConfigFor(config), transport); err != nil {
		return fmt.Errorf("setting up the metadata client: %w", err)
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	if c.core, err = corev1client.NewForConfigAndClient(config, transport); err != nil {
		return fmt.Errorf("setting up the client: %w", err)
	}
	if c.apps, err = appsv1client.NewForConfigAndClient(config, transport); err != nil {
		return fmt.Errorf("setting up the client: %w", err)
	}
	if c.batch, err = batchv1client.NewForConfigAndClient(config, transport); err != nil {
		return fmt.Errorf("setting up the client: %w", err)
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(config, transport); err != nil {
		return fmt.Errorf("setting up the discovery client: %w", err)
	}
	return nil
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Client) owners() *owner.Reader {
	return &owner.Reader{Core: c.core, Apps: c.apps, Batch: c.batch, Metadata: c.metadata, Discovery: c.discovery}
}
