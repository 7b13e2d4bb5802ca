// Package v1alpha1 holds the types of refloat's custom resources, and nothing
// else: group refloat.dev, version v1alpha1.
package v1alpha1
