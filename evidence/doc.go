// Package evidence holds what is known about image pulls that fail: one Case
// a pull, made of Facts that say where each was seen, and Gaps that say what
// could not be seen.
//
// It is the only language that the stages share. A Collection is what one run
// saw; saved as JSON it renders again anywhere, without a cluster and without a
// clock. The package depends on the standard library alone. It never holds a
// secret's contents: adapters redact before a value gets here.
package evidence
