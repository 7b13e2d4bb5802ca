// Package wire asks a registry over HTTP as the kubelet's runtime would, and keeps what came back.
package wire
