// Package plan turns a finding into steps: data that says what to change, how to
// take it back, and what must be true afterwards.
//
// It is pure and changes nothing; apply is the only writer.
package plan

import "github.com/refloat-dev/refloat/evidence"

// Plan is what to do about one finding.
type Plan struct {
	Steps []Step `json:"steps"`
}

// Risk is what a step may touch.
type Risk string

// The risk classes.
const (
	Safe     Risk = "safe"     // reversible, touches only what is broken
	Workload Risk = "workload" // changes a pod template or a service account
	Node     Risk = "node"     // changes a node
	Manual   Risk = "manual"   // a person must act
)

// Step is one move. A manual step's Commands are exact: they name the objects that the case names, and run as printed.
type Step struct {
	Title  string       `json:"title"`
	Risk   Risk         `json:"risk"`
	Target evidence.Ref `json:"target,omitzero"`
	// Commands run in order; a value that only a person knows stands in capitals, such as $PASSWORD, and never in an argument.
	Commands []string `json:"commands,omitempty"`
	// Note is what to know before: a side effect, or when not to.
	Note string `json:"note,omitempty"`
	// Undo takes it back; empty where nothing was changed.
	Undo string `json:"undo,omitempty"`
	// After is what must be true when it worked.
	After string `json:"after,omitempty"`
}
