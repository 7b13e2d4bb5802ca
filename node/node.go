// Package node is the node vantage point: what a pull meets on the very node
// where it fails, looked at from there.
//
// It reads the node's files, asks its resolvers, connects to the hosts that a
// pull would touch, and asks the runtime. It changes nothing, with one
// exception that is asked for by name: Question.Pull. It says nothing about
// causes.
package node

import "github.com/refloat-dev/refloat/registry/keyring"

// Check is one part of a look.
type Check string

// The checks. Path, Config, Providers, Disk, Content, Downloads and Health are made unless others are asked for.
const (
	CheckPath      Check = "path"      // names, connections, TLS, the registry's answers
	CheckConfig    Check = "config"    // the runtime's registry configuration
	CheckProviders Check = "providers" // the kubelet's credential providers
	CheckDisk      Check = "disk"
	CheckContent   Check = "content"   // stored content, by its records and sizes; Question.Verify hashes it too
	CheckDownloads Check = "downloads" // pulls under way
	CheckHealth    Check = "health"    // the runtime's
)

// Checks lists them.
func Checks() []Check {
	return []Check{CheckPath, CheckConfig, CheckProviders, CheckDisk, CheckContent, CheckDownloads, CheckHealth}
}

// Question is what to look at.
type Question struct {
	// Image is the reference as the pod has it; empty is the node as a whole.
	Image string
	// Platform is what a child manifest is looked for; empty is this node's own.
	Platform string
	// Checks are those to make; none are all.
	Checks []Check
	// Verify reads and hashes stored content, at most Rate bytes in a second; 0 is unlimited.
	Verify bool
	Rate   int64
	// Pull pulls the image through CRI, with Credentials in turn: it may then stay on the node.
	Pull        bool
	Credentials []keyring.Credential
}
