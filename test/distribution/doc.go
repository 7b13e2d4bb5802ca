// Package distribution holds the registry that fails on request to the distribution project's own: one table of exchanges
// that both must pass, and a comparison of all that a pull could notice. It is a module of its own for the sake of the real
// registry's dependencies.
//
// It refuses to test more than the pull side, and styles that imitate other registries: their words have nothing to be held to.
package distribution
