package plan

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

func (s subject) unavailable() []Step {
	step := s.onNode("Ask the registry again from "+s.where(), "A 5xx is the registry's own failure: its status page or its owner knows more. The pods recover by themselves when it does."+s.sentence(), s.reachAfter(), s.reach())
	return append([]Step{step}, s.rollback()...)
}

// rateLimited: more tries make it worse, so nothing here hurries a pull.
func (s subject) rateLimited() []Step {
	note := "Limits count by account where the pull is authenticated, else by address: all nodes behind one NAT share it. Do not delete pods to hurry: each try counts."
	if s.ref.host == "docker.io" {
		note += " Docker Hub: 100 pulls in 6 hours for each address, 200 for a personal account."
	}
	var steps []Step
	if s.ref.host == "docker.io" {
		steps = append(steps, s.onNode("See what is left, from "+s.where(), note+" This request is free.", "ratelimit-remaining is above 0",
			// The token goes to curl on its standard input: it is anonymous, but arguments are no place for any.
			`curl -fsS --get --data service=registry.docker.io --data scope=repository:ratelimitpreview/test:pull https://auth.docker.io/token`+
				` | sed -n 's/.*"token":"\([^"]*\)".*/header = "Authorization: Bearer \1"/p'`+
				` | curl -fsSI --config - https://registry-1.docker.io/v2/ratelimitpreview/test/manifests/latest | grep -i ratelimit`))
	} else {
		steps = append(steps, manual("Wait for the limit to pass; the pods recover by themselves", note, "the pull succeeds"))
	}
	if !s.nodeCredentials() {
		if len(s.usedSecrets()) == 0 {
			steps = append(steps, s.grantSecret()...)
		} else {
			steps = append(steps, manual("The pods offer credentials already: raise that account's plan, or put a pull-through mirror in front", "", ""))
		}
	}
	if s.pull.Policy == "Always" {
		steps = append(steps, s.lessPulling())
	}
	return steps
}

// lessPulling stops restarts from asking the registry each time.
func (s subject) lessPulling() Step {
	step := manual("Stop needless pulls: imagePullPolicy is Always, so each restart asks the registry again",
		"IfNotPresent is right for a tag that never moves. It cannot be changed on a pod that exists.", "")
	for _, o := range s.owners {
		p := o.pulls[0]
		if o.workload.Manager != "" || p.Kind != evidence.App {
			continue
		}
		switch o.kind() {
		case "deployment", "daemonset", "statefulset":
			step.Commands = append(step.Commands, kubectl(o.namespace, "patch", object(o.ref.Kind, o.ref.Name), "-p", quote(ifNotPresent(p))))
		case "cronjob":
			body := `{"spec":{"jobTemplate":` + ifNotPresent(p) + `}}`
			step.Commands = append(step.Commands, kubectl(o.namespace, "patch", object(o.ref.Kind, o.ref.Name), "-p", quote(body)))
		}
	}
	return step
}

func (s subject) accountRestricted() []Step {
	return append([]Step{manual("Settle the account at "+s.ref.host+": billing, licence, quota, or an account that was disabled",
		"The registry knows the account and refuses to serve it. Only its owner can change that.", "the registry serves the account again", s.inspect()...)}, s.unstick()...)
}

func (s subject) clientBlocked() []Step {
	steps := []Step{s.onNode("See from which address "+s.where()+" reaches "+s.host(), "The registry, or a firewall before it, refuses this address or region. Give its owner the address to allow."+s.sentence(), s.reachAfter(),
		"curl -sS https://checkip.amazonaws.com", s.reach())}
	if strings.HasSuffix(s.ref.host, ".azurecr.io") {
		name, _, _ := strings.Cut(s.ref.host, ".")
		steps = append(steps, manual("Allow it in the registry's firewall", "Set ADDRESS to what the node printed.", "", "az acr network-rule add --name "+quote(name)+` --ip-address "$ADDRESS"`))
	}
	return append(steps, s.unstick()...)
}

func (s subject) contentPolicy() []Step {
	steps := []Step{manual("Read why the registry withholds the image", "Its scanner or signing rule refuses it. Rebuild it without the finding and push that, or have the rule's owner make an exception.", "", s.inspect()...)}
	steps = append(steps, s.rollback()...)
	return append(steps, s.changeImage("name the rebuilt image")...)
}

func (s subject) notARegistry() []Step {
	steps := []Step{s.onNode("See what answers at "+s.host()+", from "+s.where(), "A login page, a captive portal, a proxy's block page or a web server: the host, the port or the path is wrong, or something stands in between."+s.sentence(), "the answer has a Docker-Distribution-Api-Version header, or is JSON",
		"curl -sS -i "+quote("https://"+s.host()+"/v2/")+" | head -n 20")}
	return append(steps, s.changeImage("if host or path is wrong, name the right one")...)
}
