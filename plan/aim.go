package plan

import "regexp"

// kubectlWord is kubectl where a command may begin, and its plugin's name: kubectl takes no flags before that.
var kubectlWord = regexp.MustCompile(`(^|[|;&(] ?|: )(kubectl(?: refloat)?) `)

// Aim makes the kubectl commands of a line act on the cluster that was looked at, where it is not kubectl's current
// one: context and kubeconfig as they were given, either may be empty.
func Aim(line, context, kubeconfig string) string {
	var flags string
	if kubeconfig != "" {
		flags += " --kubeconfig " + quote(kubeconfig)
	}
	if context != "" {
		flags += " --context " + quote(context)
	}
	if flags == "" {
		return line
	}
	return kubectlWord.ReplaceAllStringFunc(line, func(found string) string {
		return found[:len(found)-1] + flags + " "
	})
}

// Aim is the plan with all its commands aimed; the receiver is left as it is.
func (p Plan) Aim(context, kubeconfig string) Plan {
	out := Plan{Steps: make([]Step, len(p.Steps))}
	for i, s := range p.Steps {
		commands := make([]string, len(s.Commands))
		for j, c := range s.Commands {
			commands[j] = Aim(c, context, kubeconfig)
		}
		s.Commands, s.Undo = commands, Aim(s.Undo, context, kubeconfig)
		if len(commands) == 0 {
			s.Commands = nil
		}
		out.Steps[i] = s
	}
	return out
}
