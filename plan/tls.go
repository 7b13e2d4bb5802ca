package plan

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// chain shows the certificates that the node is given.
func (s subject) chain() string {
	name, port := splitPort(s.host())
	return "openssl s_client -connect " + quote(name+":"+port) + " -servername " + quote(name) + " -showcerts < /dev/null"
}

// dates shows the certificate's own words, and the node's clock beside them.
func (s subject) dates() []string {
	return []string{"date -u", s.chain() + " | openssl x509 -noout -subject -issuer -dates -ext subjectAltName"}
}

func (s subject) tlsUntrusted() []Step {
	note := "An issuer that is the company's own means a private CA; one that names a proxy or firewall means that somebody in between opens TLS. A chain without its intermediate is the server's to mend."
	look := s.onNode("See who signed what "+s.host()+" shows to "+s.where(), note+s.sentence(), "", s.chain())
	steps := []Step{look, s.trustCA()}
	if h := s.elsewhere(); h != "" {
		steps[1].Note += " The request that failed went to " + h + ": a token server or storage host is trusted through the node's own CA store only, which the runtime reads at its start."
	}
	return append(steps, s.unstick()...)
}

func (s subject) sentence() string {
	if c := strings.TrimPrefix(s.compare(), "; "); c != "" {
		return " " + strings.ToUpper(c[:1]) + c[1:] + "."
	}
	return ""
}

func (s subject) tlsInvalid() []Step {
	steps := []Step{s.onNode("Compare the certificate of "+s.host()+" with the clock of "+s.where(),
		"Expired or a wrong name: the registry's owner must renew it; a node cannot mend that. Not yet valid, or valid by the date here: the node's clock is wrong."+s.sentence(), "", s.dates()...)}
	clock := s.onNode("If the clock is wrong, set it", "", "date -u shows the right time", "timedatectl", "sudo timedatectl set-ntp true")
	if s.node.Home == evidence.HomeTalos {
		clock = manual("If the clock is wrong, set it", "Time servers stand in machine.time.servers.", "", s.talos("time"), s.talos("get timeservers"))
		steps[0] = manual(steps[0].Title, steps[0].Note, "", s.dates()...)
	}
	if s.node.Home == evidence.HomeBottlerocket {
		clock = s.onNode("If the clock is wrong, set it", "Set TIME_SERVER.", "", "date -u", `apiclient set --json "{\"settings\":{\"ntp\":{\"time-servers\":[\"$TIME_SERVER\"]}}}"`)
	}
	return append(append(steps, clock), s.unstick()...)
}

func (s subject) httpMismatch() []Step {
	look := s.onNode("See what "+s.host()+" speaks, from "+s.where(), "A wrong port is the usual reason.", "",
		"curl -sS -o /dev/null -w '%{http_code}\\n' "+quote("http://"+s.host()+"/v2/"), s.reach())
	serve := manual("Serve it over HTTPS, or correct the port in the image", "", "curl prints 200 or 401 over https")
	return append([]Step{look, serve, s.plainHTTP()}, s.unstick()...)
}
