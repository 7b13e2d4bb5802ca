// Package cli is the kubectl plugin: it turns flags into plain values, runs the
// pipeline, and prints what report renders.
//
// It decides nothing about causes and writes nothing to a cluster.
//
// Exit codes: 0 nothing is wrong; 1 refloat itself failed; 2 usage; 3 failing
// pulls were found; 4 could not tell; 130 interrupted. Where several apply the
// first of 2, 1, 3, 4, 0 is given.
package cli
