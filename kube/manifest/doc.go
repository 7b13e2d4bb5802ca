// Package manifest reads what is going to be deployed: the images that files of
// manifests ask for, and what decides how they are pulled.
//
// It takes YAML and JSON streams as Helm, Kustomize and kubectl write them, of
// every kind that holds a pod template, other projects' kinds by where they are
// known to keep it. It renders nothing: a template or a kustomization is an error
// that names the command. It talks to no cluster and no registry, runs nothing,
// and guesses no image that is filled in later. Files, documents and what their
// aliases stand for are bounded.
package manifest
