// Package kube is the api vantage point: it finds the containers that cannot get
// their image, and reads what Kubernetes knows about each.
//
// It only reads, and it gets secrets by name alone: it never lists or watches
// them, and what is inside one never leaves the function that looks at its
// shape. What it may not read is a Gap, never "missing". It says nothing about
// causes.
//
// Find costs one request a page of 500 pods, one a namespace with failing pods
// (events; more where they fill more pages), one for refused creations and one
// for the version. API then costs one request for each distinct secret, service
// account and owner of the failing pods, and at most 50 for nodes.
//
// Containers that could never start are suspects beside the crashes, of at most
// 50 images and nodes; finding them costs no request.
//
// Planned is for images that nothing runs yet: one request a page of 500 nodes,
// one for each distinct service account and secret that is not in the manifests,
// and at most 20 for the nodes' disks.
package kube
