// Package rules holds the repository to its own rules: who may import whom, what
// the plugin depends on, how big it is, and where it must build.
//
// It has tests only. They read the source themselves, so that the test cache
// sees every change.
package rules
