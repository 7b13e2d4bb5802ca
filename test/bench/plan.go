package main

import "fmt"

// The shape of the made cluster. Pods are numbered, and everything about a pod follows from its number, so that a lab that
// was kept can be filled further.
const (
	namespaces  = 50
	perWorkload = 50    // pods of a Deployment
	failingEach = 10    // pods of a failing Deployment that are of its new revision
	failingOf   = 10    // one Deployment in so many fails: 2 % of all pods
	crashingOf  = 20    // one in so many has a few crashing pods, which are no business of refloat's
	crashesEach = 2     // so 0.2 % of all pods
	block       = 20000 // pods that share a set of nodes
	blockNodes  = 200
	imagesNode  = 50 // images that a node's status lists, as the kubelet does at most
	defaultName = "default"
)

// workload is one Deployment.
type workload struct{ n int }

func workloads(pods int) int { return (pods + perWorkload - 1) / perWorkload }

func nodes(pods int) int { return (pods + block - 1) / block * blockNodes }

func nodeName(n int) string { return fmt.Sprintf("worker-%04d", n) }

func namespace(n int) string { return fmt.Sprintf("team-%02d", n) }

func (w workload) name() string { return fmt.Sprintf("svc-%04d", w.n) }

// namespace moves on by one with every round, or all failures would sit in a few namespaces.
func (w workload) namespace() string { return namespace((w.n + w.n/namespaces) % namespaces) }

func (w workload) fails() bool { return w.n%failingOf == 3 }

func (w workload) crashes() bool { return w.n%crashingOf == 10 }

// image is the app's in a revision; the registry is one of the cause's.
func (w workload) image(revision int) string {
	return fmt.Sprintf("registry.corp.example/%s/%s:v1.%d.%d", w.namespace(), w.name(), w.n%7, revision)
}

func (w workload) cause() cause { return causes[w.n/failingOf%len(causes)] }

// account is the service account of its pods.
func (w workload) account() string {
	return []string{defaultName, "deployer", "runtime"}[w.n/failingOf%3]
}

// secrets are the pull secrets its pods name; regcred is missing from every other namespace.
func (w workload) secrets() []string {
	return [][]string{nil, {"regcred"}, {"team-pull"}, {"regcred", "team-pull"}}[w.n/failingOf%4]
}

func hasRegcred(n int) bool { return n%2 == 0 }

// pod is one pod of a workload.
type pod struct{ n int }

func (p pod) workload() workload { return workload{p.n / perWorkload} }

func (p pod) replica() int { return p.n % perWorkload }

func (p pod) fails() bool {
	return p.workload().fails() && p.replica() >= perWorkload-failingEach
}

func (p pod) crashes() bool { return p.workload().crashes() && p.replica() < crashesEach }

// revision is 2 for the pods of the rollout that fails.
func (p pod) revision() int {
	if p.fails() {
		return 2
	}
	return 1
}

// node spreads neighbours, and gives each node of a block as many.
func (p pod) node() int {
	return p.n/block*blockNodes + (p.n+p.n/blockNodes*37)%blockNodes
}

func (p pod) name() string {
	return fmt.Sprintf("%s-%s-%05x", p.workload().name(), templateHash(p.revision()), p.n)
}

func templateHash(revision int) string { return [...]string{"", "6c5b7d9f4", "7d9f8c6b5"}[revision] }

// bound is how many requests refloat may make of each kind.
type bound struct{ pods, failing, pages, namespaces, secrets, accounts, owners, nodes int }

func (b bound) total() int {
	return b.pages + b.namespaces + b.secrets + b.accounts + b.owners + b.nodes
}

// boundOf counts what the failing pods have in common, over the first so many pods of which the first so many may fail.
func boundOf(pods, failing int) bound {
	b := bound{pages: 0, nodes: maxNodes}
	seen := map[string]bool{}
	first := func(count *int, key string) {
		if !seen[key] {
			seen[key] = true
			*count++
		}
	}
	for i := range pods {
		p := pod{i}
		if p.fails() && i >= failing {
			continue
		}
		b.pods++
		if !p.fails() {
			continue
		}
		b.failing++
		w := p.workload()
		first(&b.namespaces, "namespace "+w.namespace())
		first(&b.accounts, "account "+w.namespace()+"/"+w.account())
		for _, s := range w.secrets() {
			first(&b.secrets, "secret "+w.namespace()+"/"+s)
		}
		first(&b.owners, "replicaset "+w.name())
		first(&b.owners, "deployment "+w.name())
	}
	b.pages = (b.pods + pageSize - 1) / pageSize
	return b
}

const (
	pageSize = 500
	maxNodes = 50
)
