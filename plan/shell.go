package plan

import (
	"fmt"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// quote makes any text one word of a shell command.
func quote(s string) string { return evidence.Quote(s) }

// kubectl is a command in a namespace; args are shell text already.
func kubectl(namespace string, args ...string) string {
	lead := "kubectl"
	if namespace != "" {
		lead += " -n " + quote(namespace)
	}
	return lead + " " + strings.Join(args, " ")
}

// object is TYPE/NAME as kubectl takes it: the type leads, so that no name can pass for a flag.
func object(kind, name string) string {
	return quote(strings.ToLower(kind) + "/" + name)
}

// newFile writes lines into a file on a node, only where there is none yet: what somebody wrote is not overwritten.
func newFile(path string, lines ...string) string {
	words := make([]string, len(lines))
	for i, l := range lines {
		words[i] = quote(l)
	}
	return fmt.Sprintf(`sudo test ! -e %s && printf '%%s\n' %s | sudo tee %s`, quote(path), strings.Join(words, " "), quote(path))
}

// manual is a step for a person.
func manual(title, note, after string, commands ...string) Step {
	return Step{Title: title, Risk: Manual, Note: note, After: after, Commands: commands}
}
