package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// maxPush bounds one pushed image; the body is read into memory.
const maxPush = 64 << 20

// Content is one manifest with its blobs, whatever they are, as a registry host is to serve it.
type Content struct {
	Host       string   `json:"host"`
	Repository string   `json:"repository"`
	Tag        string   `json:"tag"`
	MediaType  string   `json:"mediaType"`
	Manifest   []byte   `json:"manifest"`
	Blobs      [][]byte `json:"blobs"`
}

// push is PUT /content: the only way in for images that are made while the lab runs.
func push(g *registrytest.Group) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var c Content
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPush)).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reg := g.Registry(c.Host)
		if reg == nil {
			http.Error(w, fmt.Sprintf("no registry %q", c.Host), http.StatusBadRequest)
			return
		}
		reg.PushRaw(c.Repository, c.Tag, types.MediaType(c.MediaType), c.Manifest, c.Blobs...)
	}
}
