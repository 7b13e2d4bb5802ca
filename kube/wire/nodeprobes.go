package wire

import (
	"net/http"

	"github.com/refloat-dev/refloat/api/v1alpha1"
)

// NodeProbes is the path of a namespace's NodeProbes; of all where it is empty.
func NodeProbes(namespace string) string {
	base := "/apis/" + v1alpha1.Group + "/" + v1alpha1.Version
	if namespace != "" {
		base += "/namespaces/" + namespace
	}
	return base + "/" + v1alpha1.NodeProbeResource
}

// Deletion removes the object at a path if it has that UID still; an empty UID removes whatever has its name.
func Deletion(path, uid string) Request {
	body := map[string]any{"apiVersion": "v1", "kind": "DeleteOptions"}
	if uid != "" {
		body["preconditions"] = map[string]any{"uid": uid}
	}
	return Request{Method: http.MethodDelete, Path: path, Body: body}
}
