package kube

import (
	"errors"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// refusalText is the authorizer's sentence (apiserver/pkg/endpoints/handlers/responsewriters/errors.go, forbiddenMessage).
var refusalText = regexp.MustCompile(`cannot ([a-z]+) resource "([a-z0-9./-]+)" in API group "([a-z0-9.-]*)"`)

// refusedRequest is what a Forbidden refuses: by its sentence, by its details where a
// webhook wrote another one, and the list of pods where neither tells.
func refusedRequest(err error) (verb, resource string) {
	verb, resource = "list", "pods"
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return verb, resource
	}
	s := status.Status()
	if m := refusalText.FindStringSubmatch(s.Message); m != nil {
		return m[1], grouped(m[2], m[3])
	}
	if d := s.Details; d != nil && d.Kind != "" {
		if d.Name != "" {
			verb = "get"
		}
		resource = grouped(d.Kind, d.Group)
	}
	return verb, resource
}

func grouped(resource, group string) string {
	if group == "" {
		return resource
	}
	name, sub, ok := strings.Cut(resource, "/")
	if ok {
		return name + "." + group + "/" + sub
	}
	return name + "." + group
}
