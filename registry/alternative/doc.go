// Package alternative finds what to use instead of an image that a registry does not have: what the workload ran before,
// where a repository has moved to, a tag or a name that is close to the one asked for, the same for the node's platform.
//
// It makes candidates and ranks them by itself; whether one is there it asks through an Asker, at most five times for one
// image, the best first, until it has three. It offers nothing that was not served just now, and refuses to ask a registry of which neither the
// workload nor the table of relocations speaks, Docker Hub for a short name being the one exception.
package alternative
